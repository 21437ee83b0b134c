using System.Collections.Immutable;
using System.Globalization;
using Common;
using InternalHost.Cloud.Ec2;

namespace InternalHost.Cloud.Making;

/// <summary>What has to be open in the bastion's security group, against what is.</summary>
[PureCore]
internal static class Ec2Opening
{
    private const string Everywhere = "0.0.0.0/0";
    private const string Everywhere6 = "::/0";

    public static bool IsRight(IEnumerable<Ec2IpPermission> open, ImmutableArray<int> ports)
    {
        var list = open.ToList();
        return TooMuch(list, ports).IsEmpty && Missing(list, ports).IsEmpty;
    }

    public static ImmutableArray<Ec2IpPermission> Missing(IEnumerable<Ec2IpPermission> open, ImmutableArray<int> ports) => Together(Wanted(ports).Except(Single(open)));

    public static ImmutableArray<Ec2IpPermission> TooMuch(IEnumerable<Ec2IpPermission> open, ImmutableArray<int> ports) => Together(Single(open).Except(Wanted(ports)));

    private static IEnumerable<Rule> Wanted(ImmutableArray<int> ports) => ports.SelectMany(p => (Rule[])[new("tcp", p, p, Everywhere), new("tcp", p, p, Everywhere6)]);

    private static IEnumerable<Rule> Single(IEnumerable<Ec2IpPermission> open) =>
        open.SelectMany(p => p.CidrIps.Concat(p.CidrIpv6s).Select(network => new Rule(p.IpProtocol, p.FromPort, p.ToPort, network)));

    /// <summary>One for each range of ports, as EC2 has it.</summary>
    private static ImmutableArray<Ec2IpPermission> Together(IEnumerable<Rule> rules) =>
    [
        .. rules.GroupBy(r => (r.Protocol, r.From, r.To)).OrderBy(g => g.Key.From).ThenBy(g => g.Key.Protocol, StringComparer.Ordinal).Select(g => new Ec2IpPermission(
            g.Key.Protocol, g.Key.From, g.Key.To, [.. g.Select(r => r.Network).Where(n => !Is6(n))], [.. g.Select(r => r.Network).Where(Is6)])),
    ];

    private static bool Is6(string network) => network.Contains(':', StringComparison.Ordinal);

    private sealed record Rule(string Protocol, int From, int To, string Network)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Protocol} {From}-{To} {Network}");
    }
}
