using Common.Journal;
using Microsoft.Data.Sqlite;

namespace Common.Logins.Recording;

/// <summary>
/// Bounds the record of logins by count, as the other tables: a clock that is wrong takes nothing away. What was told and what was not are
/// counted apart, so that a tunnel that comes and goes for months, or a storm of repeats, drives out nothing that somebody was told of.
/// </summary>
internal static class LoginRetention
{
    /// <summary>Of those told, and of those not told.</summary>
    public const int Kept = 10_000;

    /// <summary>Looked at after this many logins; so many more there may be.</summary>
    public const int Every = 100;

    public const string Migration = """
        CREATE INDEX logins_by_told ON logins(told);
        CREATE INDEX login_sightings_by_login ON login_sightings(login);
        """;

    /// <summary>Its sightings go with a login: by then its source's own position is far beyond it.</summary>
    /// <param name="sessionsOf">The boot whose open sessions are looked after, which stay; null: nobody looks after sessions here.</param>
    public static void Prune(SqliteTransaction transaction, string? sessionsOf, int keep = Kept)
    {
        foreach (var told in (bool[])[true, false])
        {
            Run(transaction, $"DELETE FROM login_sightings WHERE login IN (SELECT seq FROM logins WHERE {Old})", told, sessionsOf, keep);
            Run(transaction, $"DELETE FROM logins WHERE {Old}", told, sessionsOf, keep);
        }
    }

    /// <summary>And nothing is awaited: neither its hook, nor the bastion's word, nor its end.</summary>
    private const string Old = """
        told = $told AND seq <= (SELECT seq FROM logins WHERE told = $told ORDER BY seq DESC LIMIT 1 OFFSET $keep)
        AND hook <> 1 AND awaits = 0 AND NOT (open = 1 AND boot IS $boot)
        """;

    private static void Run(SqliteTransaction transaction, string sql, bool told, string? boot, int keep) =>
        transaction.Sql(sql, ("$told", told), ("$boot", boot), ("$keep", keep)).Run();
}
