using System.Collections.Immutable;
using Common.Journal;
using Microsoft.Data.Sqlite;

namespace Common.Logins;

/// <summary>How far a file has been read.</summary>
/// <param name="Generation">Counts files and truncations: with the offset it names a line for ever.</param>
/// <param name="Offset">Of the first byte not yet read; always behind a line end.</param>
/// <param name="Tail">The last bytes before the offset: a file that has other bytes there is another file.</param>
/// <param name="BacklogEnd">Lines before this were there when the agent first looked.</param>
internal sealed record LogPosition(FileIdentity File, long Generation, long Offset, ImmutableArray<byte> Tail, long BacklogEnd)
{
    public const int TailLength = 64;

    public const string Schema = """
        CREATE TABLE log_position(
          generation INTEGER PRIMARY KEY, device_major INTEGER NOT NULL, device_minor INTEGER NOT NULL, inode INTEGER NOT NULL,
          offset INTEGER NOT NULL, tail BLOB NOT NULL, backlog_end INTEGER NOT NULL);
        CREATE TABLE journal_cursor(one INTEGER PRIMARY KEY CHECK (one = 1), cursor TEXT NOT NULL, backlog_until TEXT);
        """;

    public static ImmutableArray<LogPosition> Load(Database database) => [.. database.Read(c => c.Sql(
        "SELECT device_major, device_minor, inode, generation, offset, tail, backlog_end FROM log_position ORDER BY generation").List(Row))];

    /// <summary>Replaces all that was saved before.</summary>
    public static void Save(SqliteTransaction transaction, IEnumerable<LogPosition> positions)
    {
        transaction.Sql("DELETE FROM log_position").Run();
        foreach (var p in positions)
        {
            transaction.Sql(
                "INSERT INTO log_position(generation, device_major, device_minor, inode, offset, tail, backlog_end) VALUES(@g, @a, @i, @n, @o, @t, @b)",
                ("@g", p.Generation), ("@a", (long)p.File.DeviceMajor), ("@i", (long)p.File.DeviceMinor), ("@n", unchecked((long)p.File.Inode)),
                ("@o", p.Offset), ("@t", p.Tail.ToArray()), ("@b", p.BacklogEnd)).Run();
        }
    }

    private static LogPosition Row(SqliteDataReader row) => new(
        new FileIdentity((uint)row.GetInt64(0), (uint)row.GetInt64(1), unchecked((ulong)row.GetInt64(2))),
        row.GetInt64(3), row.GetInt64(4), [.. (byte[])row.GetValue(5)], row.GetInt64(6));
}
