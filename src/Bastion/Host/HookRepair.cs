using Bastion.Watch;
using Common.Hosting;
using Common.Logins;

namespace Bastion.Host;

/// <summary>
/// After an upgrade of others' packages: the login hook's line is put back where a new file of theirs has none. What is in the files of
/// /etc/pam.d besides is the packages' affair, and is from now on what the agent compares with.
/// </summary>
internal sealed class HookRepair(Shell shell, Action<string> say)
{
    /// <returns>The hook stands where it should, and sshd takes its configuration.</returns>
    public async Task<bool> RunAsync(CancellationToken ct)
    {
        foreach (var file in PamHook.Services.Select(HostPlan.Pam).Where(File.Exists))
        {
            var text = await File.ReadAllTextAsync(file, ct);
            var wanted = PamLines.Install(text, Path.GetFileName(file));
            if (wanted != text)
            {
                AtomicFile.Put(file, wanted, File.GetUnixFileMode(file));
                await SayAsync($"an upgrade had taken the login hook out of {file}: it is back", ct);
            }
        }

        new ConfigurationBaseline().Accept(f => f.StartsWith("/etc/pam.d/", StringComparison.Ordinal));
        if (!File.Exists(PamLines.Hook))
        {
            await SayAsync($"{PamLines.Hook} is not there, logins go untold: apt-get install --reinstall bastion", ct);
            return false;
        }

        if (await shell.RunAsync("sh", ["-c", "mkdir -p -m 755 /run/sshd; exec sshd -t"], ct) is { Ok: false } refused)
        {
            await SayAsync($"sshd does not take its configuration, nobody could log in after its next start: {Shell.Words(refused)}. Next step: bastion install", ct);
            return false;
        }

        return true;
    }

    /// <summary>To whoever runs the upgrade, and into the log.</summary>
    private async Task SayAsync(string words, CancellationToken ct)
    {
        say($"bastion: {words}");
        await shell.RunAsync("logger", ["-p", "authpriv.warning", "-t", "bastion", words], ct);
    }
}
