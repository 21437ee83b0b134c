using System.Collections.Immutable;
using System.Xml.Linq;

namespace InternalHost.Cloud.Ec2;

/// <summary>What may come in: one protocol, a range of ports, the networks of both families.</summary>
internal sealed record Ec2IpPermission(string IpProtocol, int FromPort, int ToPort, ImmutableArray<string> CidrIps, ImmutableArray<string> CidrIpv6s);

internal sealed record Ec2SecurityGroup(
    string GroupId, string GroupName, string Description, string? VpcId, ImmutableArray<Ec2IpPermission> Ingress, ImmutableSortedDictionary<string, string> Tags);

internal sealed partial class Ec2Client
{
    /// <returns>Its id.</returns>
    /// <param name="vpcId">Null: the account's default one.</param>
    public async Task<string> CreateSecurityGroupAsync(string name, string description, string? vpcId, IReadOnlyDictionary<string, string> tags, CancellationToken ct) =>
        (await SendAsync(
            new Ec2Call("CreateSecurityGroup").With("GroupName", name).With("GroupDescription", description).With("VpcId", vpcId).WithTagSpecification("security-group", tags),
            ct)).Need("groupId");

    public Task<ImmutableArray<Ec2SecurityGroup>> DescribeSecurityGroupsByTagAsync(string tag, string value, CancellationToken ct) =>
        ListAsync(new Ec2Call("DescribeSecurityGroups").WithFilter($"tag:{tag}", value), SecurityGroups, ct);

    public Task<ImmutableArray<Ec2SecurityGroup>> DescribeSecurityGroupsAsync(IEnumerable<string> ids, CancellationToken ct) =>
        ListAsync(new Ec2Call("DescribeSecurityGroups").WithList("GroupId", ids), SecurityGroups, ct);

    public async Task AuthorizeSecurityGroupIngressAsync(string groupId, IEnumerable<Ec2IpPermission> permissions, CancellationToken ct) =>
        await SendAsync(Permissions(new Ec2Call("AuthorizeSecurityGroupIngress").With("GroupId", groupId), permissions), ct);

    public async Task RevokeSecurityGroupIngressAsync(string groupId, IEnumerable<Ec2IpPermission> permissions, CancellationToken ct) =>
        await SendAsync(Permissions(new Ec2Call("RevokeSecurityGroupIngress").With("GroupId", groupId), permissions), ct);

    public async Task DeleteSecurityGroupAsync(string groupId, CancellationToken ct) =>
        await SendAsync(new Ec2Call("DeleteSecurityGroup").With("GroupId", groupId), ct);

    private static Ec2Call Permissions(Ec2Call call, IEnumerable<Ec2IpPermission> permissions) => permissions.Select((p, i) => (P: p, At: $"IpPermissions.{i + 1}"))
        .Aggregate(call, (c, x) => Ranges(
            Ranges(
                c.With($"{x.At}.IpProtocol", x.P.IpProtocol).With($"{x.At}.FromPort", x.P.FromPort).With($"{x.At}.ToPort", x.P.ToPort),
                $"{x.At}.IpRanges", "CidrIp", x.P.CidrIps),
            $"{x.At}.Ipv6Ranges", "CidrIpv6", x.P.CidrIpv6s));

    private static Ec2Call Ranges(Ec2Call call, string list, string name, ImmutableArray<string> networks) =>
        networks.Select((n, i) => (At: $"{list}.{i + 1}.{name}", Network: n)).Aggregate(call, (c, x) => c.With(x.At, x.Network));

    private static IEnumerable<Ec2SecurityGroup> SecurityGroups(XElement answer) => answer.Items("securityGroupInfo").Select(g => new Ec2SecurityGroup(
        g.Need("groupId"), g.Text("groupName") ?? "", g.Text("groupDescription") ?? "", g.Text("vpcId"), [.. g.Items("ipPermissions").Select(Permission)], g.Tags()));

    /// <summary>Without ports (all of them, ICMP): 0-65535, as the protocol has it.</summary>
    private static Ec2IpPermission Permission(XElement item) => new(
        item.Need("ipProtocol"), item.Number("fromPort") ?? 0, item.Number("toPort") ?? 65_535,
        [.. item.Items("ipRanges").Select(r => r.Need("cidrIp"))], [.. item.Items("ipv6Ranges").Select(r => r.Need("cidrIpv6"))]);
}
