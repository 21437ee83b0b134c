using System.Collections.Immutable;
using System.Net;
using Bastion.Configuration;
using Common;
using Common.Time;
using Common.Kernel;
using Common.Logins;

namespace Bastion.Sessions;

/// <summary>An authenticated connection that has not been seen to end.</summary>
/// <param name="Login">The record of the login that opened it.</param>
/// <param name="Inode">The socket, once it has been seen; null before.</param>
internal sealed record OpenSession(long Login, IPEndPoint Peer, ulong? Inode, LoginRole Role, string Name, string? Device, Instant Since)
{
    /// <summary>The account; empty: not known.</summary>
    public string User { get; init; } = "";
}

/// <summary>
/// Which sessions are open: those that sshd's log says began and the kernel says still stand. A lost "disconnected" line therefore
/// keeps nothing open, and a forged one closes nothing.
/// </summary>
[PureCore]
internal static class OpenSessions
{
    /// <param name="sessions">Oldest first.</param>
    /// <param name="connections">What the kernel has now.</param>
    /// <returns>Those still open, each bound to its socket.</returns>
    public static ImmutableArray<OpenSession> Verify(
        ImmutableArray<OpenSession> sessions, IEnumerable<TcpConnection> connections, ImmutableArray<int> sshdPorts)
    {
        var free = connections.Where(c => c.Established && sshdPorts.Contains(c.Local.Port)).ToList();
        var open = new Dictionary<long, OpenSession>();

        // Sockets already known first; then the newest login first: address and port may have been used before by one that is gone.
        foreach (var session in sessions.Reverse().OrderByDescending(s => s.Inode is not null))
        {
            var at = free.FindIndex(c => c.Remote.Equals(session.Peer) && (session.Inode is null || c.Inode == session.Inode));
            if (at >= 0)
            {
                open[session.Login] = session with { Inode = free[at].Inode };
                free.RemoveAt(at);
            }
        }

        return [.. sessions.Where(s => open.ContainsKey(s.Login)).Select(s => open[s.Login])];
    }

    /// <summary>A site's own tunnel is no session: it is what the sessions come for.</summary>
    public static bool Counts(OpenSession session) => session.Role != LoginRole.Site;
}
