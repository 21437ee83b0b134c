using System.Collections.Immutable;
using Common.Journal;
using Microsoft.Data.Sqlite;

namespace InternalHost.Configuration;

/// <summary>Remembers the port of each service across restarts, in the state file.</summary>
public static class ServicePortMemory
{
    /// <summary>One of the state file's migrations.</summary>
    public const string Migration = "CREATE TABLE service_port (name TEXT PRIMARY KEY, port INTEGER NOT NULL) WITHOUT ROWID";

    public static ImmutableDictionary<string, int> Load(Database database) => database.Read(Rows);

    public static void Save(Database database, ImmutableDictionary<string, int> memory) => database.Write(transaction =>
    {
        transaction.Sql("DELETE FROM service_port").Run();
        foreach (var (name, port) in memory)
        {
            transaction.Sql("INSERT INTO service_port (name, port) VALUES ($name, $port)", ("$name", name), ("$port", port)).Run();
        }
    });

    /// <summary>What a running or stopped daemon remembers, read beside it; empty when there is nothing to read.</summary>
    public static ImmutableDictionary<string, int> Peek(string stateFile)
    {
        if (!File.Exists(stateFile))
        {
            return [];
        }

        try
        {
            using var connection = Database.Peek(stateFile);
            return Rows(connection);
        }
        catch (SqliteException)
        {
            // Not readable by this user, or from before the table: then the order of the file decides, as for the daemon itself.
            return [];
        }
    }

    private static ImmutableDictionary<string, int> Rows(SqliteConnection connection) =>
        connection.Sql("SELECT name, port FROM service_port").List(row => (Name: row.GetString(0), Port: row.GetInt32(1)))
            .ToImmutableDictionary(r => r.Name, r => r.Port, StringComparer.Ordinal);
}
