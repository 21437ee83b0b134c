using System.Collections.Immutable;
using System.Net;
using Common.Journal;
using Common.Logins;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Bastion.Sessions;

/// <summary>The sessions that the recorded logins opened.</summary>
internal static class SessionStore
{
    /// <summary>Not seen to end, oldest first. A connection does not outlive the machine: other boots do not count.</summary>
    public static ImmutableArray<OpenSession> OpenIn(SqliteConnection connection, string boot) => [.. connection.Sql(
        "SELECT seq, address, port, inode, role, name, device, instant, user FROM logins WHERE open = 1 AND boot = $boot ORDER BY seq", ("$boot", boot)).List(row =>
        new OpenSession(
            row.GetInt64(0),
            new IPEndPoint(IPAddress.Parse(row.GetString(1)), row.GetInt32(2)),
            row.IsDBNull(3) ? null : unchecked((ulong)row.GetInt64(3)),
            (LoginRole)row.GetInt32(4),
            row.GetString(5),
            row.IsDBNull(6) ? null : row.GetString(6),
            new Instant(row.GetInt64(7)))
        {
            User = row.GetString(8),
        })];

    /// <summary>Keeps which of <paramref name="before"/> are still open, and their sockets.</summary>
    public static void Keep(SqliteTransaction transaction, ImmutableArray<OpenSession> before, ImmutableArray<OpenSession> now, Instant at)
    {
        foreach (var gone in before.Where(b => now.All(n => n.Login != b.Login)))
        {
            transaction.Sql("UPDATE logins SET open = 0, ended = $at WHERE seq = $seq", ("$seq", gone.Login), ("$at", at.Ticks)).Run();
        }

        foreach (var bound in now.Where(n => !before.Contains(n)))
        {
            transaction.Sql("UPDATE logins SET inode = $inode WHERE seq = $seq", ("$inode", unchecked((long?)bound.Inode)), ("$seq", bound.Login)).Run();
        }
    }

    /// <summary>Logins of people (all but sites) since the machine's boot.</summary>
    public static int PeopleSince(SqliteConnection connection, string boot) => connection.Sql(
        "SELECT count(*) FROM logins WHERE boot = $boot AND role <> $site", ("$boot", boot), ("$site", (int)LoginRole.Site)).List(r => r.GetInt32(0))[0];
}
