using System.Globalization;
using Common.Journal;
using Microsoft.Data.Sqlite;

namespace InternalHost.Messages;

/// <summary>What the owner has been told and is not told again for a while, through restarts. Wall time: it is about months and weeks.</summary>
internal sealed class OnceTold(Database database)
{
    public const string Migration = "CREATE TABLE told_once (what TEXT PRIMARY KEY, wall TEXT NOT NULL) WITHOUT ROWID";

    /// <summary>When it was last told; null: never, or the disk does not say.</summary>
    public DateTimeOffset? When(string what)
    {
        try
        {
            return database.Read(c => c.Sql("SELECT wall FROM told_once WHERE what = $what", ("$what", what))
                .List(r => DateTimeOffset.Parse(r.GetString(0), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal))) is [var wall, ..] ? wall : null;
        }
        catch (SqliteException)
        {
            return null;
        }
    }

    public static void Save(SqliteTransaction transaction, string what, DateTimeOffset at) => transaction.Sql(
        "INSERT OR REPLACE INTO told_once (what, wall) VALUES ($what, $wall)",
        ("$what", what), ("$wall", at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture))).Run();

    public static void Forget(SqliteTransaction transaction, string what) => transaction.Sql("DELETE FROM told_once WHERE what = $what", ("$what", what)).Run();
}
