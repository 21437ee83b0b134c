using System.Collections.Immutable;
using System.Net;
using Bastion.Audit;
using Bastion.Host;
using Common.Logins;
using Testing;

namespace Integration.Tests.Host;

/// <summary>Every check passes on a good host and fails on one mutation of it; sshd's part on what the real sshd prints.</summary>
public sealed class AuditTests : IAsyncLifetime
{
    private const Need Needed = Need.Root | Need.Sshd | Need.Ssh | Need.NetworkNamespaces;
    private const string OtherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Wq5wkuyWcQeHdGAsk8TIXfmTpTQqJcDNfXv3Jm1sR";

    private static readonly HostSettings Settings = HostSettings.Default with
    {
        Sites = [new SiteAccess("home", 22001)],
        Logs = new LogTarget("logs.example", 6514, "logs.example", "/etc/bastion/logs-ca.pem", []),
    };

    private static readonly (string Account, AccountRole Role)[] Subjects =
        [("alice", AccountRole.Person), ("site-home", AccountRole.Site), ("bastion-sync", AccountRole.Sync), ("maintenance", AccountRole.Maintenance), ("nobody", AccountRole.Stranger)];

    /// <summary>Check, a sed expression for the drop-in: what an attacker, a typo or a later hand would leave.</summary>
    private static readonly (string Check, string Sed)[] OnSshd =
    [
        ("SSH-001", "s/^PasswordAuthentication no/PasswordAuthentication yes/"),
        ("SSH-002", "s/^PermitRootLogin no/PermitRootLogin prohibit-password/"),
        ("SSH-003", "s/^UsePAM yes/UsePAM no/"),
        ("SSH-004", "s/PermitListen 127.0.0.1:22001 .*/PermitListen any/"),
        ("SSH-004", "s/ 127.0.0.1:49020$/ 127.0.0.1:49020 10.0.0.1:22/"),
        ("SSH-005", "s/^\\tPermitOpen 127.0.0.1:22001 .*:22015$/\\tPermitOpen any/"),
        ("SSH-005", "s#^\\tForceCommand /usr/bin/bastion sentence##"),
        ("SSH-006", "s/^DisableForwarding yes/DisableForwarding no/"),
        ("SSH-007", "s/^AllowGroups /AllowGroups users /"),
        ("SSH-007", "s/^MaxSessions 0/MaxSessions 0\\nAllowUsers alice/"),
        ("SSH-008", "s#^AuthorizedKeysFile /etc/bastion/keys/%u#AuthorizedKeysFile .ssh/authorized_keys#"),
        ("SSH-009", "s/^KexAlgorithms .*/KexAlgorithms diffie-hellman-group14-sha256,curve25519-sha256/"),
        ("SSH-010", "s#^HostKey .*#&\\nHostKey /etc/ssh/ssh_host_rsa_key#"),
        ("SSH-011", "s/^LoginGraceTime 20/LoginGraceTime 0/"),
        ("SSH-012", "s/^MaxAuthTries 4/MaxAuthTries 20/"),
        ("SSH-014", "s/^ClientAliveInterval 15/ClientAliveInterval 0/"),
        ("SSH-015", "s/^AllowAgentForwarding no/AllowAgentForwarding yes/"),
        ("SSH-017", "s/^VersionAddendum none/VersionAddendum hello/"),
        ("LOG-002", "s/^LogLevel VERBOSE/LogLevel INFO/"),
        ("HKP-001", "s#^HostKey .*#HostKey /etc/ssh/ssh_host_rsa_key#"),
    ];

    /// <summary>Check, what is changed in the facts.</summary>
    private static readonly (string Check, Func<AuditFacts, AuditFacts> Mutate)[] OnFacts =
    [
        ("SSH-005", f => f with { Keys = f.Keys.Add(new KeyLine("alice", "/run/bastion-keys/alice", OtherKey)) }),
        ("SSH-005", f => f with { Keys = f.Keys.Add(new KeyLine("alice", "/run/bastion-keys/alice", $"restrict,port-forwarding {OtherKey}")) }),
        ("SSH-007", f => f with { GroupMembers = f.GroupMembers.SetItem(Accounts.PersonGroup, ["alice", "nobody"]) }),
        ("SSH-007", f => f with { GroupMembers = f.GroupMembers.SetItem(Accounts.MaintenanceGroup, ["maintenance", "mallory"]) }),
        ("SSH-008", f => f with { Keys = f.Keys.Add(new KeyLine("gone", "/etc/bastion/keys/gone", OtherKey)) }),
        ("SSH-008", f => f with { Keys = f.Keys.Add(new KeyLine("alice", "/run/bastion-keys/alice", "restrict ssh-dss AAAA")) }),
        ("SSH-010", f => With(f, SshdDropIn.HostKey, fact => fact with { Mode = 0b110_100_100 })),
        ("SSH-013", f => f with { OpenSsh = new OpenSshVersion(10, 0, true) }),
        ("SSH-016", f => f with { Keys = [new KeyLine("maintenance", "/etc/bastion/keys/maintenance", OtherKey)] }),
        ("SSH-018", f => With(f, SshdDropIn.Path, fact => fact with { Text = fact.Text + "# by hand\n" })),
        ("SSH-018", f => f with { Files = f.Files.Add("/etc/ssh/sshd_config.d/00-a.conf", new FileFact("", 0, "root", "root")) }),
        ("NET-001", f => f with { Listening = [.. f.Listening!, new ListeningSocket(new IPEndPoint(IPAddress.Any, 8080), "python3")] }),
        ("NET-001", f => f with { Listening = [.. f.Listening!.Where(s => s.At.Port != 443)] }),
        ("NET-003", f => f with { Listening = [.. f.Listening!, new ListeningSocket(new IPEndPoint(IPAddress.IPv6Loopback, 22001), "sshd")] }),
        ("NET-004", f => f with { Firewall = f.Firewall!.Replace("policy drop", "policy accept", StringComparison.Ordinal) }),
        ("NET-004", f => f with { Firewall = "table inet other {\n\tchain x { type filter hook input priority filter; policy drop; }\n}" }),
        ("NET-004", f => f with { FirewallAtBoot = false }),
        ("ALT-001", f => With(f, "/etc/pam.d/sshd", fact => fact with { Text = fact.Text!.Replace("session optional pam_exec", "session required pam_exec", StringComparison.Ordinal) })),
        ("ALT-001", f => With(f, PamLines.Hook, fact => fact with { Mode = 0b111_111_111 })),
        ("ALT-001", f => With(f, "/etc/pam.d/sshd", fact => fact with { Text = "session required pam_env.so\n" + fact.Text })),
        ("ALT-001", f => With(f, "/etc/pam.d/sshd", fact => fact with { Text = "@include common-session\n" + fact.Text })),
        ("ALT-002", f => With(f, "/etc/pam.d/sshd", fact => fact with { Text = "session required pam_env.so user_readenv=1\n" + fact.Text })),
        ("ALT-004", f => With(f, "/etc/pam.d/su", fact => fact with { Text = PamLines.Remove(fact.Text!) })),
        ("ALT-004", f => f with { SsmAgent = true }),
        ("ALT-006", f => f with { Pending = 3 }),
        ("LOG-001", f => f with { Settings = f.Settings with { Logs = null } }),
        ("LOG-001", f => f with { Canary = false }),
        ("LOG-003", f => With(f, HostFiles.Forwarding, fact => fact with { Text = fact.Text!.Replace("queue.saveOnShutdown=\"on\"", "", StringComparison.Ordinal) })),
        ("TIM-001", f => f with { Synchronised = false }),
        ("UPD-001", f => f with { AptConfiguration = f.AptConfiguration!.Replace("Automatic-Reboot \"false\"", "Automatic-Reboot \"true\"", StringComparison.Ordinal) }),
        ("UPD-001", f => f with { RebootPending = true }),
        ("UPD-001", f => f with { Uptime = TimeSpan.FromDays(9), SinceUpgrade = TimeSpan.FromDays(8) }),
        ("UPD-002", f => f with { Packages = [new PackageState("openssh-server", "1:9.2p1-2", "1:9.2p1-2+deb12u5", true)] }),
        ("SEC-001", f => f with { Files = f.Files.Add("/etc/bastion/secrets/sms", new FileFact(null, 0b110_100_100, "root", "root")) }),
    ];

    private HostRoom? _room;
    private AuditFacts _good = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needed) is not null)
        {
            return;
        }

        _room = await HostRoom.OpenAsync();
        var version = OpenSshVersion.Parse((await _room.ShellAsync("ssh -V 2>&1")).Output)!;
        await _room.DoAsync($"rm -f /etc/ssh/sshd_config.d/*; cat > {SshdDropIn.Path} <<'EOF'\n{SshdDropIn.Write(Settings, version)}EOF");
        await _room.DoAsync(
            """
            for group in person site sync maintenance; do groupadd --system bastion-$group; done
            useradd -M -g bastion-person alice; useradd -M -g bastion-site site-home; useradd -M -g bastion-sync bastion-sync; useradd -M -g bastion-maintenance maintenance
            mkdir -p /etc/bastion; : > /etc/bastion/revoked_keys; [ -e /etc/ssh/ssh_host_rsa_key ] || ssh-keygen -A
            """);
        _good = Good(version) with { Sshd = await AskAsync() };
    }

    public async Task DisposeAsync()
    {
        if (_room is not null)
        {
            await _room.DisposeAsync();
        }
    }

    [NeedsFact(Needed)]
    public void Good_host_passes_every_check()
    {
        var findings = AuditRun.Evaluate(_good, AuditData.Mapping);

        Assert.All(findings, f => Assert.True(f.Verdict.Outcome == Outcome.Pass, $"{f.Check.Id}: {f.Verdict.Outcome} {f.Verdict.Evidence}"));
        Assert.All(findings, f => Assert.NotEmpty(f.Supports));
        Assert.False(AuditRun.Fails(findings));
    }

    [NeedsFact(Needed)]
    public async Task Every_check_fails_on_a_mutation_of_the_good_host()
    {
        var failed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (check, sed) in OnSshd)
        {
            await _room!.DoAsync($"cp {SshdDropIn.Path} /root/good; sed -i '{sed}' {SshdDropIn.Path}; ! cmp -s {SshdDropIn.Path} /root/good");
            MustFail(check, sed, _good with { Sshd = await AskAsync() });
            await _room.DoAsync($"cp /root/good {SshdDropIn.Path}");
            failed.Add(check);
        }

        foreach (var (check, mutate) in OnFacts)
        {
            MustFail(check, "facts", mutate(_good));
            failed.Add(check);
        }

        Assert.Equal(AuditRun.Checks.Select(c => c.Id).Order(StringComparer.Ordinal), failed.Order(StringComparer.Ordinal));
    }

    [NeedsFact(Needed)]
    public void What_cannot_be_found_out_is_neither_good_nor_bad()
    {
        var findings = AuditRun.Evaluate(_good with { Sshd = null, SshdProblem = "/run/sshd is missing", Listening = null, Firewall = null, Synchronised = null }, AuditData.Mapping);

        Assert.All(
            findings.Where(f => f.Check.Id.StartsWith("SSH-", StringComparison.Ordinal) || f.Check.Id is "NET-001" or "NET-003" or "NET-004" or "TIM-001"),
            f => Assert.Equal(Outcome.CannotEvaluate, f.Verdict.Outcome));
        Assert.False(AuditRun.Fails(findings));
    }

    [NeedsFact(Needed)]
    public void Exception_holds_until_its_day_and_not_after()
    {
        var bad = _good with { Synchronised = false, Settings = Settings with { Exceptions = [new AuditException("TIM-001", "no network time here", new DateOnly(2026, 11, 21))] } };
        var known = AuditRun.Evaluate(bad, AuditData.Mapping).Single(f => f.Check.Id == "TIM-001");
        var over = AuditRun.Evaluate(bad with { Today = new DateOnly(2026, 11, 22) }, AuditData.Mapping).Single(f => f.Check.Id == "TIM-001");

        Assert.Equal((Outcome.Excepted, Outcome.Fail), (known.Verdict.Outcome, over.Verdict.Outcome));
        Assert.Contains("no network time here", known.Verdict.Evidence);
    }

    private static void MustFail(string check, string mutation, AuditFacts facts)
    {
        var finding = AuditRun.Evaluate(facts, AuditData.Mapping).Single(f => f.Check.Id == check);
        Assert.True(finding.Verdict.Outcome == Outcome.Fail, $"{check} does not see {mutation}: {finding.Verdict}");
    }

    private async Task<ImmutableArray<EffectiveSshd>?> AskAsync()
    {
        var script = string.Join('\n', Subjects.Select(s => $"sshd -T -C user={s.Account},host=h,addr=198.51.100.7,laddr=192.0.2.1,lport=49022; echo '=='"));
        var dumps = (await _room!.DoAsync(script)).Split("==", StringSplitOptions.RemoveEmptyEntries);
        return [.. Subjects.Zip(dumps, (s, dump) => new EffectiveSshd(s.Role, s.Account, "198.51.100.7", SshdDump.Parse(dump)))];
    }

    private static AuditFacts With(AuditFacts facts, string path, Func<FileFact, FileFact> mutate) => facts with { Files = facts.Files.SetItem(path, mutate(facts.Files[path])) };

    /// <summary>All that is not sshd's own word, as it is on a good host.</summary>
    private static AuditFacts Good(OpenSshVersion version)
    {
        const int folder = 0b111_101_101;
        var files = new Dictionary<string, FileFact>(StringComparer.Ordinal)
        {
            [SshdDropIn.Path] = new(SshdDropIn.Write(Settings, version), 0b110_100_100, "root", "root"),
            [SshdDropIn.HostKey] = new(null, 0b110_000_000, "root", "root"),
            ["/usr"] = new(null, folder, "root", "root"),
            ["/usr/lib"] = new(null, folder, "root", "root"),
            ["/usr/lib/bastion"] = new(null, folder, "root", "root"),
            [PamLines.Hook] = new("", folder, "root", "root"),
            [Firewall.Main] = new(Firewall.WithInclude("#!/usr/sbin/nft -f\nflush ruleset\n"), folder, "root", "root"),
            [HostFiles.Journal] = new(HostFiles.JournalText, 0b110_100_100, "root", "root"),
            [HostFiles.Forwarding] = new(HostFiles.ForwardingText(Settings.Logs!), 0b110_100_100, "root", "root"),
            ["/etc/bastion/secrets"] = new(null, 0b111_000_000, "root", "root"),
        };
        foreach (var service in PamHook.Services)
        {
            files[HostPlan.Pam(service)] = new(PamLines.Install("account required pam_nologin.so\n@include common-session\nsession required pam_env.so user_readenv=1\n", service), 0b110_100_100, "root", "root");
        }

        return new AuditFacts(
            Settings, version, null, null, files.ToImmutableDictionary(StringComparer.Ordinal),
            new[] { ("alice", Accounts.PersonGroup), ("site-home", Accounts.SiteGroup), ("bastion-sync", Accounts.SyncGroup), ("maintenance", Accounts.MaintenanceGroup), ("nobody", "nogroup") }
                .ToImmutableDictionary(n => n.Item1, n => n.Item2, StringComparer.Ordinal),
            new Dictionary<string, ImmutableArray<string>>(StringComparer.Ordinal)
            {
                [Accounts.PersonGroup] = ["alice"],
                [Accounts.SiteGroup] = ["site-home", "site-home-bulk"],
                [Accounts.SyncGroup] = ["bastion-sync"],
                [Accounts.MaintenanceGroup] = ["maintenance"],
            }.ToImmutableDictionary(StringComparer.Ordinal),
            [new KeyLine("maintenance", "/etc/bastion/keys/maintenance", SkKey()), new KeyLine("alice", "/run/bastion-keys/alice", $"restrict,port-forwarding,permitopen=\"127.0.0.1:22001\" {OtherKey}")],
            [Listen(IPAddress.Any, 49022), Listen(IPAddress.IPv6Any, 443), Listen(IPAddress.Loopback, 22001)],
            Firewall.Write(Settings), "APT::Periodic::Unattended-Upgrade \"1\";\nUnattended-Upgrade::Automatic-Reboot \"false\";\nUnattended-Upgrade::Origins-Pattern:: \"origin=Debian,label=Debian-Security\";\n",
            Synchronised: true, SinceUpgrade: TimeSpan.FromDays(1), Uptime: TimeSpan.FromDays(30), RebootPending: false,
            [new PackageState("openssh-server", "1:9.2p1-2+deb12u10", "1:9.2p1-2+deb12u5", false)], SsmAgent: false, Pending: 0, Canary: true, new DateOnly(2026, 11, 21));
    }

    private static ListeningSocket Listen(IPAddress address, int port) => new(new IPEndPoint(address, port), "sshd");

    /// <summary>A public key of a security key: its type, 32 bytes, its application.</summary>
    private static string SkKey()
    {
        const string type = "sk-ssh-ed25519@openssh.com";
        byte[] Field(byte[] value) => [0, 0, 0, (byte)value.Length, .. value];
        return $"restrict,from=\"10.0.0.0/8, 192.0.2.1\" {type} {Convert.ToBase64String([.. Field(System.Text.Encoding.ASCII.GetBytes(type)), .. Field(new byte[32]), .. Field("ssh:"u8.ToArray())])} owner";
    }
}
