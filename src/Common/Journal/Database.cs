using Microsoft.Data.Sqlite;

namespace Common.Journal;

/// <summary>
/// One SQLite file: the memory of a program across crashes. One connection, one writer at a time, WAL, synchronous=FULL
/// (what was committed survives a power cut). Schema by numbered migrations (PRAGMA user_version).
/// </summary>
/// <remarks>
/// Errors: <see cref="SqliteException"/> when the disk is full, read-only or broken; callers that must go on decide how
/// (a lost journal write is a problem to tell, not a crash of the tunnel).
/// </remarks>
public sealed class Database : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly Lock _gate = new();

    private Database(SqliteConnection connection) => _connection = connection;

    /// <summary>Opens or creates the file with mode 0600 and brings the schema up to <paramref name="migrations"/>.</summary>
    public static Database Open(string path, params IReadOnlyList<string> migrations)
    {
        SqliteNative.Load();
        if (path != ":memory:" && !File.Exists(path))
        {
            using var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }

        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        try
        {
            connection.Open();
            var database = new Database(connection);
            database.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=2000; PRAGMA foreign_keys=ON;");
            database.Migrate(migrations);
            return database;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A read-only look at a state file that another program may be writing. The caller disposes it.</summary>
    /// <exception cref="SqliteException">Not readable.</exception>
    public static SqliteConnection Peek(string path)
    {
        SqliteNative.Load();
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    /// <summary>Runs <paramref name="work"/> in one transaction: all of it is on disk when this returns, or none of it.</summary>
    public T Write<T>(Func<SqliteTransaction, T> work)
    {
        lock (_gate)
        {
            using var transaction = _connection.BeginTransaction(deferred: false);
            var result = work(transaction);
            transaction.Commit();
            return result;
        }
    }

    public void Write(Action<SqliteTransaction> work) => Write(transaction =>
    {
        work(transaction);
        return 0;
    });

    public T Read<T>(Func<SqliteConnection, T> work)
    {
        lock (_gate)
        {
            return work(_connection);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _connection.Dispose();
        }
    }

    private void Migrate(IReadOnlyList<string> migrations)
    {
        var have = Convert.ToInt32(Scalar("PRAGMA user_version"), null);
        if (have > migrations.Count)
        {
            throw new InvalidDataException($"the state file has schema {have}, this version knows {migrations.Count}: it was written by a newer version");
        }

        for (var version = have; version < migrations.Count; version++)
        {
            using var transaction = _connection.BeginTransaction(deferred: false);
            using var command = _connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = migrations[version] + $";PRAGMA user_version={version + 1}";
            command.ExecuteNonQuery();
            transaction.Commit();
        }
    }

    private void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private object? Scalar(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}

/// <summary>Short forms for parameterised SQL.</summary>
public static class SqlExtensions
{
    public static SqliteCommand Sql(this SqliteTransaction transaction, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = Sql(transaction.Connection!, sql, parameters);
        command.Transaction = transaction;
        return command;
    }

    public static SqliteCommand Sql(this SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command;
    }

    public static int Run(this SqliteCommand command)
    {
        using (command)
        {
            return command.ExecuteNonQuery();
        }
    }

    public static List<T> List<T>(this SqliteCommand command, Func<SqliteDataReader, T> row)
    {
        using (command)
        {
            using var reader = command.ExecuteReader();
            var rows = new List<T>();
            while (reader.Read())
            {
                rows.Add(row(reader));
            }

            return rows;
        }
    }
}
