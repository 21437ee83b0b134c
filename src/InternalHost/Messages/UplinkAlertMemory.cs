using System.Collections.Immutable;
using Common.Journal;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace InternalHost.Messages;

/// <summary>Remembers what the owner was told of the uplinks, so that a restart repeats nothing. One row for each trouble.</summary>
/// <param name="boot">Names this boot of the machine: moments of another one say nothing here.</param>
internal sealed class UplinkAlertMemory(Database database, string boot)
{
    public const string Migration =
        "CREATE TABLE uplink_told (trouble INTEGER PRIMARY KEY, episode INTEGER NOT NULL, told INTEGER NOT NULL, told_at INTEGER, boot TEXT NOT NULL) WITHOUT ROWID";

    /// <summary>What was told before this start. What was told in an earlier boot is taken to be told now: rather silent too long than twice.</summary>
    public ImmutableArray<TroubleWatch> Load(Instant now)
    {
        try
        {
            var rows = database.Read(c => c.Sql("SELECT trouble, episode, told, told_at, boot FROM uplink_told").List(r => new TroubleWatch((UplinkTrouble)r.GetInt32(0))
            {
                Episode = r.GetInt32(1),
                Told = r.GetBoolean(2),
                ToldAt = r.IsDBNull(3) ? null : r.GetString(4) == boot ? new Instant(r.GetInt64(3)) : now,
            }));
            return [.. UplinkAlertRules.Fresh.Select(fresh => rows.FirstOrDefault(r => r.Trouble == fresh.Trouble) ?? fresh)];
        }
        catch (SqliteException)
        {
            // The journal tells of the disk; here only something may be told twice.
            return UplinkAlertRules.Fresh;
        }
    }

    public void Save(SqliteTransaction transaction, TroubleWatch watch) => transaction.Sql(
        "INSERT OR REPLACE INTO uplink_told (trouble, episode, told, told_at, boot) VALUES ($trouble, $episode, $told, $at, $boot)",
        ("$trouble", (int)watch.Trouble), ("$episode", watch.Episode), ("$told", watch.Told), ("$at", watch.ToldAt?.Ticks), ("$boot", boot)).Run();
}
