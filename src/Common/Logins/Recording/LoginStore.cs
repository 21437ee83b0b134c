using System.Globalization;
using Common.Journal;
using Microsoft.Data.Sqlite;

namespace Common.Logins.Recording;

/// <summary>The logins in the program's state file.</summary>
internal static class LoginStore
{
    public const string Schema = """
        CREATE TABLE logins(
          seq INTEGER PRIMARY KEY AUTOINCREMENT,
          source TEXT NOT NULL UNIQUE,
          alert_id TEXT NOT NULL UNIQUE,
          read_at TEXT NOT NULL,
          logged_at TEXT,
          boot TEXT NOT NULL,
          instant INTEGER NOT NULL,
          pid INTEGER,
          user TEXT NOT NULL,
          method TEXT NOT NULL,
          address TEXT,
          port INTEGER,
          key_type TEXT,
          fingerprint TEXT,
          certificate TEXT,
          subject TEXT NOT NULL,
          network TEXT NOT NULL,
          role INTEGER NOT NULL,
          name TEXT NOT NULL,
          device TEXT,
          severity INTEGER NOT NULL,
          flags INTEGER NOT NULL,
          why TEXT NOT NULL,
          told INTEGER NOT NULL,
          open INTEGER NOT NULL,
          inode INTEGER);
        CREATE INDEX logins_by_subject ON logins(subject, network);
        CREATE INDEX logins_open ON logins(open) WHERE open = 1;
        CREATE INDEX logins_by_boot ON logins(boot, role);
        """;

    /// <summary>A later one. <c>ended</c>: monotonic, when its connection was found gone. <c>repeat_of</c>: the alert whose digest counts it.</summary>
    public const string EventsMigration = """
        ALTER TABLE logins ADD COLUMN ended INTEGER;
        ALTER TABLE logins ADD COLUMN repeat_of TEXT;
        """;

    /// <summary>A later one. <c>awaits</c>: the bastion's word about it is awaited.</summary>
    public const string WayMigration = """
        ALTER TABLE logins ADD COLUMN way INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE logins ADD COLUMN awaits INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX logins_awaiting_word ON logins(awaits) WHERE awaits = 1;
        """;

    /// <returns>Its number.</returns>
    public static long Add(SqliteTransaction transaction, LoginRecord record)
    {
        var (login, verdict) = (record.Login, record.Verdict);
        transaction.Sql(
            """
            INSERT INTO logins(source, alert_id, read_at, logged_at, boot, instant, pid, user, method, address, port, key_type, fingerprint,
              certificate, subject, network, role, name, device, severity, flags, why, told, open, silence, failures, repeat_of, way, awaits)
            VALUES($source, $id, $read, $logged, $boot, $instant, $pid, $user, $method, $address, $port, $type, $fingerprint,
              $certificate, $subject, $network, $role, $name, $device, $severity, $flags, $why, $told, $open, $silence, $failures, $repeat, $way, $awaits)
            """,
            ("$source", record.Source),
            ("$id", record.AlertId),
            ("$read", Wall(record.ReadAt)),
            ("$logged", record.LoggedAt is { } at ? Wall(at) : null),
            ("$boot", record.Boot),
            ("$instant", record.At.Ticks),
            ("$pid", record.Pid),
            ("$user", login.User),
            ("$method", login.Method),
            ("$address", login.From?.Address.ToString()),
            ("$port", login.From?.Port),
            ("$type", login.Key?.Type),
            ("$fingerprint", login.Key?.Fingerprint),
            ("$certificate", login.Key?.Certificate?.ToString()),
            ("$subject", record.Subject),
            ("$network", record.Network),
            ("$role", (int)verdict.Role),
            ("$name", verdict.Who),
            ("$device", verdict.Device),
            ("$severity", (int)verdict.Severity),
            ("$flags", (int)verdict.Flags),
            ("$why", verdict.Why),
            ("$told", record.Told is { Push: true }),
            ("$silence", record.Told?.Silence),
            ("$failures", record.Failures),
            ("$repeat", record.Told?.RepeatOf),
            ("$way", (int)record.Way),
            ("$awaits", record.Told is { Awaits: true }),
            // Without an address the kernel cannot be asked about it; sshd writes UNKNOWN when the peer is gone already.
            ("$open", login.From is not null)).Run();
        return transaction.Sql("SELECT last_insert_rowid()").List(r => r.GetInt64(0))[0];
    }

    /// <summary>By another login, or by another alert than the one about this.</summary>
    public static bool IsTaken(SqliteTransaction transaction, string alertId, string about) => transaction.Sql(
        "SELECT 1 FROM logins WHERE alert_id = $id UNION ALL SELECT 1 FROM alerts WHERE id = $id AND about IS NOT $about",
        ("$id", alertId), ("$about", about)).List(r => r.GetInt32(0)).Count > 0;

    /// <summary>Logins about which the bastion's word is awaited, oldest first.</summary>
    public static List<(long Seq, LoginRecord Record)> Awaiting(SqliteTransaction transaction) => transaction.Sql(LoginSightings.RecordsWhere("awaits = 1")).List(Awaiting);

    /// <inheritdoc cref="Awaiting(SqliteTransaction)"/>
    public static List<(long Seq, LoginRecord Record)> Awaiting(SqliteConnection connection) => connection.Sql(LoginSightings.RecordsWhere("awaits = 1")).List(Awaiting);

    private static (long Seq, LoginRecord Record) Awaiting(SqliteDataReader row) => LoginSightings.RecordRow(row) is var (known, record) ? (known.Seq, record) : default;

    /// <summary>The bastion's word has come, or is not waited for any longer.</summary>
    public static void Heard(SqliteTransaction transaction, long seq, LoginRecord record) => transaction.Sql(
        """
        UPDATE logins SET awaits = 0, severity = $severity, why = $why, flags = flags | $flags, name = $name, device = $device, told = $told, silence = $silence, repeat_of = $repeat
        WHERE seq = $seq
        """,
        ("$seq", seq), ("$severity", (int)record.Verdict.Severity), ("$why", record.Verdict.Why), ("$flags", (int)record.Verdict.Flags), ("$name", record.Verdict.Who),
        ("$device", record.Verdict.Device), ("$told", record.Told is { Push: true }), ("$silence", record.Told?.Silence), ("$repeat", record.Told?.RepeatOf)).Run();

    internal static string Wall(DateTimeOffset at) => at.ToString("O", CultureInfo.InvariantCulture);

    internal static DateTimeOffset Wall(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
