using System.Collections.Immutable;
using System.Security.Cryptography;
using Bastion.Host;
using Common.Hosting;
using Common.Logins;

namespace Bastion.Watch;

/// <summary>
/// The files that decide who gets in and who is told, with their sums as the last installation left them (as sha256sum writes them:
/// <c>SUM  PATH</c>). The agent may read all of them and write none; what root changes by other means than ours is drift.
/// </summary>
internal sealed class ConfigurationBaseline(string path = ConfigurationBaseline.DefaultPath)
{
    public const string DefaultPath = "/etc/bastion/baseline";

    /// <summary>Without a file of sums, what is there at the first look counts.</summary>
    private ImmutableDictionary<string, string>? _first;

    private static IEnumerable<string> Watched =>
    [
        HostPlan.SshdConfig, Firewall.Path, Firewall.Main, PamLines.Hook, Accounts.RevokedKeys, .. PamHook.Services.Select(HostPlan.Pam),
        "/etc/pam.d/common-auth", "/etc/pam.d/common-account", "/etc/pam.d/common-session",
        .. In("/etc/ssh/sshd_config.d"), .. In(Accounts.HostKeys),
    ];

    /// <summary>By root, after an installation or a change of ours.</summary>
    public void Write() => Write(Sums());

    /// <summary>By root, after an upgrade of the packages that own these files; of all others the sums stay.</summary>
    public void Accept(Func<string, bool> files)
    {
        if (File.Exists(path))
        {
            Write(Read().RemoveRange(Read().Keys.Where(files)).SetItems(Sums().Where(s => files(s.Key))));
        }
    }

    private void Write(ImmutableDictionary<string, string> sums)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Put(
            path, string.Concat(sums.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Value}  {s.Key}\n")),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }

    /// <summary>Null: cannot be told now.</summary>
    public ImmutableArray<string>? Drifted()
    {
        try
        {
            var now = Sums();
            var wanted = File.Exists(path) ? Read() : _first ??= now;
            return [.. now.Keys.Union(wanted.Keys).Where(f => now.GetValueOrDefault(f) != wanted.GetValueOrDefault(f)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private ImmutableDictionary<string, string> Read() => File.ReadAllLines(path).Select(l => l.Split("  ", 2)).Where(p => p.Length == 2)
        .DistinctBy(p => p[1]).ToImmutableDictionary(p => p[1], p => p[0], StringComparer.Ordinal);

    /// <summary>What the agent may not read it cannot watch, so nobody counts it.</summary>
    private static ImmutableDictionary<string, string> Sums() => Watched.Distinct().Where(IsPublic)
        .ToImmutableDictionary(f => f, f => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f))), StringComparer.Ordinal);

    private static bool IsPublic(string file) => File.Exists(file) && (File.GetUnixFileMode(file) & UnixFileMode.OtherRead) != UnixFileMode.None;

    private static IEnumerable<string> In(string folder) => Directory.Exists(folder) ? Directory.EnumerateFiles(folder) : [];
}
