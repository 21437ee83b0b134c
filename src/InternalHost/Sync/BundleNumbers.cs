using Common.Journal;
using Microsoft.Data.Sqlite;

namespace InternalHost.Sync;

/// <summary>
/// Numbers of bundles. Each is on disk before it is used: after a kill in between a number is skipped, and none is ever used twice.
/// Where the disk fails, the time makes them rise; where that is not known either, the bastion's answer does.
/// </summary>
internal sealed class BundleNumbers(Database database, string site)
{
    public const string Migration = "CREATE TABLE bundle_number (site TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID";

    /// <summary>A bastion that claims to have more is not believed: counting on from there would soon end. 2^53 - 1 is exact in every reader of JSON.</summary>
    public const long Highest = (1L << 53) - 1;

    private long _last;

    /// <param name="unixSeconds">Trusted time; null: not known.</param>
    /// <param name="above">A number that the bastion has already.</param>
    public long Next(long? unixSeconds, long above = 0)
    {
        _last = new[] { _last + 1, Read() + 1, above + 1, unixSeconds ?? 0 }.Max();
        try
        {
            database.Write(t => t.Sql("INSERT OR REPLACE INTO bundle_number (site, number) VALUES ($site, $number)", ("$site", site), ("$number", _last)).Run());
        }
        catch (SqliteException)
        {
            // The journal tells of the disk.
        }

        return _last;
    }

    private long Read()
    {
        try
        {
            return database.Read(c => c.Sql("SELECT number FROM bundle_number WHERE site = $site", ("$site", site)).List(r => r.GetInt64(0))).FirstOrDefault();
        }
        catch (SqliteException)
        {
            return 0;
        }
    }
}
