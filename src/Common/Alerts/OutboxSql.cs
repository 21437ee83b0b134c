using System.Collections.Immutable;
using System.Globalization;
using Common.Journal;
using Microsoft.Data.Sqlite;

namespace Common.Alerts;

/// <summary>The outbox's SQL, all of it.</summary>
internal static class OutboxSql
{
    public const string Migration = """
        CREATE TABLE alerts(
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            severity INTEGER NOT NULL,
            text TEXT NOT NULL,
            plain TEXT,
            raised_at TEXT NOT NULL,
            about TEXT);
        CREATE TABLE deliveries(
            alert_id TEXT NOT NULL REFERENCES alerts(id) ON DELETE CASCADE,
            channel TEXT NOT NULL,
            recipient TEXT NOT NULL,
            person TEXT NOT NULL,
            rank INTEGER NOT NULL,
            always INTEGER NOT NULL,
            phase INTEGER NOT NULL,
            resends INTEGER NOT NULL DEFAULT 0,
            said_plain INTEGER NOT NULL DEFAULT 0,
            provider_id TEXT,
            code TEXT,
            reason TEXT,
            PRIMARY KEY(alert_id, channel, recipient));
        CREATE INDEX deliveries_by_phase ON deliveries(phase, alert_id);
        """;

    public const string DetailsMigration = "ALTER TABLE alerts ADD COLUMN details TEXT;";

    private const int Settled = (int)DeliveryPhase.Confirmed;
    private const int Dead = (int)DeliveryPhase.Dead;
    private const string AlertColumns = "a.seq, a.id, a.kind, a.severity, a.text, a.plain, a.raised_at, a.about, a.details";

    public static Alert? Find(SqliteTransaction transaction, string id) => Find(transaction.Connection!, id, transaction);

    public static Alert? Find(SqliteConnection connection, string id) => Find(connection, id, null);

    /// <summary>False: an alert of this id is there already.</summary>
    public static bool Insert(SqliteTransaction transaction, OpenAlert open)
    {
        var a = open.Alert;
        var added = transaction.Sql(
            """
            INSERT OR IGNORE INTO alerts(id, kind, severity, text, plain, raised_at, about, details)
            VALUES($id, $kind, $severity, $text, $plain, $raised, $about, $details)
            """,
            ("$id", a.Id),
            ("$kind", a.Kind),
            ("$severity", (int)a.Severity),
            ("$text", a.Text),
            ("$plain", a.Plain),
            ("$raised", a.RaisedAt.ToString("O", CultureInfo.InvariantCulture)),
            ("$about", a.About),
            ("$details", AlertDetail.Write(a.Details))).Run() > 0;
        if (added)
        {
            foreach (var delivery in open.Deliveries)
            {
                Insert(transaction, delivery);
            }
        }

        return added;
    }

    public static void Update(SqliteTransaction transaction, Delivery d) => transaction.Sql(
        """
        UPDATE deliveries SET phase=$phase, resends=$resends, said_plain=$plain, provider_id=$provider, code=$code, reason=$reason
        WHERE alert_id=$alert AND channel=$channel AND recipient=$recipient
        """,
        ("$phase", (int)d.Phase),
        ("$resends", d.Resends),
        ("$plain", d.SaidPlain),
        ("$provider", d.ProviderId),
        ("$code", d.Code),
        ("$reason", d.Reason),
        ("$alert", d.Key.AlertId),
        ("$channel", d.Key.Channel),
        ("$recipient", d.Key.Recipient)).Run();

    /// <summary>Replaces the open deliveries by <paramref name="channel"/> with those of the alert made anew.</summary>
    public static void Readdress(SqliteTransaction transaction, string channel, Func<Alert, OpenAlert> anew)
    {
        foreach (var open in Open(transaction.Connection!, 0).Where(o => o.Deliveries.Any(d => d.Key.Channel == channel)))
        {
            transaction.Sql("DELETE FROM deliveries WHERE alert_id = $id AND channel = $channel", ("$id", open.Alert.Id), ("$channel", channel)).Run();
            foreach (var delivery in anew(open.Alert).Deliveries)
            {
                Insert(transaction, delivery);
            }
        }
    }

    /// <summary>Alerts after <paramref name="after"/> with a delivery that is not settled.</summary>
    public static List<OpenAlert> Open(SqliteConnection connection, long after)
    {
        var alerts = connection.Sql(
            $"SELECT {AlertColumns} FROM alerts a WHERE a.seq > $after AND EXISTS(SELECT 1 FROM deliveries d WHERE d.alert_id=a.id AND d.phase < {Settled}) ORDER BY a.seq",
            ("$after", after)).List(row => (Sequence: row.GetInt64(0), Alert: ReadAlert(row)));
        return alerts.ConvertAll(a => new OpenAlert(a.Alert, a.Sequence, Deliveries(connection, a.Alert)));
    }

    /// <summary>Newest first, settled or not.</summary>
    public static List<OpenAlert> Newest(SqliteConnection connection, int count) => connection.Sql(
        $"SELECT {AlertColumns} FROM alerts a ORDER BY a.seq DESC LIMIT $count", ("$count", count)).List(ReadAlert).ConvertAll(a => WithDeliveries(connection, a));

    public static OpenAlert WithDeliveries(SqliteConnection connection, Alert alert) => new(alert, 0, Deliveries(connection, alert));

    public static long LastSequence(SqliteConnection connection) =>
        connection.Sql("SELECT coalesce(max(seq), 0) FROM alerts").List(row => row.GetInt64(0))[0];

    public static int CountDead(SqliteConnection connection) =>
        connection.Sql($"SELECT count(*) FROM deliveries WHERE phase={Dead}").List(row => row.GetInt32(0))[0];

    public static List<DeadLetter> DeadLetters(SqliteConnection connection, int limit) => connection.Sql(
        $"SELECT {AlertColumns}, d.channel, d.code, d.reason FROM deliveries d JOIN alerts a ON a.id=d.alert_id WHERE d.phase={Dead} ORDER BY a.seq DESC LIMIT $limit",
        ("$limit", limit)).List(row =>
        {
            var alert = ReadAlert(row);
            return new DeadLetter(alert.Id, alert.Kind, alert.Text, row.GetString(9), Text(row, 10), Text(row, 11) ?? "", alert.RaisedAt);
        });

    public static ImmutableArray<Test.ChannelTest> TestsOf(SqliteConnection connection, IReadOnlyCollection<string> ids) =>
    [
        .. ids.SelectMany(id => connection.Sql("SELECT channel, phase, code, reason FROM deliveries WHERE alert_id=$id", ("$id", id)).List(row =>
            new Test.ChannelTest(id, row.GetString(0), ((DeliveryPhase)row.GetInt32(1)).ToString().ToLowerInvariant(), Text(row, 2), Text(row, 3)))),
    ];

    public static int Prune(SqliteTransaction transaction, int keep) => transaction.Sql(
        $"DELETE FROM alerts WHERE seq <= (SELECT max(seq) FROM alerts) - $keep AND NOT EXISTS(SELECT 1 FROM deliveries d WHERE d.alert_id=alerts.id AND d.phase < {Settled})",
        ("$keep", keep)).Run();

    /// <summary>What the disk complains of, in words.</summary>
    public static string Words(SqliteException e) => e.SqliteErrorCode switch
    {
        5 or 6 => "busy",
        8 => "read-only",
        10 => "read or write error",
        11 or 26 => "damaged",
        13 => "disk full",
        14 => "cannot be opened",
        _ => $"SQLite error {e.SqliteErrorCode}",
    };

    private static Alert? Find(SqliteConnection connection, string id, SqliteTransaction? transaction)
    {
        var command = connection.Sql($"SELECT {AlertColumns} FROM alerts a WHERE a.id=$id", ("$id", id));
        command.Transaction = transaction;
        return command.List(ReadAlert).FirstOrDefault();
    }

    private static void Insert(SqliteTransaction transaction, Delivery d) => transaction.Sql(
        """
        INSERT INTO deliveries(alert_id, channel, recipient, person, rank, always, phase, reason)
        VALUES($alert, $channel, $recipient, $person, $rank, $always, $phase, $reason)
        """,
        ("$alert", d.Key.AlertId),
        ("$channel", d.Key.Channel),
        ("$recipient", d.Key.Recipient),
        ("$person", d.Person),
        ("$rank", d.Rank),
        ("$always", d.Always),
        ("$phase", (int)d.Phase),
        ("$reason", d.Reason)).Run();

    private static ImmutableArray<Delivery> Deliveries(SqliteConnection connection, Alert alert) =>
    [
        .. connection.Sql(
            "SELECT channel, recipient, person, rank, always, phase, resends, said_plain, provider_id, code, reason FROM deliveries WHERE alert_id=$id ORDER BY person, rank",
            ("$id", alert.Id)).List(row =>
            new Delivery(new DeliveryKey(alert.Id, row.GetString(0), row.GetString(1)), row.GetString(2), row.GetInt32(3), row.GetBoolean(4), alert.Plain is not null)
            {
                Phase = (DeliveryPhase)row.GetInt32(5),
                Resends = row.GetInt32(6),
                SaidPlain = row.GetBoolean(7),
                ProviderId = Text(row, 8),
                Code = Text(row, 9),
                Reason = Text(row, 10),
            }),
    ];

    private static Alert ReadAlert(SqliteDataReader row) => new(
        row.GetString(1),
        row.GetString(2),
        (Severity)row.GetInt32(3),
        row.GetString(4),
        DateTimeOffset.Parse(row.GetString(6), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind),
        Text(row, 7),
        Text(row, 5))
    {
        Details = AlertDetail.Read(Text(row, 8)),
    };

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
