using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using Common;
using Common.Configuration;

namespace Bastion.Host;

/// <summary><c>/etc/bastion/host.yaml</c> to settings and back. Goes on after a mistake, so that all of them are told at once.</summary>
[PureCore]
internal static class HostSettingsReader
{
    /// <summary>A network of more addresses than this is no home of anybody's: a carrier's customers would all be exempt.</summary>
    private const int WidestExempt4 = 28;
    private const int WidestExempt6 = 56;
    private const int LowestBlock = 1024;
    private const int LongestReason = 200;

    public static HostSettings Read(ConfigurationNode.Map map, ConfigurationErrors errors)
    {
        var root = new ConfigurationSection("", map, errors);
        var settings = new HostSettings(
            root.List("ports", NetworkValues.Port, HostSettings.DefaultPorts),
            [.. root.Section("sites").Entries.Select(e => Site(root.Section("sites"), e)).OfType<SiteAccess>()],
            root.List("exempt", Exempt, []),
            root.Get("agent_port", NetworkValues.Port, HostSettings.Default.AgentPort),
            root.Has("logs") ? Logs(root.Section("logs")) : null,
            [.. root.Section("exceptions").Entries.Select(e => Exception(root.Section("exceptions").Below(e), e.Key)).OfType<AuditException>()]);
        root.Close();
        foreach (var problem in Problems(settings))
        {
            root.Fail(problem.Key, problem.Value, problem.Reason);
        }

        return settings;
    }

    /// <summary>The same for settings that came by the command line.</summary>
    public static IEnumerable<(string Key, string Value, string Reason)> Problems(HostSettings settings)
    {
        foreach (var twice in settings.Ports.GroupBy(p => p).Where(g => g.Count() > 1))
        {
            yield return ("ports", Number(twice.Key), "is named twice");
        }

        foreach (var site in settings.Sites)
        {
            if (settings.Sites.FirstOrDefault(s => s != site && s.Overlaps(site)) is { } other)
            {
                yield return ("sites", site.Label, $"its {SiteAccess.BlockSize} ports from {site.FirstPort} overlap those of {other.Label}: one could take the other's");
            }

            if (settings.Sites.Any(s => Accounts.Site(s.Label) == Accounts.SiteBulk(site.Label)))
            {
                yield return ("sites", site.Label, $"and {site.Label}-bulk would share the account {Accounts.SiteBulk(site.Label)}: call one of them something else");
            }

            if (site.Ports.Any(p => settings.Ports.Contains(p) || p == settings.AgentPort))
            {
                yield return ("sites", site.Label, "its block holds a port of sshd's or the agent's");
            }
        }
    }

    /// <summary><c>LABEL:FIRST</c>, as the command line has it.</summary>
    public static Reading<SiteAccess> Site(string text)
    {
        var parts = text.Split(':');
        return parts.Length == 2 && PersonalValues.Site(parts[0]).Problem is null && FirstPort(parts[1]) is { Problem: null } first
            ? new SiteAccess(parts[0], first.Value)
            : Reading.Bad($"must be LABEL:PORT, the first of its {SiteAccess.BlockSize} loopback ports, such as home:22001");
    }

    public static string Write(HostSettings settings)
    {
        var text = new StringBuilder("# What this host is to be. In force by: bastion install\n");
        text.Append(CultureInfo.InvariantCulture, $"ports: [{string.Join(", ", settings.Ports)}]\nagent_port: {settings.AgentPort}\n");
        Section(text, "sites", settings.Sites.Select(s => $"{s.Label}: {Number(s.FirstPort)}"));
        if (!settings.Exempt.IsEmpty)
        {
            text.Append(CultureInfo.InvariantCulture, $"exempt: [{string.Join(", ", settings.Exempt.Select(n => $"\"{n}\""))}]\n");
        }

        if (settings.Logs is { } logs)
        {
            Section(text, "logs", [$"to: \"{logs.Host}:{Number(logs.Port)}\"", $"peer: \"{logs.Peer}\"", $"ca: \"{logs.CaFile}\"",
                .. logs.CanaryCommand.IsEmpty ? [] : new[] { $"canary: [{string.Join(", ", logs.CanaryCommand.Select(w => $"\"{w}\""))}]" }]);
        }

        Section(text, "exceptions", settings.Exceptions.Select(e => $"{e.Check}: {{reason: \"{e.Reason}\", until: {e.Expires:yyyy-MM-dd}}}"));
        return text.ToString();
    }

    private static SiteAccess? Site(ConfigurationSection sites, ConfigurationNode.Entry entry)
    {
        if (PersonalValues.Site(entry.Key).Problem is { } problem)
        {
            sites.Fail(entry.Key, entry.Key, problem);
            return null;
        }

        return sites.Scalar(entry, FirstPort) is { Problem: null } port ? new SiteAccess(entry.Key, port.Value) : null;
    }

    private static Reading<int> FirstPort(string text) => Quantities.WholeBetween(LowestBlock, 65_536 - SiteAccess.BlockSize)(text);

    private static Reading<IPNetwork> Exempt(string text) =>
        !IPNetwork.TryParse(text.Contains('/') ? text : $"{text}/{(text.Contains(':') ? 128 : 32)}", out var network) ? Reading.Bad("must be an address or a network, such as 203.0.113.7 or 2001:db8::/56")
        : network.PrefixLength < (network.BaseAddress.GetAddressBytes().Length == 4 ? WidestExempt4 : WidestExempt6)
            ? Reading.Bad($"is too wide: at most a /{WidestExempt4} of IPv4 or a /{WidestExempt6} of IPv6, the home's own")
        : CarrierGrade.Contains(network.BaseAddress) ? Reading.Bad("is a carrier's shared address: strangers behind it would be exempt")
        : network;

    private static readonly IPNetwork CarrierGrade = IPNetwork.Parse("100.64.0.0/10");

    private static LogTarget? Logs(ConfigurationSection section)
    {
        var to = section.Need("to", NetworkValues.HostAndPort, "where the log goes, HOST:PORT");
        var peer = section.Optional("peer", Word);
        var ca = section.Need("ca", FullPath, "the root that the receiver's certificate must chain to, a PEM file");
        var canary = section.List("canary", Word, []);
        section.Close();
        return to.Host is null || ca is null ? null : new LogTarget(to.Host, to.Port, peer ?? to.Host, ca, canary);
    }

    private static AuditException? Exception(ConfigurationSection section, string check)
    {
        var reason = section.Need("reason", Plain, "why it may fail");
        var until = section.Need("until", Day, "the last day on which it may, such as 2027-03-31");
        section.Close();
        return reason is null || until == default ? null : new AuditException(check, reason, until);
    }

    private static Reading<DateOnly> Day(string text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : Reading.Bad("must be a day such as 2027-03-31");

    private static Reading<string> Word(string text) =>
        text.Length is > 0 and <= 256 && text.All(c => c is > ' ' and <= '~' and not ('"' or '\\')) ? text : Reading.Bad("must be one plain word");

    private static Reading<string> FullPath(string text) => text.StartsWith('/') ? Word(text) : Reading.Bad("must be an absolute path");

    private static Reading<string> Plain(string text) =>
        text.Length is > 0 and <= LongestReason && text.All(c => c is >= ' ' and <= '~' and not ('"' or '\\')) ? text : Reading.Bad("must be plain text of one line");

    private static void Section(StringBuilder text, string name, IEnumerable<string> lines)
    {
        var all = lines.ToList();
        if (all.Count > 0)
        {
            text.Append(name).Append(":\n").AppendJoin("", all.Select(l => $"  {l}\n"));
        }
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
