using System.Collections.Immutable;
using Common.Kernel;

namespace Bastion.Host;

/// <summary>The running sshd: told to read its configuration again, and watched until it has.</summary>
internal sealed class SshdProcess(Shell shell, KernelConnections kernel, TimeProvider time)
{
    /// <summary>
    /// Tested first, because sshd ends itself over a configuration that it cannot read. Reloaded, not restarted: who is logged in stays
    /// so. Where ssh.socket listens it starts the service itself. Without systemd its pid file is where it is. /run/sshd is missing where it has never run since the boot.
    /// </summary>
    public const string Reload =
        """
        mkdir -p -m 755 /run/sshd; sshd -t && if [ -d /run/systemd/system ]; then systemctl "$(systemctl -q is-active ssh.socket && echo try-)reload-or-restart" ssh.service; else kill -HUP "$(cat /run/sshd.pid)"; fi
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>Returns once sshd listens anew: an answer of the old one would prove nothing.</summary>
    /// <exception cref="HostException">It does not take it, or does not come back.</exception>
    public async Task ReloadAsync(ImmutableArray<int> ports, CancellationToken ct)
    {
        var before = Listening(ports);
        await shell.DoAsync("sh", ["-c", Reload], ct);
        var began = time.GetTimestamp();
        while (Listening(ports) is var now && (now.Select(s => s.Port).Distinct().Count() < ports.Length || now.Intersect(before).Any()))
        {
            if (time.GetElapsedTime(began) >= Patience)
            {
                throw new HostException($"sshd does not listen on {string.Join(", ", ports)} after its reload: journalctl -u ssh");
            }

            await Task.Delay(LookEvery, time, ct);
        }
    }

    /// <summary>A socket's inode is another one once it is opened again.</summary>
    private HashSet<(int Port, ulong Inode)> Listening(ImmutableArray<int> ports) =>
        [.. (kernel.Read() ?? []).Where(c => c.Listening && ports.Contains(c.Local.Port)).Select(c => (c.Local.Port, c.Inode))];
}
