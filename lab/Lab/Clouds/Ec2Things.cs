using System.Collections.Immutable;
using System.Globalization;
using System.Xml.Linq;
using static Lab.Clouds.Ec2Answer;
using static Lab.Clouds.Ec2Parameters;

namespace Lab.Clouds;

/// <summary>What is open in a security group, one network each.</summary>
public sealed record LabRule(string Protocol, int From, int To, string Network);

public sealed record LabGroup(string Id, string Name, ImmutableSortedDictionary<string, string> Tags, ImmutableHashSet<LabRule> Rules);

public sealed record LabKeyPair(string Name, string PublicKey, ImmutableSortedDictionary<string, string> Tags);

public sealed record LabAddress(string Id, string Ip, string? Machine, ImmutableSortedDictionary<string, string> Tags);

/// <param name="Machine">Null: it is attached to nothing.</param>
public sealed record LabVolume(string Id, string? Machine, ImmutableSortedDictionary<string, string> Tags);

/// <summary>Security groups, key pairs, images, volumes and addresses of the stand-in's account, from parameters to XML.</summary>
internal sealed class Ec2Things(Ec2Account account, Func<Ec2Behaviour> behaviour)
{
    private const string Owner = "136693071363";

    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, LabGroup> _groups = new(StringComparer.Ordinal);   // the four and _last are guarded by _gate
    private readonly SortedDictionary<string, LabKeyPair> _keys = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, LabAddress> _addresses = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, LabVolume> _volumes = new(StringComparer.Ordinal);
    private int _last;

    public ImmutableArray<LabGroup> Groups => Read(_groups);

    public ImmutableArray<LabKeyPair> KeyPairs => Read(_keys);

    public ImmutableArray<LabAddress> Addresses => Read(_addresses);

    /// <summary>One for each machine that is not gone, and those that nobody has.</summary>
    public ImmutableArray<LabVolume> Volumes =>
        [.. account.Machines.Where(m => m.State != "terminated").Select(m => new LabVolume("vol-" + m.Id[2..], m.Id, m.Tags)), .. Read(_volumes)];

    public void AddVolume(string site)
    {
        lock (_gate)
        {
            var id = NewIdLocked("vol-");
            _volumes[id] = new LabVolume(id, null, ImmutableSortedDictionary<string, string>.Empty.Add(Ec2StandIn.SiteTag, site));
        }
    }

    /// <summary>Null: it is no action of these.</summary>
    public XElement? Do(string action, ImmutableSortedDictionary<string, string> p)
    {
        lock (_gate)
        {
            return action switch
            {
                "DescribeImages" => Images(p),
                "DescribeSecurityGroups" => DescribeGroups(p),
                "CreateSecurityGroup" => CreateGroup(p),
                "AuthorizeSecurityGroupIngress" => Open(p),
                "RevokeSecurityGroupIngress" => Close(p),
                "DeleteSecurityGroup" => DeleteGroup(p),
                "DescribeKeyPairs" => Of(action, Set("keySet", _keys.Values.Where(k => Has(k.Tags, p)).Select(Key))),
                "ImportKeyPair" => ImportKey(p),
                "DeleteKeyPair" => Gone(action, () => _keys.Remove(Need(p, "KeyName"))),
                "DescribeVolumes" => Of(action, Set("volumeSet", Volumes.Where(v => Has(v.Tags, p)).Select(Volume))),
                "DeleteVolume" => Gone(action, () => _ = _volumes.Remove(Need(p, "VolumeId")) ? true : throw new Ec2Refusal("InvalidVolume.NotFound", "The volume does not exist.")),
                "DescribeSnapshots" => Of(action, Set("snapshotSet", [])),
                "DescribeAddresses" => Of(action, Set("addressesSet", _addresses.Values.Where(a => Has(a.Tags, p) && Numbered(p, "Filter").All(f => f["Name"] != "public-ip" || List(f, "Value").Contains(a.Ip))).Select(Address))),
                "AllocateAddress" => Allocate(p),
                "AssociateAddress" => Associate(p),
                "DisassociateAddress" => Gone(action, () => SetLocked(Need(p, "AssociationId").Replace("eipassoc-", "eipalloc-", StringComparison.Ordinal), null)),
                "ReleaseAddress" => Release(p),
                _ => null,
            };
        }
    }

    private static XElement Images(ImmutableSortedDictionary<string, string> p) => Of("DescribeImages", Set("imagesSet", Need(p, "Owner.1") != Owner ? [] : ((string[])["20260901-2222", "20261101-2288", "20251001-2000"]).Select((date, i) => (object?[])
    [
        E("imageId", string.Create(CultureInfo.InvariantCulture, $"ami-{i + 1:x17}")), E("name", $"debian-12-amd64-{date}"), E("imageOwnerId", Owner), E("architecture", "x86_64"),
        E("rootDeviceName", "/dev/xvda"), E("creationDate", $"{date[..4]}-{date[4..6]}-{date[6..8]}T00:00:00.000Z"), E("imageState", "available"),
    ])));

    private XElement DescribeGroups(ImmutableSortedDictionary<string, string> p)
    {
        var ids = List(p, "GroupId").ToList();
        return Of("DescribeSecurityGroups", Set("securityGroupInfo", _groups.Values.Where(g => ids.Count == 0 ? Has(g.Tags, p) : ids.Contains(g.Id)).Select(Group)));
    }

    private XElement CreateGroup(ImmutableSortedDictionary<string, string> p)
    {
        var name = Need(p, "GroupName");
        if (!behaviour().HasDefaultNetwork)
        {
            throw new Ec2Refusal("VPCIdNotSpecified", "No default VPC for this user");
        }

        if (_groups.Values.Any(g => g.Name == name))
        {
            throw new Ec2Refusal("InvalidGroup.Duplicate", $"The security group '{name}' already exists");
        }

        var id = NewIdLocked("sg-");
        _groups[id] = new LabGroup(id, name, Tags(p, "security-group"), []);
        return Of("CreateSecurityGroup", E("return", "true"), E("groupId", id));
    }

    private XElement Open(ImmutableSortedDictionary<string, string> p)
    {
        var group = GroupLocked(p);
        var rules = Rules(p).ToList();
        if (rules.Exists(group.Rules.Contains))
        {
            throw new Ec2Refusal("InvalidPermission.Duplicate", "the specified rule already exists");
        }

        _groups[group.Id] = group with { Rules = group.Rules.Union(rules) };
        return Of("AuthorizeSecurityGroupIngress", E("return", "true"));
    }

    private XElement Close(ImmutableSortedDictionary<string, string> p)
    {
        var group = GroupLocked(p);
        _groups[group.Id] = group with { Rules = group.Rules.Except(Rules(p)) };
        return Of("RevokeSecurityGroupIngress", E("return", "true"));
    }

    private XElement DeleteGroup(ImmutableSortedDictionary<string, string> p)
    {
        var group = GroupLocked(p);
        if (account.Machines.Any(m => m.State != "terminated" && m.GroupIds.Contains(group.Id)))
        {
            throw new Ec2Refusal("DependencyViolation", $"resource {group.Id} has a dependent object");
        }

        _groups.Remove(group.Id);
        return Of("DeleteSecurityGroup", E("return", "true"));
    }

    private LabGroup GroupLocked(ImmutableSortedDictionary<string, string> p) =>
        _groups.GetValueOrDefault(Need(p, "GroupId")) ?? throw new Ec2Refusal("InvalidGroup.NotFound", "The security group does not exist");

    private XElement ImportKey(ImmutableSortedDictionary<string, string> p)
    {
        var name = Need(p, "KeyName");
        if (!_keys.TryAdd(name, new LabKeyPair(name, Base64(Need(p, "PublicKeyMaterial")), Tags(p, "key-pair"))))
        {
            throw new Ec2Refusal("InvalidKeyPair.Duplicate", $"The keypair '{name}' already exists.");
        }

        return Of("ImportKeyPair", [.. Key(_keys[name])]);
    }

    private XElement Allocate(ImmutableSortedDictionary<string, string> p)
    {
        var id = NewIdLocked("eipalloc-");
        _addresses[id] = new LabAddress(id, string.Create(CultureInfo.InvariantCulture, $"198.51.100.{_last % 250}"), null, Tags(p, "elastic-ip"));
        return Of("AllocateAddress", [.. Address(_addresses[id])]);
    }

    private XElement Associate(ImmutableSortedDictionary<string, string> p)
    {
        var id = Need(p, "AllocationId");
        SetLocked(id, Need(p, "InstanceId"));
        return Of("AssociateAddress", E("return", "true"), E("associationId", Association(id)));
    }

    private XElement Release(ImmutableSortedDictionary<string, string> p)
    {
        var id = Need(p, "AllocationId");
        return AddressLocked(id).Machine is not null ? throw new Ec2Refusal("InvalidIPAddress.InUse", "The address is in use.") : Gone("ReleaseAddress", () => _addresses.Remove(id));
    }

    private void SetLocked(string id, string? machine) => _addresses[id] = AddressLocked(id) with { Machine = machine };

    private LabAddress AddressLocked(string id) => _addresses.GetValueOrDefault(id) ?? throw new Ec2Refusal("InvalidAllocationID.NotFound", "The allocation ID does not exist");

    private static IEnumerable<LabRule> Rules(ImmutableSortedDictionary<string, string> p) =>
        from permission in Numbered(p, "IpPermissions")
        from network in Numbered(permission, "IpRanges").Select(r => r["CidrIp"]).Concat(Numbered(permission, "Ipv6Ranges").Select(r => r["CidrIpv6"]))
        select new LabRule(permission["IpProtocol"], int.Parse(permission["FromPort"], CultureInfo.InvariantCulture), int.Parse(permission["ToPort"], CultureInfo.InvariantCulture), network);

    private static object?[] Group(LabGroup g) =>
    [
        E("groupId", g.Id), E("groupName", g.Name), E("groupDescription", "of the lab"), E("vpcId", "vpc-1"),
        Set("ipPermissions", g.Rules.GroupBy(r => (r.Protocol, r.From, r.To)).Select(r => (object?[])
        [
            E("ipProtocol", r.Key.Protocol), E("fromPort", r.Key.From), E("toPort", r.Key.To),
            Set("ipRanges", r.Where(x => !x.Network.Contains(':')).Select(x => (object?[])[E("cidrIp", x.Network)])),
            Set("ipv6Ranges", r.Where(x => x.Network.Contains(':')).Select(x => (object?[])[E("cidrIpv6", x.Network)])),
        ])),
        Ec2Answer.Tags(g.Tags),
    ];

    private static object?[] Key(LabKeyPair k) => [E("keyPairId", "key-" + k.Name), E("keyName", k.Name), E("keyFingerprint", "SHA256:of-the-lab"), Ec2Answer.Tags(k.Tags)];

    private static object?[] Volume(LabVolume v) =>
    [
        E("volumeId", v.Id), E("status", v.Machine is null ? "available" : "in-use"), E("size", 8), E("encrypted", "true"),
        Set("attachmentSet", v.Machine is null ? [] : [[E("instanceId", v.Machine)]]), Ec2Answer.Tags(v.Tags),
    ];

    private static object?[] Address(LabAddress a) =>
        [E("publicIp", a.Ip), E("allocationId", a.Id), a.Machine is null ? null : E("associationId", Association(a.Id)), a.Machine is null ? null : E("instanceId", a.Machine), Ec2Answer.Tags(a.Tags)];

    private static string Association(string allocation) => allocation.Replace("eipalloc-", "eipassoc-", StringComparison.Ordinal);

    private static bool Has(ImmutableSortedDictionary<string, string> tags, ImmutableSortedDictionary<string, string> p) =>
        Numbered(p, "Filter").Where(f => f["Name"] != "public-ip").All(f => f["Name"] is ['t', 'a', 'g', ':', .. var key] && tags.TryGetValue(key, out var value) && List(f, "Value").Contains(value));

    private static XElement Gone(string action, Action delete)
    {
        delete();
        return Of(action, E("return", "true"));
    }

    private string NewIdLocked(string prefix) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{++_last:x17}");

    private ImmutableArray<T> Read<T>(SortedDictionary<string, T> all)
    {
        lock (_gate)
        {
            return [.. all.Values];
        }
    }
}
