using System.Collections.Immutable;
using System.Globalization;
using Common.Journal;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Common.Logins.Policy;

/// <summary>The bounded counts of failed attempts in the state file: at most one row for each entry, and only what changed is written.</summary>
internal static class FailedLoginStore
{
    public static FailedLogins Load(SqliteConnection connection)
    {
        var networks = connection.Sql("SELECT network, attempts, error, last, ports FROM failed_networks").List(r => KeyValuePair.Create(r.GetString(0),
            new FailedCount(r.GetInt64(1), r.GetInt64(2), new Instant(r.GetInt64(3)), Ports(r.GetString(4)))));
        var users = connection.Sql("SELECT name, attempts, error, last FROM failed_users").List(r => KeyValuePair.Create(r.GetString(0),
            new FailedCount(r.GetInt64(1), r.GetInt64(2), new Instant(r.GetInt64(3)), [])));
        var counts = FailedLogins.None with { Networks = FailedLogins.None.Networks.AddRange(networks), Users = FailedLogins.None.Users.AddRange(users) };
        return connection.Sql("SELECT total, since, hour_since, hour_count, told FROM failed_total").List(r => counts with
        {
            Total = r.GetInt64(0),
            Since = r.IsDBNull(1) ? null : DateTimeOffset.Parse(r.GetString(1), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind),
            HourSince = Moment(r, 2),
            HourCount = r.GetInt64(3),
            Told = Moment(r, 4),
        }).FirstOrDefault() ?? counts;
    }

    public static void Save(SqliteTransaction transaction, FailedLogins before, FailedLogins now)
    {
        foreach (var (network, _) in before.Networks.Where(n => !now.Networks.ContainsKey(n.Key)))
        {
            transaction.Sql("DELETE FROM failed_networks WHERE network = $n", ("$n", network)).Run();
        }

        foreach (var (network, c) in now.Networks.Where(n => before.Networks.GetValueOrDefault(n.Key) != n.Value))
        {
            transaction.Sql(
                "INSERT OR REPLACE INTO failed_networks(network, attempts, error, last, ports) VALUES($n, $a, $e, $l, $p)",
                ("$n", network), ("$a", c.Attempts), ("$e", c.Error), ("$l", c.Last.Ticks), ("$p", string.Join(',', c.Ports))).Run();
        }

        foreach (var (user, _) in before.Users.Where(u => !now.Users.ContainsKey(u.Key)))
        {
            transaction.Sql("DELETE FROM failed_users WHERE name = $n", ("$n", user)).Run();
        }

        foreach (var (user, c) in now.Users.Where(u => before.Users.GetValueOrDefault(u.Key) != u.Value))
        {
            transaction.Sql(
                "INSERT OR REPLACE INTO failed_users(name, attempts, error, last) VALUES($n, $a, $e, $l)",
                ("$n", user), ("$a", c.Attempts), ("$e", c.Error), ("$l", c.Last.Ticks)).Run();
        }

        transaction.Sql(
            "INSERT OR REPLACE INTO failed_total(one, total, since, hour_since, hour_count, told) VALUES(1, $t, $s, $h, $c, $o)",
            ("$t", now.Total), ("$s", now.Since?.ToString("O", CultureInfo.InvariantCulture)), ("$h", now.HourSince?.Ticks), ("$c", now.HourCount), ("$o", now.Told?.Ticks)).Run();
    }

    private static ImmutableArray<int> Ports(string text) => text.Length == 0 ? [] : [.. text.Split(',').Select(p => int.Parse(p, CultureInfo.InvariantCulture))];

    private static Instant? Moment(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : new Instant(row.GetInt64(column));
}
