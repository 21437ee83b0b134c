using System.Globalization;
using Common.Journal;
using Microsoft.Data.Sqlite;

namespace InternalHost.Wan.Clock;

/// <summary>The last time we were sure of, on disk: the floor of the next start.</summary>
internal sealed class TimeJournal(Database database)
{
    /// <summary>To be appended to the state file's migrations.</summary>
    public const string Migration = "CREATE TABLE trusted_time(id INTEGER PRIMARY KEY CHECK (id = 1), at TEXT NOT NULL)";

    public DateTimeOffset? Read()
    {
        try
        {
            var rows = database.Read(c => c.Sql("SELECT at FROM trusted_time").List(r => r.GetString(0)));
            return rows.Count == 1
                && DateTimeOffset.TryParseExact(rows[0], "O", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
        }
        catch (SqliteException)
        {
            return null;
        }
    }

    /// <returns>False: the disk did not take it; the floor stays where it was.</returns>
    public bool Write(DateTimeOffset at)
    {
        try
        {
            database.Write(t => t.Sql(
                "INSERT INTO trusted_time(id, at) VALUES(1, $at) ON CONFLICT(id) DO UPDATE SET at=excluded.at",
                ("$at", at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture))).Run());
            return true;
        }
        catch (SqliteException)
        {
            return false;
        }
    }
}
