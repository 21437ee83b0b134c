using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Bastion.Host;
using Common;
using Common.Configuration;

namespace Bastion.Audit;

/// <summary>What sshd would really do, for every account and source: never what a file says.</summary>
[PureCore]
internal static class SshChecks
{
    private const int MostAuthTries = 4;
    private const int LongestGrace = 60;
    private const int LongestAlive = 45;

    public static ImmutableArray<AuditCheck> All { get; } =
    [
        Check("SSH-001", CheckSeverity.Critical, "no way in but a key, for every account and source", f => Each(f.Cases, ("passwordauthentication", "no"),
            ("kbdinteractiveauthentication", "no"), ("permitemptypasswords", "no"), ("hostbasedauthentication", "no"), ("pubkeyauthentication", "yes"))
            .Concat(f.Cases.Where(s => s["gssapiauthentication"] == "yes").Select(s => $"{s.Who}: gssapiauthentication yes"))),
        Check("SSH-002", CheckSeverity.Critical, "root cannot log in", f => Each(f.Cases, ("permitrootlogin", "no"))),
        Check("SSH-003", CheckSeverity.Critical, "PAM is used: without it no login is told", f => Each(f.Cases, ("usepam", "yes"))),
        Check("SSH-004", CheckSeverity.Critical, "a site listens on its own loopback block and opens nothing else", Sites),
        Check("SSH-005", CheckSeverity.Critical, "a person jumps to the permitted services and does nothing else", People),
        Check("SSH-006", CheckSeverity.High, "an account of no group of ours can forward and run nothing", f => Each(f.Of(AccountRole.Stranger), ("disableforwarding", "yes"),
            ("maxsessions", "0"))),
        Check("SSH-007", CheckSeverity.High, "only our groups may log in, and only known accounts are in them", Groups),
        Check("SSH-008", CheckSeverity.High, "keys are in files of root's, each of a type that is taken, each of a known account", Keys),
        Check("SSH-009", CheckSeverity.High, "only the algorithms of this version's list, post-quantum key exchange first", Algorithms),
        Check("SSH-010", CheckSeverity.Medium, "one ed25519 host key, readable by root alone; RSA keys of 3072 bits", HostKeys),
        Check("SSH-011", CheckSeverity.Medium, "who does not log in is dropped within a minute", f => Numbers(f.Cases, "logingracetime", 1, LongestGrace)),
        Check("SSH-012", CheckSeverity.Medium, "few tries, and room for sixty sites at once", Tries),
        Check("SSH-013", CheckSeverity.Medium, "wrong keys are penalised (OpenSSH 9.8 and later); few are exempt", Penalties),
        Check("SSH-014", CheckSeverity.High, "a tunnel is not closed for being quiet, and a dead one is", Alive),
        Check("SSH-015", CheckSeverity.High, "no agent, X11, socket or network forwarding; no files of the user's run or read", f => Each(f.Cases, ("allowagentforwarding", "no"),
            ("x11forwarding", "no"), ("allowstreamlocalforwarding", "no"), ("permittunnel", "no"), ("permituserrc", "no"), ("permituserenvironment", "no"), ("gatewayports", "no"))),
        Check("SSH-016", CheckSeverity.Low, "the maintenance account's keys are on hardware", Hardware),
        Check("SSH-017", CheckSeverity.Low, "the greeting does not name the distribution", f => Each(f.Cases, ("versionaddendum", "none"))),
        Check("SSH-018", CheckSeverity.High, "the drop-in is as made, and is read first", DropIn),
    ];

    private static AuditCheck Check(string id, CheckSeverity severity, string title, Func<AuditFacts, IEnumerable<string>> offences) => new(
        id, severity, title, "bastion install puts the drop-in back; sshd -T -C user=NAME,addr=ADDRESS shows what is in force",
        f => f.Sshd is null ? Verdict.CannotEvaluate(f.SshdProblem ?? "sshd did not answer")
            : Verdict.Of(offences(f), string.Create(CultureInfo.InvariantCulture, $"{f.Sshd.Value.Select(s => s.Account).Distinct().Count()} accounts, {f.Sshd.Value.Length} cases")));

    private static IEnumerable<string> Each(IEnumerable<EffectiveSshd> cases, params (string Keyword, string Value)[] wanted) =>
        cases.SelectMany(s => wanted.Where(w => s[w.Keyword] != w.Value).Select(w => $"{s.Who}: {w.Keyword} {s[w.Keyword]}"));

    private static IEnumerable<string> Numbers(IEnumerable<EffectiveSshd> cases, string keyword, int least, int most) =>
        cases.Where(s => !(int.TryParse(s[keyword], NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= least && n <= most)).Select(s => $"{s.Who}: {keyword} {s[keyword]}");

    private static IEnumerable<string> Sites(AuditFacts facts)
    {
        var blocks = facts.Settings.Sites.SelectMany(s => new[] { (Name: Accounts.Site(s.Label), Site: s), (Name: Accounts.SiteBulk(s.Label), Site: s) })
            .ToDictionary(b => b.Name, b => b.Site, StringComparer.Ordinal);
        foreach (var effective in facts.Of(AccountRole.Site))
        {
            var ports = blocks.TryGetValue(effective.Account, out var site) ? site.Ports.ToHashSet() : [];
            foreach (var outside in Targets(effective, "permitlisten").Where(t => t != "none" && !IsLoopback(t, ports)))
            {
                yield return $"{effective.Who}: may listen on {outside}";
            }

            foreach (var outside in Targets(effective, "permitopen").Where(t => t != "none" && !IsLoopback(t, [.. ports, facts.Settings.AgentPort])))
            {
                yield return $"{effective.Who}: may open {outside}";
            }
        }

        foreach (var offence in Each(facts.Of(AccountRole.Site), ("maxsessions", "0"), ("gatewayports", "no"), ("permittty", "no")))
        {
            yield return offence;
        }
    }

    private static IEnumerable<string> People(AuditFacts facts)
    {
        var ports = facts.Settings.Sites.SelectMany(s => s.ServicePorts).ToHashSet();
        foreach (var effective in facts.Of(AccountRole.Person))
        {
            foreach (var outside in Targets(effective, "permitopen").Where(t => t != "none" && !IsLoopback(t, ports)))
            {
                yield return $"{effective.Who}: may jump to {outside}";
            }
        }

        foreach (var offence in Each(facts.Of(AccountRole.Person), ("permitlisten", "none"), ("permittty", "no"), ("forcecommand", SshdDropIn.PersonCommand)))
        {
            yield return offence;
        }

        foreach (var offence in Numbers(facts.Of(AccountRole.Person), "maxsessions", 0, 2))
        {
            yield return offence;
        }

        // sshd's own list has every site's ports: which of them a person may reach, only the key's line says.
        foreach (var key in facts.Keys.Where(k => Path.GetDirectoryName(k.File) == Accounts.PeopleKeys && !IsRestricted(k.Line)))
        {
            yield return $"{key.File}: a key that reaches more than the ports it names";
        }
    }

    /// <summary><c>restrict[,port-forwarding,permitopen="127.0.0.1:PORT"...] KEY</c>, as a sync writes it.</summary>
    private static bool IsRestricted(string line) => line.Split(' ')[0].Split(',') is ["restrict", .. var rest]
        && (rest is [] || (rest is ["port-forwarding", _, ..] && rest.Skip(1).All(o => o.StartsWith("permitopen=\"127.0.0.1:", StringComparison.Ordinal))));

    private static IEnumerable<string> Targets(EffectiveSshd effective, string keyword) => effective.All(keyword).SelectMany(v => v.Split(' ')).DefaultIfEmpty("any");

    /// <summary>Never "localhost": sshd binds 127.0.0.1 and ::1 each for itself and calls one of them success.</summary>
    private static bool IsLoopback(string target, HashSet<int> ports) =>
        target.StartsWith("127.0.0.1:", StringComparison.Ordinal) && int.TryParse(target.AsSpan(10), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && ports.Contains(port);

    private static IEnumerable<string> Groups(AuditFacts facts)
    {
        string[] ours = [Accounts.PersonGroup, Accounts.SiteGroup, Accounts.SyncGroup, Accounts.MaintenanceGroup];
        var known = HostPlan.Users(facts.Settings).Where(u => u.Name != Accounts.Agent).Select(u => u.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var group in facts.Cases.SelectMany(s => s.All("allowgroups").DefaultIfEmpty("everybody")).Distinct().Where(g => !ours.Contains(g)))
        {
            yield return $"may log in: {group}";
        }

        // A further list would shut our own accounts out.
        foreach (var list in (string[])["allowusers", "denyusers", "denygroups"])
        {
            foreach (var value in facts.Cases.SelectMany(s => s.All(list)).Distinct())
            {
                yield return $"{list} {value}";
            }
        }

        foreach (var (group, members) in facts.GroupMembers.Where(g => ours.Contains(g.Key)))
        {
            // People come and go with the bundles: theirs is the primary group, and nobody else is in it.
            foreach (var member in members.Where(m => group == Accounts.PersonGroup ? facts.Users.GetValueOrDefault(m) != group : !known.Contains(m)))
            {
                yield return $"{member} is in {group} and in no list";
            }
        }
    }

    private static IEnumerable<string> Keys(AuditFacts facts)
    {
        var files = new Dictionary<AccountRole, string> { [AccountRole.Person] = $"{Accounts.PeopleKeys}/%u" };
        foreach (var effective in facts.Cases.Where(s => s["authorizedkeysfile"] != files.GetValueOrDefault(s.Role, $"{Accounts.HostKeys}/%u")))
        {
            yield return $"{effective.Who}: keys from {effective["authorizedkeysfile"]}";
        }

        foreach (var offence in Each(facts.Cases, ("strictmodes", "yes"), ("authorizedkeyscommand", "none"), ("trustedusercakeys", "none"), ("revokedkeys", Accounts.RevokedKeys)))
        {
            yield return offence;
        }

        foreach (var folder in (string[])[Accounts.HostKeys, Accounts.PeopleKeys])
        {
            if (facts.Files.GetValueOrDefault(folder) is { } file && (file.Owner != "root" || (file.Mode & 0b010_010) != 0))
            {
                yield return $"{folder} is {file.Owner}'s, mode {Convert.ToString(file.Mode, 8)}";
            }
        }

        foreach (var key in facts.Keys)
        {
            if (KeyOf(key.Line) is not { } publicKey || PersonalValues.PublicKey(publicKey).Problem is { } problem)
            {
                yield return $"{key.File}: a key of {key.Account} that is not taken";
            }
            else if (!facts.Users.ContainsKey(key.Account))
            {
                yield return $"{key.File}: nobody is called {key.Account}";
            }
        }
    }

    /// <summary>A line may begin with options, in which quoted blanks do not end a word.</summary>
    internal static string? KeyOf(string line)
    {
        var (start, quoted) = (0, false);
        for (var at = 0; at <= line.Length; at++)
        {
            if (at < line.Length && line[at] == '"')
            {
                quoted = !quoted;
            }
            else if (at == line.Length || (line[at] is ' ' or '\t' && !quoted))
            {
                var word = line[start..at];
                if (word.StartsWith("ssh-", StringComparison.Ordinal) || word.StartsWith("ecdsa-", StringComparison.Ordinal) || word.StartsWith("sk-", StringComparison.Ordinal))
                {
                    return line[start..];
                }

                start = at + 1;
            }
        }

        return null;
    }

    private static IEnumerable<string> Algorithms(AuditFacts facts)
    {
        foreach (var effective in facts.Cases)
        {
            (string Keyword, ImmutableArray<string> Allowed)[] lists =
            [
                ("kexalgorithms", SshdDropIn.KeyExchange(facts.OpenSsh)), ("ciphers", SshdDropIn.Ciphers), ("macs", SshdDropIn.Macs),
                ("hostkeyalgorithms", SshdDropIn.HostKeyTypes), ("pubkeyacceptedalgorithms", SshdDropIn.KeyTypes),
            ];
            foreach (var (keyword, allowed) in lists)
            {
                foreach (var more in effective[keyword].Split(',').Where(a => !allowed.Contains(a)))
                {
                    yield return $"{effective.Who}: {keyword} has {more}";
                }
            }

            if (effective["kexalgorithms"].Split(',')[0] != SshdDropIn.KeyExchange(facts.OpenSsh)[0])
            {
                yield return $"{effective.Who}: {effective["kexalgorithms"].Split(',')[0]} comes first";
            }
        }
    }

    private static IEnumerable<string> HostKeys(AuditFacts facts)
    {
        foreach (var key in facts.Cases.SelectMany(s => s.All("hostkey")).Distinct().Where(k => k != SshdDropIn.HostKey))
        {
            yield return $"host key {key}";
        }

        if (facts.Files.GetValueOrDefault(SshdDropIn.HostKey) is not { } file)
        {
            yield return $"{SshdDropIn.HostKey} is not there";
        }
        else if (file.Owner != "root" || (file.Mode & 0b111_111) != 0)
        {
            yield return $"{SshdDropIn.HostKey} is {file.Owner}'s, mode {Convert.ToString(file.Mode, 8)}";
        }

        foreach (var offence in facts.OpenSsh.IsAtLeast(9, 1) ? Numbers(facts.Cases, "requiredrsasize", SshdDropIn.LeastRsaBits, 16_384) : [])
        {
            yield return offence;
        }
    }

    private static IEnumerable<string> Tries(AuditFacts facts) => Numbers(facts.Cases, "maxauthtries", 1, MostAuthTries)
        .Concat(Each(facts.Cases, ("maxstartups", "200:30:400"), ("persourcemaxstartups", "none")));

    private static IEnumerable<string> Penalties(AuditFacts facts)
    {
        if (!facts.OpenSsh.IsAtLeast(9, 8))
        {
            return facts.Cases.SelectMany(s => s.All("persourcepenalties")).Select(_ => "an OpenSSH that knows no penalties has some");
        }

        var exempt = facts.Settings.Exempt.Select(n => n.ToString()).ToHashSet(StringComparer.Ordinal);
        return facts.Cases.Where(s => s["persourcepenalties"] is "no" or "").Select(s => $"{s.Who}: persourcepenalties {s["persourcepenalties"]}")
            .Concat(facts.Cases.SelectMany(s => s["persourcepenaltyexemptlist"].Split(',')).Distinct()
                .Where(n => n is not ("" or "none") && !exempt.Contains(n)).Select(n => $"exempt: {n}"));
    }

    private static IEnumerable<string> Alive(AuditFacts facts)
    {
        foreach (var effective in facts.Cases)
        {
            if (facts.OpenSsh.IsAtLeast(9, 2) && effective["unusedconnectiontimeout"] != "none")
            {
                yield return $"{effective.Who}: unusedconnectiontimeout {effective["unusedconnectiontimeout"]}";
            }

            if (!int.TryParse(effective["clientaliveinterval"], NumberStyles.None, CultureInfo.InvariantCulture, out var interval)
                || !int.TryParse(effective["clientalivecountmax"], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                || interval * count is 0 or > LongestAlive)
            {
                yield return $"{effective.Who}: clientalive {effective["clientaliveinterval"]} x {effective["clientalivecountmax"]}";
            }
        }
    }

    private static IEnumerable<string> Hardware(AuditFacts facts) => facts.Keys.Where(k => k.Account == Accounts.Maintenance)
        .Where(k => KeyOf(k.Line)?.StartsWith("sk-", StringComparison.Ordinal) != true).Select(k => $"{k.File}: a key that can be copied");

    private static IEnumerable<string> DropIn(AuditFacts facts)
    {
        if (facts.Text(SshdDropIn.Path) != SshdDropIn.Write(facts.Settings, facts.OpenSsh))
        {
            yield return $"{SshdDropIn.Path} is not what the settings say";
        }

        var folder = SshdDropIn.Path[..(SshdDropIn.Path.LastIndexOf('/') + 1)];
        foreach (var earlier in facts.Files.Keys.Where(f => f.StartsWith(folder, StringComparison.Ordinal) && string.CompareOrdinal(f, SshdDropIn.Path) < 0))
        {
            yield return $"{earlier} is read before it";
        }
    }
}
