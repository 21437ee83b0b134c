using System.Collections.Immutable;
using System.Globalization;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Journal;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Common.Logins.Policy;

/// <summary>A window of repeats as it is kept, with what its digest will say.</summary>
/// <param name="AlertId">Of the alert that opened it; null: nothing was told, it is of the allow list.</param>
internal sealed record KeptDigest(string Tuple, string? AlertId, string Who, string? Device, string? Address, Digest Digest);

/// <summary>Messages that the budget kept back and nobody has been told of.</summary>
/// <param name="Due">When to say so; the first spell of silence is told after a minute, one that lasts a few times a day.</param>
internal sealed record Unsent(int Count, DateTimeOffset First, DateTimeOffset Last, Instant Due)
{
    public static readonly TimeSpan FirstNotice = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan NextNotice = TimeSpan.FromHours(6);
}

/// <summary>
/// What the policy remembers, in the agent's state file. Moments are of the boot in <c>policy_clock</c>: the first use in another boot
/// moves them all as if no time had passed, so that a reboot fills no bucket and ends no window.
/// </summary>
internal static class LoginPolicyStore
{
    public const string Migration = """
        ALTER TABLE logins ADD COLUMN silence TEXT;
        ALTER TABLE logins ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE policy_clock(one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL, at INTEGER NOT NULL, latest_wall TEXT NOT NULL);
        CREATE TABLE seen(subject TEXT NOT NULL, network TEXT NOT NULL, boot TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY(subject, network)) WITHOUT ROWID;
        CREATE INDEX seen_by_age ON seen(last);
        INSERT INTO seen(subject, network, boot, last) SELECT subject, network, boot, max(seq) FROM logins GROUP BY subject, network;
        CREATE TABLE budget(channel TEXT NOT NULL, recipient TEXT NOT NULL, rate INTEGER NOT NULL, full_at INTEGER NOT NULL, PRIMARY KEY(channel, recipient, rate)) WITHOUT ROWID;
        CREATE TABLE pushed(subject TEXT NOT NULL PRIMARY KEY, since INTEGER NOT NULL, count INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE digests(
          tuple TEXT NOT NULL PRIMARY KEY, alert_id TEXT, who TEXT NOT NULL, device TEXT, address TEXT,
          ends INTEGER NOT NULL, length INTEGER NOT NULL, repeats INTEGER NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL) WITHOUT ROWID;
        CREATE INDEX digests_by_end ON digests(ends);
        CREATE TABLE unsent(one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, due INTEGER NOT NULL);
        CREATE TABLE failed_networks(network TEXT NOT NULL PRIMARY KEY, attempts INTEGER NOT NULL, error INTEGER NOT NULL, last INTEGER NOT NULL, ports TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE failed_users(name TEXT NOT NULL PRIMARY KEY, attempts INTEGER NOT NULL, error INTEGER NOT NULL, last INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE failed_total(one INTEGER PRIMARY KEY CHECK (one = 1), total INTEGER NOT NULL, since TEXT, hour_since INTEGER, hour_count INTEGER NOT NULL, told INTEGER);
        """;

    private const int MostSeen = 5_000;
    private const int MostDigests = 1_000;

    /// <summary>Moves every moment that is of an earlier boot into this one.</summary>
    public static void Rebase(SqliteTransaction transaction, string boot, Instant now)
    {
        var clock = transaction.Sql("SELECT boot, at FROM policy_clock").List(r => (Boot: r.GetString(0), At: r.GetInt64(1)));
        if (clock is [var (then, at)] && then != boot)
        {
            (string Table, string Column)[] moments =
            [
                ("budget", "full_at"), ("pushed", "since"), ("digests", "ends"), ("unsent", "due"),
                ("failed_networks", "last"), ("failed_users", "last"), ("failed_total", "hour_since"), ("failed_total", "told"),
            ];
            foreach (var (table, column) in moments)
            {
                transaction.Sql($"UPDATE {table} SET {column} = {column} + $shift", ("$shift", now.Ticks - at)).Run();
            }
        }
    }

    /// <returns>The latest wall time ever seen: a clock that is set back revives no entry that has expired.</returns>
    public static DateTimeOffset Tick(SqliteTransaction transaction, string boot, Instant now, DateTimeOffset wall)
    {
        var latest = transaction.Sql("SELECT latest_wall FROM policy_clock").List(r => At(r.GetString(0))).Append(wall).Max();
        transaction.Sql(
            "INSERT INTO policy_clock(one, boot, at, latest_wall) VALUES(1, $boot, $at, $wall) ON CONFLICT(one) DO UPDATE SET boot=$boot, at=$at, latest_wall=$wall",
            ("$boot", boot), ("$at", now.Ticks), ("$wall", Wall(latest))).Run();
        return latest;
    }

    /// <returns>Has the subject ever come; from this network; and in this boot from another one only.</returns>
    public static (bool Subject, bool Network, bool Moved) Seen(SqliteTransaction transaction, string subject, string network, string boot)
    {
        return transaction.Sql(
            """
            SELECT EXISTS(SELECT 1 FROM seen WHERE subject = $s), EXISTS(SELECT 1 FROM seen WHERE subject = $s AND network = $n),
              EXISTS(SELECT 1 FROM seen WHERE subject = $s AND boot = $b) AND NOT EXISTS(SELECT 1 FROM seen WHERE subject = $s AND network = $n AND boot = $b)
            """,
            ("$s", subject), ("$n", network), ("$b", boot)).List(r => (r.GetBoolean(0), r.GetBoolean(1), r.GetBoolean(2)))[0];
    }

    /// <summary>Bounded: what has not come for the most boots and networks gives way. A storm from one place counts once.</summary>
    public static void See(SqliteTransaction transaction, string subject, string network, string boot)
    {
        transaction.Sql(
            """
            INSERT INTO seen(subject, network, boot, last) VALUES($s, $n, $b, (SELECT coalesce(max(last), 0) + 1 FROM seen))
            ON CONFLICT(subject, network) DO UPDATE SET boot = $b, last = excluded.last WHERE boot <> $b
            """,
            ("$s", subject), ("$n", network), ("$b", boot)).Run();
        transaction.Sql("DELETE FROM seen WHERE last <= (SELECT max(last) FROM seen) - $most", ("$most", MostSeen)).Run();
    }

    public static ImmutableArray<TokenBucket> Buckets(SqliteTransaction transaction, Route route) =>
        [.. transaction.Sql("SELECT full_at FROM budget WHERE channel = $c AND recipient = $r ORDER BY rate", ("$c", route.Channel), ("$r", route.Recipient))
            .List(r => new TokenBucket(new Instant(r.GetInt64(0))))];

    public static void Keep(SqliteTransaction transaction, Route route, ImmutableArray<TokenBucket> buckets)
    {
        for (var i = 0; i < buckets.Length; i++)
        {
            transaction.Sql(
                "INSERT OR REPLACE INTO budget(channel, recipient, rate, full_at) VALUES($c, $r, $i, $f)",
                ("$c", route.Channel), ("$r", route.Recipient), ("$i", i), ("$f", buckets[i].FullAt.Ticks)).Run();
        }
    }

    public static int Pushes(SqliteTransaction transaction, string subject, Instant now) =>
        transaction.Sql("SELECT count FROM pushed WHERE subject = $s AND since > $after", ("$s", subject), ("$after", (now - LoginTelling.AgainFor).Ticks))
            .List(r => r.GetInt32(0)).FirstOrDefault();

    public static void Pushed(SqliteTransaction transaction, string subject, Instant now)
    {
        transaction.Sql("DELETE FROM pushed WHERE since <= $old", ("$old", (now - LoginTelling.AgainFor).Ticks)).Run();
        transaction.Sql(
            "INSERT INTO pushed(subject, since, count) VALUES($s, $now, 1) ON CONFLICT(subject) DO UPDATE SET count = count + 1",
            ("$s", subject), ("$now", now.Ticks)).Run();
    }

    public static KeptDigest? Digest(SqliteTransaction transaction, string tuple) =>
        transaction.Sql($"{SelectDigests} WHERE tuple = $t", ("$t", tuple)).List(Row).FirstOrDefault();

    public static List<KeptDigest> Due(SqliteTransaction transaction, Instant now) =>
        transaction.Sql($"{SelectDigests} WHERE ends <= $now ORDER BY ends", ("$now", now.Ticks)).List(Row);

    /// <summary>Kept windows are bounded: the ones that end first give way. How many repeats went with them untold.</summary>
    public static int Keep(SqliteTransaction transaction, KeptDigest kept)
    {
        var d = kept.Digest;
        transaction.Sql(
            """
            INSERT OR REPLACE INTO digests(tuple, alert_id, who, device, address, ends, length, repeats, first, last)
            VALUES($tuple, $id, $who, $device, $address, $ends, $length, $repeats, $first, $last)
            """,
            ("$tuple", kept.Tuple), ("$id", kept.AlertId), ("$who", kept.Who), ("$device", kept.Device), ("$address", kept.Address),
            ("$ends", d.Ends.Ticks), ("$length", d.Length.Ticks), ("$repeats", d.Repeats), ("$first", Wall(d.First)), ("$last", Wall(d.Last))).Run();
        return transaction.Sql(
            "DELETE FROM digests WHERE ends < (SELECT ends FROM digests ORDER BY ends DESC LIMIT 1 OFFSET $most) RETURNING repeats", ("$most", MostDigests - 1)).List(r => r.GetInt32(0)).Sum();
    }

    public static void Forget(SqliteTransaction transaction, string tuple) => transaction.Sql("DELETE FROM digests WHERE tuple = $t", ("$t", tuple)).Run();

    public static Unsent? Unsent(SqliteTransaction transaction) =>
        transaction.Sql("SELECT count, first, last, due FROM unsent").List(r => new Unsent(r.GetInt32(0), At(r.GetString(1)), At(r.GetString(2)), new Instant(r.GetInt64(3)))).FirstOrDefault();

    public static void Keep(SqliteTransaction transaction, Unsent unsent) => transaction.Sql(
        "INSERT OR REPLACE INTO unsent(one, count, first, last, due) VALUES(1, $c, $f, $l, $d)",
        ("$c", unsent.Count), ("$f", Wall(unsent.First)), ("$l", Wall(unsent.Last)), ("$d", unsent.Due.Ticks)).Run();

    public static void ForgetUnsent(SqliteTransaction transaction) => transaction.Sql("DELETE FROM unsent").Run();

    /// <summary>When the first window ends, or what was kept back is to be told.</summary>
    public static Instant NextDue(SqliteTransaction transaction) => new(transaction.Sql(
        "SELECT min(m) FROM (SELECT min(ends) AS m FROM digests UNION ALL SELECT due FROM unsent)").List(r => r.IsDBNull(0) ? Instant.Never.Ticks : r.GetInt64(0))[0]);

    private const string SelectDigests = "SELECT tuple, alert_id, who, device, address, ends, length, repeats, first, last FROM digests";

    private static KeptDigest Row(SqliteDataReader r) => new(
        r.GetString(0), Text(r, 1), r.GetString(2), Text(r, 3), Text(r, 4),
        new Digest(new Instant(r.GetInt64(5)), TimeSpan.FromTicks(r.GetInt64(6)), r.GetInt32(7), At(r.GetString(8)), At(r.GetString(9))));

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static string Wall(DateTimeOffset at) => at.ToString("O", CultureInfo.InvariantCulture);

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}
