using System.Diagnostics;

namespace Integration.Tests.Tunnel;

/// <summary>A session of an earlier life that still holds the loop port on the bastion: plain ssh -R to a service that answers.</summary>
internal sealed class OldSession : IDisposable
{
    private readonly Process _ssh;

    private OldSession(Process ssh) => _ssh = ssh;

    public int Pid => _ssh.Id;

    public static async Task<OldSession> StartAsync(TestSshd sshd)
    {
        var knownHosts = Path.Combine(sshd.Folder, "old_known_hosts");
        await File.WriteAllTextAsync(knownHosts, $"{TestSshd.Alias} {sshd.HostKey("host")}\n");
        var ssh = new Process
        {
            StartInfo = new ProcessStartInfo("ssh",
            [
                "-v", "-N", "-F", "none", "-i", sshd.ClientKey, "-p", $"{sshd.Port}", "-o", $"HostKeyAlias={TestSshd.Alias}", "-o", $"UserKnownHostsFile={knownHosts}",
                "-o", "IdentityAgent=none", "-R", $"127.0.0.1:{sshd.Options.LoopProbePort}:127.0.0.1:{sshd.Port}", $"{sshd.Address}",
            ])
            { UseShellExecute = false, RedirectStandardError = true },
        };
        var listening = new TaskCompletionSource();
        ssh.ErrorDataReceived += (_, line) =>
        {
            if (line.Data?.Contains("remote forward success", StringComparison.Ordinal) == true)
            {
                listening.TrySetResult();
            }
        };
        ssh.Start();
        ssh.BeginErrorReadLine();
        await listening.Task.WaitAsync(Harness.Patience);
        return new(ssh);
    }

    public void Kill()
    {
        _ssh.Kill();
        _ssh.WaitForExit();
    }

    public void Dispose()
    {
        if (!_ssh.HasExited)
        {
            Kill();
        }

        _ssh.Dispose();
    }
}
