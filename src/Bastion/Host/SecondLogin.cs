using System.Globalization;
using System.Security.Cryptography;
using Common.Hosting;

namespace Bastion.Host;

/// <summary>
/// The proof that the way in works: a login by ssh from this machine as the maintenance account, on every port, with a key that is
/// made for it and lives as long. The host key is pinned as it is on disk.
/// </summary>
internal sealed class SecondLogin(Shell shell, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);
    private const int ConnectSeconds = 15;
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <returns>Null: it works; else why not.</returns>
    public async Task<string?> TryAsync(IEnumerable<int> ports, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("bastion-login").FullName;
        var keys = HostPlan.MaintenanceKeys;
        var before = AtomicFile.Text(keys);
        try
        {
            var key = Path.Combine(folder, "key");
            await shell.DoAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "bastion install", "-f", key], ct);
            var word = Convert.ToHexString(RandomNumberGenerator.GetBytes(8));
            var line = $"restrict,from=\"127.0.0.1\",command=\"echo {word}\" {(await File.ReadAllTextAsync(key + ".pub", ct)).Trim()}\n";
            AtomicFile.Put(keys, (before is null || before.EndsWith('\n') ? before : before + "\n") + line, Readable);
            await File.WriteAllTextAsync(Path.Combine(folder, "known"), $"bastion {await File.ReadAllTextAsync(SshdDropIn.HostKey + ".pub", ct)}", ct);
            foreach (var port in ports)
            {
                if (await OneAsync(port, folder, word, ct) is { } reason)
                {
                    return $"port {port.ToString(CultureInfo.InvariantCulture)}: {reason}";
                }
            }

            return null;
        }
        catch (Exception e) when (e is HostException or IOException)
        {
            return e.Message;
        }
        finally
        {
            AtomicFile.Put(keys, before, Readable);
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>sshd may need a moment to listen on its new ports.</summary>
    private async Task<string?> OneAsync(int port, string folder, string word, CancellationToken ct)
    {
        for (var began = time.GetTimestamp(); ;)
        {
            var result = await shell.RunAsync("ssh", ["-F", "none", "-T", "-p", port.ToString(CultureInfo.InvariantCulture), "-i", Path.Combine(folder, "key"), "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "HostKeyAlias=bastion", "-o", "StrictHostKeyChecking=yes", "-o", $"UserKnownHostsFile={Path.Combine(folder, "known")}", "-o", "GlobalKnownHostsFile=none", "-o", "HostKeyAlgorithms=ssh-ed25519", "-o", $"ConnectTimeout={ConnectSeconds.ToString(CultureInfo.InvariantCulture)}", $"{Accounts.Maintenance}@127.0.0.1"], ct);
            if (result.Ok && result.Output.Contains(word, StringComparison.Ordinal))
            {
                return null;
            }

            var refused = result.Error.Contains("Connection refused", StringComparison.Ordinal);
            if (!refused || time.GetElapsedTime(began) >= Patience)
            {
                return Shell.Words(result);
            }

            await Task.Delay(LookEvery, time, ct);
        }
    }
}
