using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Bastion.Host;
using Common;
using Common.Logins;

namespace Bastion.Audit;

/// <summary>The rest of the host: what listens, the firewall, the hook, logs, clock, updates, secrets.</summary>
[PureCore]
internal static class HostChecks
{
    private const int WritableByOthers = 0b010_010;
    private const int ForOthers = 0b111_111;
    private static readonly TimeSpan LongestSinceUpgrade = TimeSpan.FromDays(7);

    public static ImmutableArray<AuditCheck> All { get; } =
    [
        new("NET-001", CheckSeverity.Critical, "nothing but sshd on its ports can be reached from outside", "stop and disable what else listens: ss -ltnp", Listeners),
        new("NET-003", CheckSeverity.High, "a site's ports listen on 127.0.0.1 only", "end the process that listens there: ss -ltnp", SitePorts),
        new("NET-004", CheckSeverity.High, "the host's firewall drops what is not allowed, IPv4 and IPv6, and people's forwards stay on this host", "bastion install; nft list table inet bastion", Drops),
        new("ALT-001", CheckSeverity.Critical, "the login hook is there, optional, before any pam_env, root's alone", "bastion install; apt-get install --reinstall bastion", Hook),
        new("ALT-002", CheckSeverity.Critical, "nothing of a user's is read into the hook's environment", "put the hook before pam_env: bastion install", UserEnvironment),
        new("ALT-004", CheckSeverity.High, "su, sudo and the console tell too; no other door is open", "bastion install; remove amazon-ssm-agent", OtherDoors),
        new("ALT-006", CheckSeverity.High, "no alert waits for delivery", "bastion agent's log says why: journalctl -u bastion-agent", Outbox),
        new("LOG-001", CheckSeverity.High, "logs leave over TLS to a proven receiver, by a queue on disk, and arrive", "set logs in /etc/bastion/host.yaml, then bastion install", Forwarding),
        new("LOG-002", CheckSeverity.Medium, "the journal is kept over a stop and bounded; sshd logs keys", "bastion install", Journal),
        new("LOG-003", CheckSeverity.Medium, "the log's queue is bounded, saved and never gives up", "bastion install", Queue),
        new("TIM-001", CheckSeverity.High, "the clock is synchronised", "timedatectl set-ntp true; timedatectl timesync-status", Clock),
        new("UPD-001", CheckSeverity.High, "security updates come by themselves, never with a reboot, and have come", "apt-get install unattended-upgrades; bastion install; reboot when nobody needs it", Updates),
        new("UPD-002", CheckSeverity.High, "OpenSSH and PAM have no known hole", "apt-get update && apt-get install --only-upgrade openssh-server libpam-modules", Packages),
        new("SEC-001", CheckSeverity.Critical, "secrets can be read by root alone", "chmod 600 the file, and make the secret anew", Secrets),
        new("HKP-001", CheckSeverity.Critical, "the host key that is pinned is the only one offered, and outlives the boot", "bastion install; set ssh_deletekeys: false for cloud-init", Pinned),
    ];

    private static Verdict Listeners(AuditFacts facts) => facts.Listening is not { } sockets
        ? Verdict.CannotEvaluate("/proc/net/tcp cannot be read")
        : Verdict.Of(
            sockets.Where(s => !s.IsLoopback && !(facts.Settings.Ports.Contains(s.At.Port) && s.Program == "sshd")).Select(s => $"{s.Program ?? "somebody"} on {s.At}")
                .Concat(facts.Settings.Ports.Where(p => sockets.All(s => s.At.Port != p)).Select(p => $"sshd does not listen on {p}")),
            string.Create(CultureInfo.InvariantCulture, $"{sockets.Count} listening sockets"));

    private static Verdict SitePorts(AuditFacts facts)
    {
        if (facts.Listening is not { } sockets)
        {
            return Verdict.CannotEvaluate("/proc/net/tcp cannot be read");
        }

        var ports = facts.Settings.Sites.SelectMany(s => s.Ports).ToHashSet();
        var bound = sockets.Where(s => ports.Contains(s.At.Port)).ToList();
        return facts.Settings.Sites.IsEmpty
            ? Verdict.NotApplicable("no site has an account here")
            : Verdict.Of(
                bound.Where(s => !s.At.Address.Equals(IPAddress.Loopback) || s.Program is not ("sshd" or "sshd-session" or null)).Select(s => $"{s.Program ?? "somebody"} on {s.At}"),
                string.Create(CultureInfo.InvariantCulture, $"{bound.Count} of the sites' ports listen"));
    }

    private static Verdict Drops(AuditFacts facts)
    {
        if (facts.Firewall is not { } ruleset)
        {
            return Verdict.CannotEvaluate("nft list ruleset failed: root, and package nftables, are needed");
        }

        var table = Table(ruleset);
        string[] wanted =
        [
            "hook input priority filter; policy drop;", "hook forward priority filter; policy drop;",
            $"tcp dport {{ {string.Join(", ", facts.Settings.Ports.Order())} }} accept", "nd-neighbor-solicit", "169.254.169.254",
        ];
        return Verdict.Of(
            wanted.Where(w => !table.Contains(w, StringComparison.Ordinal)).Select(w => $"not in force: {w}")
                .Concat(table.Contains("meta skgid", StringComparison.Ordinal) && table.Contains("reject", StringComparison.Ordinal) ? [] : ["people's forwards may leave this host"])
                .Concat(facts.Text(Firewall.Main)?.Contains(Firewall.Include, StringComparison.Ordinal) == true ? [] : [$"{Firewall.Main} does not load it at the next start"])
                .Concat(facts.FirewallAtBoot ? [] : ["nftables.service is off: there is none after the next start"]),
            "table inet bastion is in force");
    }

    /// <summary>Our table alone: "policy drop" of another one drops nothing for us.</summary>
    private static string Table(string ruleset)
    {
        var start = ruleset.IndexOf($"table {Firewall.Table} {{", StringComparison.Ordinal);
        var end = start < 0 ? -1 : ruleset.IndexOf("\n}", start, StringComparison.Ordinal);
        return start < 0 ? "" : end < 0 ? ruleset[start..] : ruleset[start..end];
    }

    private static Verdict Hook(AuditFacts facts)
    {
        var offences = new List<string>();
        foreach (var path in (string[])["/usr", "/usr/lib", "/usr/lib/bastion", PamLines.Hook])
        {
            if (facts.Files.GetValueOrDefault(path) is not { } file)
            {
                offences.Add($"{path} is not there");
            }
            else if (file.Owner != "root" || (file.Mode & WritableByOthers) != 0 || (path == PamLines.Hook && (file.Mode & 0b001_000_000) == 0))
            {
                offences.Add($"{path} is {file.Owner}'s, mode {Convert.ToString(file.Mode, 8)}");
            }
        }

        return Verdict.Of(offences.Concat(HookOffences(facts, "sshd")), "first line of /etc/pam.d/sshd");
    }

    private static IEnumerable<string> HookOffences(AuditFacts facts, string service)
    {
        var lines = Lines(facts, service);
        var hook = lines.FindIndex(l => l.Contains(PamLines.Hook, StringComparison.Ordinal));
        var environment = lines.FindIndex(l => l.Contains("pam_env", StringComparison.Ordinal));
        if (hook < 0)
        {
            yield return $"/etc/pam.d/{service} does not call it";
            yield break;
        }

        if (!lines[hook].StartsWith("session optional pam_exec.so", StringComparison.Ordinal))
        {
            yield return $"/etc/pam.d/{service}: not optional: {lines[hook]}";
        }

        if (!lines[hook].Contains("type=open_session", StringComparison.Ordinal))
        {
            yield return $"/etc/pam.d/{service}: it runs at close too, when pam_env has read what the user wants";
        }

        if (environment >= 0 && environment < hook)
        {
            yield return $"/etc/pam.d/{service}: pam_env comes before it";
        }
        else if (lines.Take(hook).FirstOrDefault(PamHook.IsSession) is { } before)
        {
            yield return $"/etc/pam.d/{service}: it is not the first of the session: {before}";
        }
    }

    private static Verdict UserEnvironment(AuditFacts facts)
    {
        var lines = Lines(facts, "sshd");
        var reads = lines.FindIndex(l => l.Contains("pam_env", StringComparison.Ordinal) && l.Contains("user_readenv=1", StringComparison.Ordinal));
        var hook = lines.FindIndex(l => l.Contains(PamLines.Hook, StringComparison.Ordinal));
        return lines.Count == 0 ? Verdict.CannotEvaluate("/etc/pam.d/sshd is not there")
            : reads >= 0 && (hook < 0 || reads < hook) ? Verdict.Fail("/etc/pam.d/sshd: user_readenv=1 before the hook: a user's LD_PRELOAD would run as root")
            : Verdict.Pass(reads < 0 ? "no user_readenv" : "the hook has run before user_readenv");
    }

    private static Verdict OtherDoors(AuditFacts facts) => Verdict.Of(
        PamHook.Services.Where(s => s != "sshd" && facts.Text(HostPlan.Pam(s)) is not null).SelectMany(s => HookOffences(facts, s))
            .Concat(facts.SsmAgent == true ? ["amazon-ssm-agent runs: its shells pass no PAM of sshd's, and tell nobody"] : []),
        "every program with a PAM file of its own");

    private static List<string> Lines(AuditFacts facts, string service) =>
        [.. (facts.Text(HostPlan.Pam(service)) ?? "").Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && !l.StartsWith('#'))];

    private static Verdict Outbox(AuditFacts facts) => facts.Pending switch
    {
        null => Verdict.CannotEvaluate("the agent does not answer on its port"),
        0 => Verdict.Pass("nothing waits"),
        { } waiting => Verdict.Fail(string.Create(CultureInfo.InvariantCulture, $"{waiting} wait")),
    };

    private static Verdict Forwarding(AuditFacts facts)
    {
        if (facts.Settings.Logs is not { } logs)
        {
            return Verdict.Fail("logs go nowhere: what an attacker deletes here is gone");
        }

        var good = facts.Text(HostFiles.Forwarding) == HostFiles.ForwardingText(logs);
        return !good ? Verdict.Fail($"{HostFiles.Forwarding} is not what the settings say")
            : facts.Canary switch
            {
                true => Verdict.Pass($"the canary was seen at {logs.Host}"),
                false => Verdict.Fail($"the canary was not seen at {logs.Host}"),
                null => Verdict.CannotEvaluate("nobody asks the far end: set logs.canary to a command that prints its newest lines"),
            };
    }

    private static Verdict Journal(AuditFacts facts)
    {
        var text = facts.Text(HostFiles.Journal) ?? "";
        var quiet = facts.Sshd?.FirstOrDefault(s => s["loglevel"] is not ("VERBOSE" or "DEBUG" or "DEBUG1" or "DEBUG2" or "DEBUG3"));
        return facts.Sshd is null ? Verdict.CannotEvaluate(facts.SshdProblem ?? "sshd did not answer") : Verdict.Of(
            ((string[])["Storage=persistent", "SystemMaxUse="]).Where(w => !text.Split('\n').Any(l => l.StartsWith(w, StringComparison.Ordinal))).Select(w => $"{HostFiles.Journal} has no {w}")
                .Concat(quiet is null ? [] : [$"{quiet.Who}: loglevel {quiet["loglevel"]}"]),
            "kept, bounded, with keys");
    }

    private static Verdict Queue(AuditFacts facts)
    {
        if (facts.Settings.Logs is null)
        {
            return Verdict.NotApplicable("logs are not forwarded: see LOG-001");
        }

        var text = facts.Text(HostFiles.Forwarding) ?? "";
        string[] wanted = ["queue.filename=\"", "queue.maxDiskSpace=\"", "queue.saveOnShutdown=\"on\"", "action.resumeRetryCount=\"-1\""];
        return Verdict.Of(wanted.Where(w => !text.Contains(w, StringComparison.Ordinal)).Select(w => $"no {w}"), "on disk, bounded, saved");
    }

    private static Verdict Clock(AuditFacts facts) => facts.Synchronised switch
    {
        null => Verdict.CannotEvaluate("timedatectl does not say"),
        true => Verdict.Pass("the kernel's clock is synchronised"),
        false => Verdict.Fail("the kernel's clock is not synchronised"),
    };

    private static Verdict Updates(AuditFacts facts)
    {
        if (facts.AptConfiguration is not { } apt)
        {
            return Verdict.CannotEvaluate("apt-config does not answer");
        }

        var offences = new List<string>();
        if (!apt.Contains("APT::Periodic::Unattended-Upgrade \"1\";", StringComparison.Ordinal))
        {
            offences.Add("unattended upgrades are off");
        }

        if (!apt.Contains("Unattended-Upgrade::Automatic-Reboot \"false\";", StringComparison.Ordinal))
        {
            offences.Add("it may reboot by itself, in an outage too");
        }

        if (!((string[])["Unattended-Upgrade::Origins-Pattern::", "Unattended-Upgrade::Allowed-Origins::"]).Any(k => apt.Split('\n').Any(l => l.StartsWith(k, StringComparison.Ordinal) && l.Contains("ecurity", StringComparison.Ordinal))))
        {
            offences.Add("no security origin: package unattended-upgrades is missing?");
        }

        if (facts.RebootPending)
        {
            offences.Add("a reboot is needed for what was upgraded");
        }

        // Time that the machine was off does not count: then nobody could reach it either, and the gate lets updates in soon after a start.
        if (facts.Uptime > LongestSinceUpgrade && (facts.SinceUpgrade is not { } since || since > LongestSinceUpgrade))
        {
            offences.Add("no upgrade has succeeded for a week of running");
        }

        return Verdict.Of(offences, "on, security only, no reboot by itself");
    }

    private static Verdict Packages(AuditFacts facts) => facts.Packages.IsEmpty
        ? Verdict.CannotEvaluate("dpkg does not answer, or this release is not in our list")
        : Verdict.Of(
            facts.Packages.Where(p => p.IsOlder).Select(p => $"{p.Name} {p.Installed}, mended in {p.Fixed}"),
            string.Join(", ", facts.Packages.Select(p => $"{p.Name} {p.Installed}")));

    private static Verdict Secrets(AuditFacts facts) => Verdict.Of(
        facts.Files.Where(f => f.Key.StartsWith("/etc/bastion/secrets", StringComparison.Ordinal)
            && ((f.Value.Mode & ForOthers) != 0 || f.Value.Owner != "root")).Select(f => $"{f.Key} is {f.Value.Owner}'s, mode {Convert.ToString(f.Value.Mode, 8)}")
            .Concat(facts.Files.Where(f => f.Key is "/etc/bastion/agent.json" && f.Value.Text?.Contains("\"secret\"", StringComparison.Ordinal) == true).Select(f => $"{f.Key} holds a secret itself")),
        "in files of root's alone");

    private static Verdict Pinned(AuditFacts facts)
    {
        if (facts.Sshd is not { IsEmpty: false } cases)
        {
            return Verdict.CannotEvaluate(facts.SshdProblem ?? "sshd did not answer");
        }

        var regenerates = facts.Text("/etc/cloud/cloud.cfg") is { } cloud && !cloud.Contains("ssh_deletekeys: false", StringComparison.Ordinal)
            && !facts.Files.Any(f => f.Key.StartsWith("/etc/cloud/cloud.cfg.d/", StringComparison.Ordinal) && f.Value.Text?.Contains("ssh_deletekeys: false", StringComparison.Ordinal) == true);
        return Verdict.Of(
            cases.SelectMany(s => s.All("hostkey")).Distinct().Where(k => k != SshdDropIn.HostKey).Select(k => $"{k} is offered too")
                .Concat(facts.Files.ContainsKey(SshdDropIn.HostKey) ? [] : [$"{SshdDropIn.HostKey} is not there"])
                .Concat(regenerates ? ["cloud-init makes new host keys for a new instance: ssh_deletekeys is not false"] : []),
            SshdDropIn.HostKey);
    }
}
