using Bastion.Configuration;
using Common.Agent;
using Common.Alerts;
using Common.Journal;
using Common.Logins;
using Common.Text;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Bastion.Logins;

/// <summary>The record of logins as the inside may ask for it, a page at a time, each with what became of its alert.</summary>
internal sealed class LoginEvents(Database database, string boot, TimeProvider time)
{
    /// <summary>The answer is one line of at most 64 KiB.</summary>
    public const int PageLength = 64;

    private const int LongestText = 64;
    private const string Columns = "seq, kind, role, user, name, device, address, instant, boot, open, ended, told, alert_id, repeat_of";

    /// <param name="since">Logins after this number, the oldest of them first; null: the newest page.</param>
    /// <returns>The page, and the number of the newest login there is (0: there is none).</returns>
    public (IReadOnlyList<AgentEvent> Page, long? Last) After(long? since) => database.Read(connection =>
    {
        var page = since is { } number
            ? connection.Sql($"SELECT {Columns} FROM logins WHERE seq > $since ORDER BY seq LIMIT $most", ("$since", number), ("$most", PageLength))
            : connection.Sql($"SELECT {Columns} FROM (SELECT * FROM logins ORDER BY seq DESC LIMIT $most) ORDER BY seq", ("$most", PageLength));
        var last = connection.Sql("SELECT coalesce(max(seq), 0) FROM logins").List(r => r.GetInt64(0))[0];
        return ((IReadOnlyList<AgentEvent>)page.List(row => Event(connection, row)), (long?)last);
    });

    /// <summary>The alert that tells of a login, and what became of it; null: none does.</summary>
    public (string? Alert, string? Told) Told(long login) => database.Read(connection =>
        connection.Sql("SELECT told, alert_id, repeat_of FROM logins WHERE seq = $seq", ("$seq", login)).List(row => Told(connection, row, 0)).FirstOrDefault());

    private static (string? Alert, string? Told) Told(SqliteConnection connection, SqliteDataReader row, int first)
    {
        var alert = row.GetBoolean(first) ? row.GetString(first + 1) : row.IsDBNull(first + 2) ? null : row.GetString(first + 2);
        return (alert, alert is null ? null : AlertBook.Standing(connection, alert).ToString().ToLowerInvariant());
    }

    private AgentEvent Event(SqliteConnection connection, SqliteDataReader row)
    {
        var here = row.GetString(8) == boot;
        var (alert, told) = Told(connection, row, 11);
        return new AgentEvent(
            row.GetInt64(0),
            ((LoginKind)row.GetInt32(1)).ToString().ToLowerInvariant(),
            ((LoginRole)row.GetInt32(2)).ToString().ToLowerInvariant(),
            SafeText.Clean(row.GetString(3), LongestText),
            SafeText.Clean(row.GetString(4), LongestText),
            row.IsDBNull(5) ? null : SafeText.Clean(row.GetString(5), LongestText),
            row.IsDBNull(6) ? null : row.GetString(6),
            here ? Ago(row.GetInt64(7)) : null,
            here && row.GetBoolean(9))
        {
            EndedSeconds = here && !row.IsDBNull(10) ? Ago(row.GetInt64(10)) : null,
            Alert = alert,
            Told = told,
        };
    }

    private double Ago(long ticks) => Math.Max(0, (Instant.Now(time) - new Instant(ticks)).TotalSeconds);
}
