using Common.Hosting;
using Common.Logins;
using Common.Processes;
using InternalHost.Configuration;

namespace InternalHost.Logins;

/// <summary>The hook's line in this host's /etc/pam.d, and the folders that it writes to.</summary>
/// <param name="makeFolder">Makes a folder of root:internalhost with this mode; why not, or null.</param>
internal sealed class LoginHookFiles(Func<string, string, CancellationToken, Task<string?>> makeFolder, Action<string> say, string root = "")
{
    public const string Program = "/usr/lib/internalhost/hook";
    private const string Group = "internalhost";

    /// <summary>The spool is an argument: the hook is the bastion's.</summary>
    public static readonly PamHook Pam = new($"{Program} {LoginOptions.DefaultSpool}", "# internalhost");

    private string Spool => root + LoginOptions.DefaultSpool;

    public static async Task<string?> MakeFolderAsync(string folder, string mode, CancellationToken ct)
    {
        var made = await new SystemProcessLauncher(TimeProvider.System).RunAsync(new ProcessSpec("install", ["-d", "-o", "root", "-g", Group, "-m", mode, folder]), ct);
        return made.Ok ? null : made.Error.Trim();
    }

    /// <returns>Null: it stands. Else why not, and what to do.</returns>
    /// <exception cref="IOException">A file cannot be replaced.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public async Task<string?> PutAsync(CancellationToken ct)
    {
        if (!File.Exists(root + Program))
        {
            return $"{Program} is not there. Next step: apt-get install --reinstall internalhost";
        }

        // First the spool: a line without one would have the hook cry at each login.
        foreach (var (folder, mode) in ((string, string)[])[(Spool, "0750"), ($"{Spool}/tmp", "2770"), ($"{Spool}/dead", "2770"), ($"{Spool}/new", "2770")])
        {
            if (await makeFolder(folder, mode, ct) is { } why)
            {
                return $"{folder} could not be made: {why}. Next step: is the package internalhost installed?";
            }
        }

        Rewrite((text, service) => Pam.Put(text, service), "the login hook is in");
        return null;
    }

    /// <exception cref="IOException">A file cannot be replaced.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void Remove()
    {
        Rewrite((text, _) => Pam.Remove(text), "the login hook is out of");
        if (Directory.Exists(Spool))
        {
            Directory.Delete(Spool, recursive: true);
        }
    }

    private void Rewrite(Func<string, string, string> change, string said)
    {
        foreach (var service in PamHook.Services)
        {
            var file = $"{root}/etc/pam.d/{service}";
            if (File.Exists(file) && File.ReadAllText(file) is var text && change(text, service) is var wanted && wanted != text)
            {
                AtomicFile.Put(file, wanted, File.GetUnixFileMode(file));
                say($"{said} {file}");
            }
        }
    }
}
