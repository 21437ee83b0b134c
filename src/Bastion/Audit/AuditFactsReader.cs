using System.Collections.Immutable;
using System.Globalization;
using Bastion.Cli;
using Bastion.Host;
using Common.Agent;
using Common.Kernel;

namespace Bastion.Audit;

/// <summary>Finds out what the checks look at, as root on the host itself. What cannot be found out is left null.</summary>
internal sealed class AuditFactsReader(Shell shell, TimeProvider time)
{
    /// <summary>Where a login may come from: outside in both families, and this host itself.</summary>
    private static readonly ImmutableArray<string> Sources = ["198.51.100.7", "2001:db8::7", "127.0.0.1"];

    private static readonly TimeSpan CanaryPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CanaryPace = TimeSpan.FromSeconds(1);

    public async Task<AuditFacts> ReadAsync(HostSettings settings, CancellationToken ct)
    {
        var host = await new HostFactsReader(shell, "").ReadAsync(ct);
        var members = await MembersAsync(host, ct);
        var (sshd, problem) = await SshdAsync(settings, host, members, ct);
        var files = await FilesAsync(ct);
        return new AuditFacts(
            settings, host.OpenSsh, sshd, problem, files, host.Users, members, Keys(), new ListeningSockets(new KernelConnections()).Read(),
            await OutputAsync("nft", ["-s", "list", "ruleset"], ct), await OutputAsync("apt-config", ["dump"], ct), await SynchronisedAsync(ct),
            SinceUpgrade(), time.GetElapsedTime(0, time.GetTimestamp()), File.Exists("/run/reboot-required") || File.Exists("/var/run/reboot-required"),
            await PackagesAsync(ct), (await shell.RunAsync("pgrep", ["-x", "amazon-ssm-agen"], ct)).Exit.Code switch { 0 => true, 1 => false, _ => null },
            (await AgentPort.AskAsync(settings.AgentPort, new AgentRequest("health"), ct))?.Outbox, await CanaryAsync(settings, ct), DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime))
        {
            FirewallAtBoot = host.FirewallAtBoot || !host.Systemd,
        };
    }

    /// <summary>The same question for every account of ours, for root and for nobody, from every source.</summary>
    public async Task<(ImmutableArray<EffectiveSshd>? Cases, string? Problem)> SshdAsync(
        HostSettings settings, HostFacts host, ImmutableDictionary<string, ImmutableArray<string>> members, CancellationToken ct)
    {
        if (!Directory.Exists("/run/sshd"))
        {
            return (null, "sshd has never run since the boot (/run/sshd is missing): systemctl start ssh");
        }

        var cases = ImmutableArray.CreateBuilder<EffectiveSshd>();
        foreach (var (account, role) in Subjects(members))
        {
            foreach (var source in Sources.Concat(settings.Exempt.Select(n => n.BaseAddress.ToString())))
            {
                var port = settings.Ports[0].ToString(CultureInfo.InvariantCulture);
                var result = await shell.RunAsync("sshd", ["-T", "-C", $"user={account},host=unknown,addr={source},laddr=192.0.2.1,lport={port}"], ct);
                if (!result.Ok)
                {
                    return (null, $"sshd -T: {Shell.Words(result)}");
                }

                cases.Add(new EffectiveSshd(role, account, source, SshdDump.Parse(result.Output)));
            }
        }

        return (cases.ToImmutable(), null);
    }

    /// <summary>Members by primary group and by list.</summary>
    public static async Task<ImmutableDictionary<string, ImmutableArray<string>>> MembersAsync(HostFacts host, CancellationToken ct)
    {
        var listed = (await File.ReadAllLinesAsync("/etc/group", ct)).Select(l => l.Split(':')).Where(f => f.Length > 3);
        return listed.DistinctBy(f => f[0]).ToImmutableDictionary(
            f => f[0],
            f => host.Users.Where(u => u.Value == f[0]).Select(u => u.Key).Concat(f[3].Split(',', StringSplitOptions.RemoveEmptyEntries)).Distinct().Order(StringComparer.Ordinal).ToImmutableArray(),
            StringComparer.Ordinal);
    }

    private static IEnumerable<(string Account, AccountRole Role)> Subjects(ImmutableDictionary<string, ImmutableArray<string>> members)
    {
        (string Group, AccountRole Role)[] groups =
        [
            (Accounts.PersonGroup, AccountRole.Person), (Accounts.SiteGroup, AccountRole.Site), (Accounts.SyncGroup, AccountRole.Sync),
            (Accounts.MaintenanceGroup, AccountRole.Maintenance),
        ];
        return [.. groups.SelectMany(g => members.GetValueOrDefault(g.Group, []).Select(m => (m, g.Role))), ("root", AccountRole.Stranger), ("nobody", AccountRole.Stranger)];
    }

    private async Task<ImmutableDictionary<string, FileFact>> FilesAsync(CancellationToken ct)
    {
        string[] folders = ["/etc/ssh/sshd_config.d", "/etc/cloud/cloud.cfg.d", "/etc/bastion/secrets", Accounts.HostKeys, Accounts.PeopleKeys];
        string[] paths =
        [
            .. HostPlan.Paths, "/usr", "/usr/lib", "/usr/lib/bastion", PamLines.Hook, "/etc/bastion/agent.json", "/etc/cloud/cloud.cfg", .. folders,
            .. folders.Where(Directory.Exists).SelectMany(Directory.EnumerateFiles),
        ];
        var there = paths.Distinct().Where(Path.Exists).ToList();
        var lines = (await shell.DoAsync("stat", ["-L", "-c", "%a %U", .. there], ct)).Split('\n');
        return there.Zip(lines, (path, line) => (path, fields: line.Split(' '))).ToImmutableDictionary(
            f => f.path, f => new FileFact(Text(f.path), Convert.ToInt32(f.fields[0], 8), f.fields[1], ""), StringComparer.Ordinal);
    }

    /// <summary>Secrets, private keys and large files are none of an audit's business to read.</summary>
    private static string? Text(string path) =>
        Directory.Exists(path) || path.StartsWith("/etc/bastion/secrets", StringComparison.Ordinal) || path == SshdDropIn.HostKey ? null : File.ReadAllText(path);

    private static ImmutableArray<KeyLine> Keys() =>
    [
        .. ((string[])[Accounts.HostKeys, Accounts.PeopleKeys]).Where(Directory.Exists).SelectMany(Directory.EnumerateFiles)
            .SelectMany(f => File.ReadAllLines(f).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#').Select(l => new KeyLine(Path.GetFileName(f), f, l))),
    ];

    private async Task<string?> OutputAsync(string program, IEnumerable<string> arguments, CancellationToken ct) =>
        await shell.RunAsync(program, arguments, ct) is { Ok: true } result ? result.Output : null;

    private async Task<bool?> SynchronisedAsync(CancellationToken ct) =>
        (await OutputAsync("timedatectl", ["show", "--property=NTPSynchronized", "--value"], ct))?.Trim() switch
        {
            "yes" => true,
            "no" => false,
            _ => null,
        };

    private TimeSpan? SinceUpgrade()
    {
        const string stamp = "/var/lib/apt/periodic/unattended-upgrades-stamp";
        return File.Exists(stamp) ? time.GetUtcNow() - new DateTimeOffset(File.GetLastWriteTimeUtc(stamp)) : null;
    }

    private async Task<ImmutableArray<PackageState>> PackagesAsync(CancellationToken ct)
    {
        var release = File.Exists("/etc/os-release")
            ? File.ReadAllLines("/etc/os-release").FirstOrDefault(l => l.StartsWith("VERSION_CODENAME=", StringComparison.Ordinal))?.Split('=')[1].Trim('"') : null;
        var states = ImmutableArray.CreateBuilder<PackageState>();
        foreach (var known in AuditData.Advisories.Where(a => a.Release == release))
        {
            if (await OutputAsync("dpkg-query", ["-W", "-f=${Version}", known.Package], ct) is { Length: > 0 } installed)
            {
                var older = await shell.RunAsync("dpkg", ["--compare-versions", installed, "lt", known.Fixed], ct);
                states.Add(new PackageState(known.Package, installed, known.Fixed, older.Ok));
            }
        }

        return states.ToImmutable();
    }

    /// <summary>A word of chance goes into the log here, and is looked for in what the far end prints.</summary>
    private async Task<bool?> CanaryAsync(HostSettings settings, CancellationToken ct)
    {
        if (settings.Logs is not { CanaryCommand: { IsEmpty: false } command })
        {
            return null;
        }

        var word = $"bastion-canary-{Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8))}";
        await shell.RunAsync("logger", ["-p", "authpriv.notice", "-t", "bastion", word], ct);
        for (var began = time.GetTimestamp(); time.GetElapsedTime(began) < CanaryPatience; await Task.Delay(CanaryPace, time, ct))
        {
            if ((await shell.RunAsync(command[0], command.Skip(1), ct)).Output.Contains(word, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
