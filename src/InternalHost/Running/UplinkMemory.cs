using Common.Journal;
using InternalHost.Configuration;
using InternalHost.Wan;
using Microsoft.Data.Sqlite;

namespace InternalHost.Running;

/// <summary>Remembers which uplinks have been Up as they are wired now: only such a one can be Down.</summary>
internal sealed class UplinkMemory(Database database)
{
    public const string Migration = "CREATE TABLE uplink_was_up (fingerprint TEXT PRIMARY KEY) WITHOUT ROWID";

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public bool WasUp(UplinkOptions uplink)
    {
        var fingerprint = UplinkFingerprint.Of(uplink);
        try
        {
            return database.Read(c => c.Sql("SELECT 1 FROM uplink_was_up WHERE fingerprint = $f", ("$f", fingerprint)).List(r => r.GetInt32(0))).Count > 0;
        }
        catch (SqliteException)
        {
            return false;
        }
    }

    /// <summary>Written once; a disk that does not take it is tried again at the next news.</summary>
    public void Remember(UplinkOptions uplink)
    {
        var fingerprint = UplinkFingerprint.Of(uplink);
        if (_known.Contains(fingerprint))
        {
            return;
        }

        try
        {
            database.Write(t => t.Sql("INSERT OR IGNORE INTO uplink_was_up (fingerprint) VALUES ($f)", ("$f", fingerprint)).Run());
            _known.Add(fingerprint);
        }
        catch (SqliteException)
        {
            // The journal tells of the disk; here only the next start would be slower to believe an outage.
        }
    }
}
