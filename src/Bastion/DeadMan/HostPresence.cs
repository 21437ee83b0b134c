using System.Collections.Immutable;
using Bastion.Sessions;
using Common.Kernel;

namespace Bastion.DeadMan;

/// <summary>
/// Is anybody here? Sessions of people and tunnels of sites by sshd's log and the kernel; where the log cannot be read, any
/// connection to sshd counts as somebody, a stranger's too. And whoever is at the console.
/// </summary>
/// <param name="sessions">Null: not known.</param>
internal sealed class HostPresence(
    Func<CancellationToken, Task<ImmutableArray<OpenSession>?>> sessions, KernelConnections kernel, ConsoleLogins console, ImmutableArray<int> sshdPorts)
{
    public async Task<Presence> LookAsync(CancellationToken ct)
    {
        if (console.Any)
        {
            return Presence.Somebody;
        }

        if (await sessions(ct) is { } open)
        {
            return open.IsEmpty ? Presence.Nobody : Presence.Somebody;
        }

        return kernel.Read() is not { } connections ? Presence.Unknown
            : connections.Any(c => c.Established && sshdPorts.Contains(c.Local.Port)) ? Presence.Somebody
            : Presence.Nobody;
    }
}
