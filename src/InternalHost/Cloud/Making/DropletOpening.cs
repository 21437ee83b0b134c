using System.Collections.Immutable;
using System.Globalization;
using Common;
using InternalHost.Cloud.DigitalOcean;

namespace InternalHost.Cloud.Making;

/// <summary>The cloud firewall of a site: in only the bastion's ports, out everything; for whatever Droplet bears the site's tag.</summary>
[PureCore]
internal static class DropletOpening
{
    private static readonly FirewallPeers Everywhere = new(["0.0.0.0/0", "::/0"]);

    /// <summary>By its word in the API.</summary>
    private const string AllPorts = "0";

    public static CloudFirewall Wanted(string name, string tag, ImmutableArray<int> ports) => new(
        null,
        name,
        [.. ports.Select(p => new FirewallRule("tcp", p.ToString(CultureInfo.InvariantCulture), Everywhere, null))],
        [.. ((string[])["tcp", "udp", "icmp"]).Select(protocol => new FirewallRule(protocol, AllPorts, null, Everywhere))],
        [tag]);

    public static bool IsRight(CloudFirewall found, CloudFirewall wanted) =>
        Texts(found.InboundRules, r => r.Sources).SetEquals(Texts(wanted.InboundRules, r => r.Sources))
        && Texts(found.OutboundRules, r => r.Destinations).SetEquals(Texts(wanted.OutboundRules, r => r.Destinations))
        && found.Tags?.Contains(wanted.Tags![0]) == true;

    private static ImmutableHashSet<string> Texts(IReadOnlyList<FirewallRule>? rules, Func<FirewallRule, FirewallPeers?> peers) =>
        [.. (rules ?? []).SelectMany(r => (peers(r)?.Addresses ?? ["nobody"]).Select(a => $"{r.Protocol} {(r.Ports is "all" ? AllPorts : r.Ports)} {a}"))];
}
