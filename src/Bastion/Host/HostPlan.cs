using System.Collections.Immutable;
using System.Globalization;
using Bastion.People;
using Common;
using Common.Logins;

namespace Bastion.Host;

/// <param name="Maintenance">Null: not given.</param>
/// <param name="Sites">By label.</param>
internal sealed record NewKeys(string? Maintenance, ImmutableDictionary<string, string> Sites);

/// <summary>What is to be changed so that the host is as its settings say. Nothing to change: an empty plan.</summary>
[PureCore]
internal static class HostPlan
{
    public const string SshdConfig = "/etc/ssh/sshd_config";
    public const string Settings = "/etc/bastion/host.yaml";
    public const string MaintenanceKeys = Accounts.HostKeys + "/" + Accounts.Maintenance;
    public const string MaintenanceHome = "/home/" + Accounts.Maintenance;
    public const string AgentSettings = "/etc/bastion/agent.json";
    private const string OurAgentSettings = "# Made by bastion install";
    private const string Agent = "bastion-agent.service";
    private const string Reach = "bastion-reach.service";
    public const string BundleSocket = "bastion-bundle.socket";

    /// <summary>What of the host's services was otherwise before, for the way back: a service and its state a line.</summary>
    public const string Was = "/etc/bastion/was";

    /// <summary>There: the package made the groups, the agent's account and folders, and will remove them.</summary>
    private const string Package = "/usr/lib/sysusers.d/bastion.conf";
    private const string FirewallWasOff = "nftables.service disabled";
    private const string SocketWasOn = "ssh.socket enabled";

    public const string Tmpfiles = "/usr/lib/tmpfiles.d/bastion-host.conf";
    private const string IncludeDropIns = "Include /etc/ssh/sshd_config.d/*.conf";
    private const string OurInclude = IncludeDropIns + " # bastion";
    private const int Plain = 0b110_100_100;
    private const int Private = 0b110_000_000;
    private const int ReadOnly = 0b100_100_000;

    private static readonly ImmutableArray<Change.MakeDirectory> Folders =
    [
        new("/etc/bastion", 0b111_101_101, "root", "root"),
        new(Accounts.HostKeys, 0b111_101_101, "root", "root"),
        new("/etc/bastion/secrets", 0b111_000_000, "root", "root"),
        new(Accounts.PeopleKeys, 0b111_101_101, "root", "root"),
        new(BundleFolder.Default, 0b010_111_101_000, "root", Accounts.Agent),
        new(BundleFolder.Numbers, 0b111_000_000, "root", "root"),
        new(MaintenanceHome, 0b111_000_000, Accounts.Maintenance, Accounts.MaintenanceGroup),
        new("/var/lib/bastion", 0b111_000_000, Accounts.Agent, Accounts.Agent),
        new("/var/spool/bastion", 0b111_101_000, "root", Accounts.Agent),
        new("/var/spool/bastion/tmp", 0b010_111_111_000, "root", Accounts.Agent),
        new("/var/spool/bastion/new", 0b010_111_111_000, "root", Accounts.Agent),
        new("/var/spool/bastion/dead", 0b010_111_111_000, "root", Accounts.Agent),
    ];

    private static readonly ImmutableArray<string> OwnGroups =
        [Accounts.Agent, Accounts.PersonGroup, Accounts.SiteGroup, Accounts.SyncGroup, Accounts.MaintenanceGroup];

    /// <summary>Every path that a plan looks at.</summary>
    public static ImmutableArray<string> Paths =>
    [
        .. Folders.Select(f => f.Path), "/etc/apt", "/etc/sudoers.d", "/var/backups/bastion", "/usr/lib/bastion/hook", SshdDropIn.HostKey,
        SshdConfig, SshdDropIn.Path, Was, Package, Watch.ConfigurationBaseline.DefaultPath, Firewall.Path, Firewall.Main, Settings, AgentSettings, MaintenanceKeys, Accounts.RevokedKeys,
        Tmpfiles,
        HostFiles.Updates, HostFiles.UpdatesGate, HostFiles.DownloadTimer, HostFiles.UpdatesTimer, HostFiles.Journal, HostFiles.Forwarding, HostFiles.Sudo,
        .. PamHook.Services.Select(Pam),
    ];

    /// <param name="settingsText">For <see cref="Settings"/>.</param>
    /// <param name="keys">Texts of public keys to put in force; those that are not named stay as they are.</param>
    public static ImmutableArray<Change> Install(HostFacts facts, HostSettings settings, string settingsText, NewKeys keys)
    {
        var files = Files(facts, settings, settingsText, keys)
            .Where(f => f.After != f.Before || (f.After is not null && facts.Files[f.Path].Mode != f.Mode)).ToImmutableArray();
        return
        [
            .. OwnGroups.Where(g => !facts.Groups.Contains(g)).Select(g => new Change.MakeGroup(g)),
            .. Users(settings).Where(u => !facts.Users.ContainsKey(u.Name)),
            .. Folders.Where(f => facts.Files.GetValueOrDefault(f.Path) is not { } there || (there.Mode, there.Owner, there.Group) != (f.Mode, f.Owner, f.Group))
                .Select(f => f with { Existed = facts.Files.ContainsKey(f.Path) }),
            .. files,
            .. facts.Live ? Runs(facts, files) : [],
        ];
    }

    /// <summary>Takes out what <see cref="Install"/> puts in, and nothing else.</summary>
    public static ImmutableArray<Change> Uninstall(HostFacts facts)
    {
        IEnumerable<(string Path, string? After)> files =
        [
            .. OwnFiles.Select(p => (p, (string?)null)),
            .. IsAgentOurs(facts) ? [(AgentSettings, (string?)null)] : ImmutableArray<(string, string?)>.Empty,
            (SshdConfig, facts.Text(SshdConfig)?.Replace(OurInclude + "\n", "", StringComparison.Ordinal)),
            (Firewall.Main, Firewall.WithoutInclude(facts.Text(Firewall.Main))),
            .. PamHook.Services.Select(Pam).Select(p => (p, facts.Text(p) is { } text ? PamLines.Remove(text) : null)),
        ];
        var puts = files.Where(f => facts.Text(f.Path) is { } text && text != f.After)
            .Select(f => new Change.PutFile(f.Path, facts.Text(f.Path), f.After, facts.Files[f.Path].Mode)).ToImmutableArray();
        var ours = facts.Files.ContainsKey(Package) ? OwnGroups.Remove(Accounts.Agent) : OwnGroups;
        return
        [
            .. puts,
            .. facts.Live ? WayBack(facts) : [],
            .. facts.Live && facts.FirewallLoaded ? [new Change.Run(["nft", "delete", "table", "inet", "bastion"], [])] : ImmutableArray<Change>.Empty,
            .. facts.BundleSocket is not null && IsAgentOurs(facts) ? [new Change.Run(["systemctl", "--no-block", "stop", Agent], ["systemctl", "--no-block", "start", Agent])] : ImmutableArray<Change>.Empty,
            .. facts.BundleSocket is not null && facts.Text(Firewall.Path) is not null
                ? [new Change.Run(["systemctl", "stop", Reach], ["systemctl", "--no-block", "start", Reach])] : ImmutableArray<Change>.Empty,
            .. facts.BundleSocket == true ? [new Change.Run(["systemctl", "stop", BundleSocket], ["systemctl", "start", BundleSocket])] : ImmutableArray<Change>.Empty,
            .. facts.Live && facts.Systemd && puts.Any(IsForSystemd) ? [new Change.Run(["systemctl", "daemon-reload"], [])] : ImmutableArray<Change>.Empty,
            .. facts.Users.Where(u => ours.Contains(u.Value)).OrderBy(u => u.Key, StringComparer.Ordinal).Select(u => new Change.RemoveUser(u.Key)),
            .. facts.Files.ContainsKey(Package) ? [] : OwnGroups.Where(facts.Groups.Contains).Select(g => new Change.RemoveGroup(g)),
            .. ((string[])[Accounts.HostKeys, Accounts.PeopleKeys, BundleFolder.Default, BundleFolder.Numbers, MaintenanceHome, .. facts.Files.ContainsKey(Package) ? (string[])[] : ["/etc/bastion", "/var/lib/bastion", "/var/spool/bastion"]]).Where(facts.Files.ContainsKey)
                .Select(p => new Change.RemoveDirectory(p)),
        ];
    }

    public static ImmutableArray<Change.MakeUser> Users(HostSettings settings) =>
    [
        new(Accounts.Agent, Accounts.Agent, "/nonexistent", "/usr/sbin/nologin"),
        new(Accounts.Maintenance, Accounts.MaintenanceGroup, MaintenanceHome, "/bin/bash"),
        new(Accounts.Sync, Accounts.SyncGroup, "/nonexistent", "/bin/sh"),
        .. settings.Sites.SelectMany(s => new[] { Accounts.Site(s.Label), Accounts.SiteBulk(s.Label) })
            .Select(name => new Change.MakeUser(name, Accounts.SiteGroup, "/nonexistent", "/usr/sbin/nologin")),
    ];

    public static string Pam(string service) => $"/etc/pam.d/{service}";

    private static IEnumerable<string> OwnFiles =>
    [
        SshdDropIn.Path, Tmpfiles, HostFiles.Updates, HostFiles.UpdatesGate, HostFiles.DownloadTimer, HostFiles.UpdatesTimer, HostFiles.Journal,
        HostFiles.Forwarding, HostFiles.Sudo, Settings, Firewall.Path, Accounts.RevokedKeys, Watch.ConfigurationBaseline.DefaultPath, Was,
    ];

    private static IEnumerable<Change.Run> WayBack(HostFacts facts)
    {
        var was = facts.Text(Was)?.Split('\n') ?? [];
        if (was.Contains(FirewallWasOff))
        {
            yield return new Change.Run(["systemctl", "disable", "nftables.service"], ["systemctl", "enable", "nftables.service"]);
        }

        if (was.Contains(SocketWasOn))
        {
            yield return new Change.Run(["systemctl", "disable", "--now", "ssh.service"], ["systemctl", "enable", "--now", "ssh.service"]);
            yield return new Change.Run(["systemctl", "enable", "--now", "ssh.socket"], ["systemctl", "disable", "--now", "ssh.socket"]);
        }
    }

    private static string WasText(HostFacts facts) => string.Concat(new[]
    {
        facts.Live && !facts.FirewallAtBoot ? FirewallWasOff : null, facts.SocketActivated ? SocketWasOn : null,
    }.OfType<string>().Union((facts.Text(Was) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries)).Select(l => l + "\n"));

    private static IEnumerable<Change.PutFile> Files(HostFacts facts, HostSettings settings, string settingsText, NewKeys keys)
    {
        Change.PutFile Put(string path, string? text, int mode = Plain) => new(path, facts.Text(path), text, mode);
        IEnumerable<Change.PutFile> When(bool wanted, params Change.PutFile[] puts) => wanted ? puts : [];
        return
        [
            Put(Settings, settingsText, Private),
            .. When(WasText(facts).Length > 0, Put(Was, WasText(facts))),
            .. When(facts.Text(AgentSettings) is null || IsAgentOurs(facts), Put(AgentSettings, AgentText(settings))),
            Put(Accounts.RevokedKeys, facts.Text(Accounts.RevokedKeys) ?? ""),
            .. When(keys.Maintenance is not null, Put(MaintenanceKeys, keys.Maintenance)),
            .. SiteKeys(facts, settings, keys.Sites).Select(k => Put(k.Path, k.Text)),
            Put(Tmpfiles, $"d {Accounts.PeopleKeys} 0755 root root -\nd {BundleFolder.Default} 2750 root {Accounts.Agent} -\n"),
            Put(Firewall.Path, Firewall.Write(settings)),
            Put(Firewall.Main, Firewall.WithInclude(facts.Text(Firewall.Main)), facts.Files.GetValueOrDefault(Firewall.Main)?.Mode ?? Plain),
            .. When(facts.Files.ContainsKey("/etc/apt"), Put(HostFiles.Updates, HostFiles.UpdatesText)),
            Put(HostFiles.UpdatesGate, HostFiles.UpdatesGateText),
            Put(HostFiles.DownloadTimer, HostFiles.DownloadTimerText),
            Put(HostFiles.UpdatesTimer, HostFiles.UpdatesTimerText),
            Put(HostFiles.Journal, HostFiles.JournalText),
            .. When(settings.Logs is not null || facts.Files.ContainsKey(HostFiles.Forwarding),
                Put(HostFiles.Forwarding, settings.Logs is { } logs ? HostFiles.ForwardingText(logs) : null)),
            .. When(facts.Files.ContainsKey("/etc/sudoers.d"), Put(HostFiles.Sudo, HostFiles.SudoText, ReadOnly)),
            .. PamHook.Services.Where(s => facts.Text(Pam(s)) is not null)
                .Select(s => Put(Pam(s), PamLines.Install(facts.Text(Pam(s))!, s), facts.Files[Pam(s)].Mode)),
            .. When(facts.Text(SshdConfig) is { } main && !Includes(main), Put(SshdConfig, $"{OurInclude}\n{facts.Text(SshdConfig)}")),
            Put(SshdDropIn.Path, SshdDropIn.Write(settings, facts.OpenSsh)),
        ];
    }

    private static bool IsAgentOurs(HostFacts facts) => facts.Text(AgentSettings)?.StartsWith(OurAgentSettings, StringComparison.Ordinal) == true;

    /// <summary>
    /// The agent needs nothing more: people, channels and the rest come with the sites' bundles. A file of somebody else's stays as it is. Without a
    /// secret, so that it may be read like our others.
    /// </summary>
    private static string AgentText(HostSettings settings) => string.Create(CultureInfo.InvariantCulture,
        $$"""
        {{OurAgentSettings}}; the sites say the rest. Without this line it is yours.
        {"log": "journal", "site": "{{(settings.Sites is [var only] ? only.Label : Accounts.Agent)}}", "identities": [], "agent_port": {{settings.AgentPort}}, "sshd_ports": [{{string.Join(", ", settings.Ports)}}]}

        """);

    /// <summary>A site's key is that of its tunnel, of its bulk connection, and of the account by which it pushes its people.</summary>
    private static IEnumerable<(string Path, string Text)> SiteKeys(HostFacts facts, HostSettings settings, ImmutableDictionary<string, string> given)
    {
        var all = settings.Sites.ToDictionary(s => s.Label, s => given.GetValueOrDefault(s.Label) ?? facts.Text(KeysOf(Accounts.Site(s.Label))), StringComparer.Ordinal);
        foreach (var (label, text) in all.Where(s => s.Value is not null).OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            yield return (KeysOf(Accounts.Site(label)), text!);
            yield return (KeysOf(Accounts.SiteBulk(label)), text!);
        }

        if (all.Values.OfType<string>().Any())
        {
            yield return (KeysOf(Accounts.Sync), string.Concat(all.Values.OfType<string>().SelectMany(t => BundleSigners.KeysIn(t)).Distinct().Order(StringComparer.Ordinal).Select(k => $"restrict {k}\n")));
        }
    }

    public static string KeysOf(string account) => $"{Accounts.HostKeys}/{account}";

    /// <summary>Before anything that it says itself: what comes later does not count.</summary>
    private static bool Includes(string sshdConfig) => sshdConfig.Split('\n').Select(l => l.Trim())
        .FirstOrDefault(l => l.Length > 0 && !l.StartsWith('#'))?.StartsWith(IncludeDropIns, StringComparison.OrdinalIgnoreCase) == true;

    private static IEnumerable<Change> Runs(HostFacts facts, ImmutableArray<Change.PutFile> files)
    {
        if (!facts.FirewallLoaded || files.Any(f => f.Path == Firewall.Path))
        {
            // Taken back by the file that is put back, or where there was none by removing the table.
            yield return new Change.Run(
                ["nft", "-f", Firewall.Path],
                facts is { FirewallLoaded: true } && facts.Text(Firewall.Path) is not null ? ["nft", "-f", Firewall.Path] : ["nft", "delete", "table", "inet", "bastion"]);
        }

        if (!facts.Systemd)
        {
            yield break;
        }

        if (files.Any(IsForSystemd))
        {
            yield return new Change.Run(["systemctl", "daemon-reload"], ["systemctl", "daemon-reload"]);
            yield return new Change.Run(["systemctl", "try-restart", "apt-daily.timer", "apt-daily-upgrade.timer"], []);
        }

        if (!facts.FirewallAtBoot)
        {
            yield return new Change.Run(["systemctl", "enable", "nftables.service"], ["systemctl", "disable", "nftables.service"]);
        }

        if (files.Any(f => f.Path == HostFiles.Journal))
        {
            yield return new Change.Run(["systemctl", "restart", "systemd-journald.service"], ["systemctl", "restart", "systemd-journald.service"]);
        }

        if (files.Any(f => f.Path == HostFiles.Forwarding))
        {
            yield return new Change.Run(["systemctl", "restart", "rsyslog.service"], ["systemctl", "restart", "rsyslog.service"]);
        }

        if (facts.BundleSocket is not null && files.Any(f => f.Path == AgentSettings))
        {
            yield return new Change.Run(["systemctl", "--no-block", "restart", Agent], ["systemctl", "--no-block", "try-restart", Agent]);
        }

        if (facts.BundleSocket is not null && files.Any(f => f.Path == Firewall.Path))
        {
            yield return new Change.Run(["systemctl", "--no-block", "start", Reach], facts.Text(Firewall.Path) is null ? ["systemctl", "--no-block", "stop", Reach] : []);
        }

        if (facts.BundleSocket == false)
        {
            yield return new Change.Run(["systemctl", "start", BundleSocket], ["systemctl", "stop", BundleSocket]);
        }

        if (facts.SocketActivated)
        {
            // The socket's ports are not those of sshd's configuration: sshd listens itself, as on Debian.
            yield return new Change.Run(["systemctl", "disable", "--now", "ssh.socket"], ["systemctl", "enable", "--now", "ssh.socket"]);
            yield return new Change.Run(["systemctl", "enable", "ssh.service"], ["systemctl", "disable", "ssh.service"]);
            yield return new Change.Run(["systemctl", "restart", "ssh.service"], ["systemctl", "stop", "ssh.service"]);   // it may run on the socket's ports
        }
    }

    private static bool IsForSystemd(Change.PutFile file) => file.Path.StartsWith("/etc/systemd/system/", StringComparison.Ordinal);
}
