using System.Net;
using Common.Alerts;
using Common.Journal;
using Common.Logins;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Common.Logins.Recording;

/// <summary>Which source has told of which login, and whose hook is awaited: the SQL behind <see cref="Reconciler"/>.</summary>
internal static class LoginSightings
{
    /// <summary><c>hook</c>: 0 not expected, 1 awaited, 2 has spoken, 3 is missing and that has been told.</summary>
    public const string Schema = """
        CREATE TABLE login_sightings(source TEXT PRIMARY KEY, login INTEGER NOT NULL REFERENCES logins(seq)) WITHOUT ROWID;
        INSERT INTO login_sightings(source, login) SELECT source, seq FROM logins;
        ALTER TABLE logins ADD COLUMN kind INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE logins ADD COLUMN service TEXT NOT NULL DEFAULT 'sshd';
        ALTER TABLE logins ADD COLUMN sources INTEGER NOT NULL DEFAULT 2;
        ALTER TABLE logins ADD COLUMN hook INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE logins ADD COLUMN ambiguous INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE logins ADD COLUMN by_user TEXT;
        ALTER TABLE logins ADD COLUMN tty TEXT;
        ALTER TABLE logins ADD COLUMN evicted INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX logins_by_process ON logins(boot, pid);
        CREATE INDEX logins_awaiting ON logins(hook) WHERE hook = 1;
        """;

    private const int Awaited = 1;
    private const int Spoken = 2;
    private const int Missing = 3;

    /// <summary>More than one process number is used again in a boot.</summary>
    private const int Candidates = 8;

    public static bool IsKnown(SqliteTransaction transaction, string source) =>
        transaction.Sql("SELECT 1 FROM login_sightings WHERE source = $x", ("$x", source)).List(r => r.GetInt32(0)).Count > 0;

    public static void Add(SqliteTransaction transaction, long login, LoginSighting sighting, bool awaitsHook)
    {
        See(transaction, login, sighting.Source);
        Describe(transaction, login, sighting.Login, sighting.Login.Sources.HasFlag(LoginSources.Hook) ? Spoken : awaitsHook ? Awaited : 0);
    }

    /// <summary>Newest first.</summary>
    public static List<KnownLogin> OfProcess(SqliteTransaction transaction, string boot, int? pid) => transaction.Sql(
        $"SELECT {KnownColumns} FROM logins WHERE boot = $boot AND pid = $pid ORDER BY seq DESC LIMIT $most",
        ("$boot", boot), ("$pid", pid), ("$most", Candidates)).List(Known);

    /// <summary>The other source tells of it too. The verdict stands: it has been told.</summary>
    public static void Join(SqliteTransaction transaction, KnownLogin known, LoginSighting sighting)
    {
        See(transaction, known.Seq, sighting.Source);
        var login = Reconciler.Completed(known.Login, sighting.Login);
        var key = login.Key;
        transaction.Sql(
            """
            UPDATE logins SET user = $user, method = $method, address = $address, port = $port, key_type = $type, fingerprint = $fingerprint,
              certificate = $certificate, logged_at = coalesce(logged_at, $logged) WHERE seq = $seq
            """,
            ("$seq", known.Seq), ("$user", login.User), ("$method", login.Method), ("$address", login.From?.Address.ToString()), ("$port", login.From?.Port),
            ("$type", key?.Type), ("$fingerprint", key?.Fingerprint), ("$certificate", key?.Certificate?.ToString()),
            ("$logged", sighting.At is { } at ? LoginStore.Wall(at) : null)).Run();
        Describe(transaction, known.Seq, login, login.Sources.HasFlag(LoginSources.Hook) ? Spoken : 0);
    }

    /// <summary>The hook ran, and could not write down what it saw.</summary>
    public static void HookSpoke(SqliteTransaction transaction, string boot, int process) => transaction.Sql(
        "UPDATE logins SET hook = $spoken WHERE boot = $boot AND pid = $pid AND hook = $awaited",
        ("$boot", boot), ("$pid", process), ("$spoken", Spoken), ("$awaited", Awaited)).Run();

    /// <summary>Logins that the hook has not told of, each with what is needed to tell it.</summary>
    public static List<(KnownLogin Login, LoginRecord Record)> AwaitingHook(SqliteTransaction transaction) =>
        transaction.Sql(RecordsWhere("hook = $awaited"), ("$awaited", Awaited)).List(RecordRow);

    /// <summary>For <see cref="RecordRow"/>, oldest first.</summary>
    /// <param name="condition">Ours, never of anybody's text.</param>
    public static string RecordsWhere(string condition) =>
        $"SELECT {KnownColumns}, alert_id, severity, why, role, name, device, flags, subject, network, read_at, way, failures, source FROM logins WHERE {condition} ORDER BY seq";

    public static (KnownLogin Login, LoginRecord Record) RecordRow(SqliteDataReader row) => (Known(row), Record(row, Known(row)));

    public static void HookIsMissing(SqliteTransaction transaction, long login) => transaction.Sql(
        "UPDATE logins SET hook = $missing, flags = flags | $flag WHERE seq = $seq",
        ("$seq", login), ("$missing", Missing), ("$flag", (int)LoginFlags.WithoutHook)).Run();

    private const string KnownColumns =
        "seq, boot, pid, kind, service, user, address, port, method, key_type, fingerprint, certificate, ambiguous, sources, instant, evicted";

    private static KnownLogin Known(SqliteDataReader row)
    {
        var key = Text(row, 9) is { } type ? PublicKeyText.Parse($"{type} {row.GetString(10)}{(Text(row, 11) is { } certificate ? $" ID {certificate}" : "")}") : null;
        var from = Text(row, 6) is { } address ? new IPEndPoint(IPAddress.Parse(address), row.GetInt32(7)) : null;
        var methods = row.GetString(8).Split(',', StringSplitOptions.RemoveEmptyEntries).Select(m => new AuthMethod(m, m == "publickey" ? key : null));
        var login = new Login((LoginKind)row.GetInt32(3), row.GetString(4), row.GetString(5), from, [.. methods], row.GetBoolean(12))
        {
            Sources = (LoginSources)row.GetInt32(13),
            Evicted = row.GetInt32(15),
        };
        return new KnownLogin(row.GetInt64(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetInt32(2), login, new Instant(row.GetInt64(14)));
    }

    private static LoginRecord Record(SqliteDataReader row, KnownLogin known)
    {
        var verdict = new LoginVerdict(
            (Severity)row.GetInt32(17), row.GetString(18), true, (LoginRole)row.GetInt32(19), row.GetString(20), Text(row, 21), (LoginFlags)row.GetInt32(22));
        return new LoginRecord(
            row.GetString(28), row.GetString(16), known.Login, verdict, row.GetString(23), row.GetString(24), known.Pid, null, LoginStore.Wall(row.GetString(25)), known.Boot, known.At)
        {
            Way = (LoginWay)row.GetInt32(26),
            Failures = row.GetInt32(27),
        };
    }

    private static void See(SqliteTransaction transaction, long login, string source) =>
        transaction.Sql("INSERT INTO login_sightings(source, login) VALUES($source, $login)", ("$source", source), ("$login", login)).Run();

    private static void Describe(SqliteTransaction transaction, long seq, Login login, int hook) => transaction.Sql(
        """
        UPDATE logins SET kind = $kind, service = $service, sources = $sources, hook = $hook, ambiguous = $ambiguous, by_user = $by, tty = $tty, evicted = $evicted
        WHERE seq = $seq
        """,
        ("$seq", seq), ("$kind", (int)login.Kind), ("$service", login.Service), ("$sources", (int)login.Sources), ("$hook", hook),
        ("$ambiguous", login.Ambiguous), ("$by", login.By), ("$tty", login.Tty), ("$evicted", login.Evicted)).Run();

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
