using System.Collections.Immutable;
using Bastion.Logins;
using Common.Logins;
using Common.Logins.Recording;
using Common.Journal;
using Common.Kernel;
using Common.Time;

namespace Bastion.Sessions;

/// <summary>
/// The sessions open now: the state file's open logins, checked against the kernel each time they are asked for. What a killed agent
/// knew its successor reads back.
/// </summary>
internal sealed class SessionBook(Database database, KernelConnections kernel, ImmutableArray<int> sshdPorts, string boot, TimeProvider time)
{
    private readonly Lock _gate = new();

    /// <summary>Null: not known. Site accounts included.</summary>
    public ImmutableArray<OpenSession>? Now()
    {
        // One at a time: two readings must not close each other's findings out of order.
        lock (_gate)
        {
            var before = database.Read(c => SessionStore.OpenIn(c, boot));
            if (before.IsEmpty)
            {
                return before;
            }

            if (kernel.Read() is not { } connections)
            {
                return null;
            }

            var now = OpenSessions.Verify(before, connections, sshdPorts);
            if (!now.SequenceEqual(before))
            {
                database.Write(transaction => SessionStore.Keep(transaction, before, now, Instant.Now(time)));
            }

            return now;
        }
    }
}
