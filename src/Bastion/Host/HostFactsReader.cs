using System.Collections.Immutable;

namespace Bastion.Host;

/// <summary>Looks at the host, or at the folder that is to become one.</summary>
internal sealed class HostFactsReader(Shell shell, string root)
{
    /// <exception cref="HostException">It cannot be looked at, or is nothing that can be hardened.</exception>
    public async Task<HostFacts> ReadAsync(CancellationToken ct)
    {
        var (users, groups, uids, gids) = await AccountsAsync(ct);
        var live = root.Length == 0;
        return new HostFacts(
            await VersionAsync(ct),
            users,
            groups,
            await FilesAsync(uids, gids, ct),
            live,
            live && Directory.Exists("/run/systemd/system"),
            live && (await shell.RunAsync("systemctl", ["is-active", "ssh.socket"], ct)).Ok,
            live && (await shell.RunAsync("nft", ["list", "table", "inet", "bastion"], ct)).Ok,
            live && (await shell.RunAsync("systemctl", ["is-enabled", "nftables.service"], ct)).Ok,
            live && Directory.Exists("/run/systemd/system") && (await shell.RunAsync("systemctl", ["cat", HostPlan.BundleSocket], ct)).Ok
                ? (await shell.RunAsync("systemctl", ["is-active", HostPlan.BundleSocket], ct)).Ok : null);
    }

    private async Task<OpenSshVersion> VersionAsync(CancellationToken ct)
    {
        var result = await shell.RunAsync("ssh", ["-V"], ct);
        var version = OpenSshVersion.Parse(result.Error + "\n" + result.Output)
            ?? throw new HostException($"OpenSSH was not found (ssh -V: {Shell.Words(result)}): install openssh-server and openssh-client", Common.Hosting.ExitCode.CannotRun);
        return version.IsAtLeast(OpenSshVersion.Oldest.Major, OpenSshVersion.Oldest.Minor)
            ? version
            : throw new HostException($"OpenSSH {version} is too old, at least {OpenSshVersion.Oldest} is needed: upgrade the distribution", Common.Hosting.ExitCode.CannotRun);
    }

    private async Task<(ImmutableDictionary<string, string> Users, ImmutableHashSet<string> Groups, Dictionary<string, string> Uids, Dictionary<string, string> Gids)> AccountsAsync(CancellationToken ct)
    {
        var passwd = await LinesAsync("/etc/passwd", ct);
        var group = await LinesAsync("/etc/group", ct);
        var gids = group.DistinctBy(g => g[2]).ToDictionary(g => g[2], g => g[0], StringComparer.Ordinal);
        return (
            passwd.Where(p => p.Length > 3).DistinctBy(p => p[0]).ToImmutableDictionary(p => p[0], p => gids.GetValueOrDefault(p[3], p[3]), StringComparer.Ordinal),
            [.. group.Select(g => g[0])],
            passwd.DistinctBy(p => p[2]).ToDictionary(p => p[2], p => p[0], StringComparer.Ordinal),
            gids);
    }

    private async Task<List<string[]>> LinesAsync(string path, CancellationToken ct)
    {
        try
        {
            return [.. (await File.ReadAllLinesAsync(root + path, ct)).Select(l => l.Split(':')).Where(f => f.Length > 2)];
        }
        catch (IOException e)
        {
            throw new HostException($"{root}{path} cannot be read: {e.Message}", Common.Hosting.ExitCode.CannotRun);
        }
    }

    private async Task<ImmutableDictionary<string, FileFact>> FilesAsync(Dictionary<string, string> uids, Dictionary<string, string> gids, CancellationToken ct)
    {
        var keys = root + Accounts.HostKeys;
        var there = HostPlan.Paths.Union(Directory.Exists(keys) ? Directory.GetFiles(keys).Select(f => f[root.Length..]) : []).Where(p => Path.Exists(root + p)).ToList();
        var lines = (await shell.DoAsync("stat", ["-L", "-c", "%a %u %g", .. there.Select(p => root + p)], ct)).Split('\n');
        return there.Zip(lines, (path, line) => (path, fields: line.Split(' '))).ToImmutableDictionary(
            f => f.path,
            f => new FileFact(
                Directory.Exists(root + f.path) ? null : File.ReadAllText(root + f.path),
                Convert.ToInt32(f.fields[0], 8),
                uids.GetValueOrDefault(f.fields[1], f.fields[1]),
                gids.GetValueOrDefault(f.fields[2], f.fields[2])),
            StringComparer.Ordinal);
    }
}
