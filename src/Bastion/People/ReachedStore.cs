using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using Common.Journal;
using Microsoft.Data.Sqlite;

namespace Bastion.People;

/// <summary>A person at a service. Who was let in is the login's record; this is where they went.</summary>
/// <param name="Person">The account.</param>
/// <param name="Site">Null: no site says that it has this port.</param>
/// <param name="At">Wall time of the first connection; more of them within <see cref="ReachedSet.Window"/> are one visit.</param>
internal sealed record Reached(DateTimeOffset At, string Person, string? Site, string? Service, int Port);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Reached))]
internal sealed partial class ReachedJson : JsonSerializerContext;

/// <summary>Those records in the agent's state file, the newest ten thousand.</summary>
internal static class ReachedStore
{
    public const string Migration = """
        CREATE TABLE reached(
          seq INTEGER PRIMARY KEY AUTOINCREMENT,
          boot TEXT NOT NULL,
          uid INTEGER NOT NULL,
          port INTEGER NOT NULL,
          at TEXT NOT NULL,
          person TEXT NOT NULL,
          site TEXT,
          service TEXT);
        CREATE INDEX reached_by_pair ON reached(uid, port);
        """;

    private const int Kept = 10_000;

    /// <returns>False: this visit is known; the clock may have been set between two looks, the machine's start may not.</returns>
    public static bool Add(SqliteTransaction transaction, string boot, int uid, Reached reached)
    {
        var last = transaction.Sql("SELECT at FROM reached WHERE boot = $boot AND uid = $uid AND port = $port ORDER BY seq DESC LIMIT 1", ("$boot", boot), ("$uid", uid), ("$port", reached.Port))
            .List(r => Time(r.GetString(0)));
        if (last.Count > 0 && (reached.At - last[0]).Duration() < ReachedSet.Window - Slack)
        {
            return false;
        }

        transaction.Sql(
            "INSERT INTO reached(boot, uid, port, at, person, site, service) VALUES($boot, $uid, $port, $at, $person, $site, $service)",
            ("$boot", boot), ("$uid", uid), ("$port", reached.Port), ("$at", reached.At.ToString("O", CultureInfo.InvariantCulture)), ("$person", reached.Person),
            ("$site", reached.Site), ("$service", reached.Service)).Run();
        transaction.Sql("DELETE FROM reached WHERE seq <= (SELECT max(seq) FROM reached) - $kept", ("$kept", Kept)).Run();
        return true;
    }

    /// <summary>Newest first.</summary>
    public static ImmutableArray<Reached> Recent(SqliteConnection connection, int count) =>
    [
        .. connection.Sql("SELECT at, person, site, service, port FROM reached ORDER BY seq DESC LIMIT $count", ("$count", count)).List(r => new Reached(
            Time(r.GetString(0)), r.GetString(1), r.IsDBNull(2) ? null : r.GetString(2), r.IsDBNull(3) ? null : r.GetString(3), r.GetInt32(4))),
    ];

    /// <summary>The kernel says whole seconds.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(5);

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
