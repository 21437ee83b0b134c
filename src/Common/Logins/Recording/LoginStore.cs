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

    /// <returns>Its number.</returns>
    public static long Add(SqliteTransaction transaction, LoginRecord record)
    {
        var (login, verdict) = (record.Login, record.Verdict);
        transaction.Sql(
            """
            INSERT INTO logins(source, alert_id, read_at, logged_at, boot, instant, pid, user, method, address, port, key_type, fingerprint,
              certificate, subject, network, role, name, device, severity, flags, why, told, open, silence, failures, repeat_of)
            VALUES($source, $id, $read, $logged, $boot, $instant, $pid, $user, $method, $address, $port, $type, $fingerprint,
              $certificate, $subject, $network, $role, $name, $device, $severity, $flags, $why, $told, $open, $silence, $failures, $repeat)
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
            // Without an address the kernel cannot be asked about it; sshd writes UNKNOWN when the peer is gone already.
            ("$open", login.From is not null)).Run();
        return transaction.Sql("SELECT last_insert_rowid()").List(r => r.GetInt64(0))[0];
    }

    /// <summary>By another login, or by another alert than the one about this.</summary>
    public static bool IsTaken(SqliteTransaction transaction, string alertId, string about) => transaction.Sql(
        "SELECT 1 FROM logins WHERE alert_id = $id UNION ALL SELECT 1 FROM alerts WHERE id = $id AND about IS NOT $about",
        ("$id", alertId), ("$about", about)).List(r => r.GetInt32(0)).Count > 0;

    internal static string Wall(DateTimeOffset at) => at.ToString("O", CultureInfo.InvariantCulture);

    internal static DateTimeOffset Wall(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
