using Common.Alerts;
using Common.Journal;
using Common.Logins;
using Common.Logins.Policy;
using Common.Logins.Recording;
using InternalHost.Cloud.Inventory;
using InternalHost.Configuration;
using InternalHost.Failover;
using InternalHost.Messages;
using InternalHost.Sync;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Http;
using Microsoft.Data.Sqlite;

namespace InternalHost.Running;

/// <summary>The one file that <c>internalhost</c> remembers by. The order of the migrations is for ever; new ones go to the end.</summary>
internal static class StateFile
{
    private static readonly string[] Migrations =
    [
        FailoverJournal.Migration,
        Outbox.Migration,
        LastGoodAddresses.Migration,
        TimeJournal.Migration,
        ServicePortMemory.Migration,
        UplinkMemory.Migration,
        UplinkAlertMemory.Migration,
        Outbox.DetailsMigration,
        BundleNumbers.Migration,
        LoginStore.Schema,
        LogPosition.Schema,
        LoginPolicyStore.Migration,
        LoginSightings.Schema,
        LoginStore.EventsMigration,
        LoginStore.WayMigration,
        LoginRetention.Migration,
        EvictionAlert.Migration,
        OnceTold.Migration,
        CloudReconciler.Migration,
    ];

    /// <summary>
    /// Opens the file. One that is broken is put aside, never deleted, and a new one begun; where the disk takes nothing at all, memory
    /// serves. The controller can do without: what runs is asked of the provider.
    /// </summary>
    /// <param name="problem">What was done about a broken disk, for status and log; null when all is well.</param>
    public static Database Open(string directory, out string? problem)
    {
        var path = Path.Combine(directory, SiteOptions.StateFileName);
        problem = null;
        try
        {
            return Database.Open(path, Migrations);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB)
        {
            problem = $"the state file was broken ({e.Message}) and lies beside the new one as {PutAside(path)}";
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            problem = $"the state file cannot be used ({e.Message}); going on in memory";
            return Database.Open(":memory:", Migrations);
        }

        try
        {
            return Database.Open(path, Migrations);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            problem += $"; a new one cannot be written ({e.Message}): going on in memory";
            return Database.Open(":memory:", Migrations);
        }
    }

    /// <summary>The same schema without a disk: for the simulation of years.</summary>
    public static Database OpenInMemory() => Database.Open(":memory:", Migrations);

    private static string PutAside(string path)
    {
        for (var n = 1; ; n++)
        {
            var aside = $"{path}.broken-{n}";
            if (File.Exists(aside))
            {
                continue;
            }

            foreach (var suffix in (string[])["", "-wal", "-shm"])
            {
                if (File.Exists(path + suffix))
                {
                    File.Move(path + suffix, aside + suffix);
                }
            }

            return aside;
        }
    }
}
