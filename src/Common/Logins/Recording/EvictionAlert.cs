using System.Globalization;
using Common.Alerts;
using Common.Journal;
using Common.Text;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Common.Logins.Recording;

/// <summary>
/// Tells, once a storm, that a site's account is taken over again and again: the newest login wins, so two machines with one key end each
/// other's tunnels for ever. A storm lasts while each takeover follows the one before within the window.
/// </summary>
internal sealed class EvictionAlert(Func<LoginScene> scenes, TimeProvider time)
{
    private const int TakeoversToTell = 3;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <summary><c>storm</c>: the takeover with which the storm of this one began.</summary>
    public const string Migration = """
        ALTER TABLE logins ADD COLUMN storm INTEGER;
        CREATE INDEX logins_takeovers ON logins(boot, user) WHERE evicted > 0;
        """;

    /// <summary>Call it in the transaction that has recorded the login; the same login twice is told once.</summary>
    public void Look(SqliteTransaction transaction, LoginSighting sighting)
    {
        var scene = scenes();
        var (user, boot) = (sighting.Login.User, sighting.Boot ?? scene.Boot);
        if (sighting.Login.Evicted > 0 && Storm(transaction, user, boot) is { Takeovers: >= TakeoversToTell } storm)
        {
            var about = string.Create(CultureInfo.InvariantCulture, $"evictions/{boot}/{user}/{storm.Start}");
            var id = AlertId.From($"{scene.Site}/{scene.Place}/{about}");
            var audience = scene.For(user, sighting.Login.Key?.Fingerprint);
            var text = SmsText.Fit(
                id, $"{audience.Site} bastion: ", SmsText.Field(user, 32), $" was taken over {TakeoversToTell} times in 5 min: another machine has its key",
                SmsPart.Optional(1, ", or its link keeps breaking"), ".");
            Outbox.Add(transaction, new Alert(id, "evicted", Severity.High, text, time.GetUtcNow(), about), audience.Routes);
        }
    }

    /// <summary>The newest takeover's storm, which outlives the record of its begin, and how many takeovers there were of late (three at most are counted).</summary>
    private static (long Start, int Takeovers) Storm(SqliteTransaction transaction, string user, string boot)
    {
        var takeovers = transaction.Sql(
            "SELECT seq, instant, storm FROM logins WHERE boot = $boot AND user = $user AND evicted > 0 ORDER BY seq DESC LIMIT $most",
            ("$boot", boot), ("$user", user), ("$most", TakeoversToTell)).List(r => (Seq: r.GetInt64(0), At: r.GetInt64(1), Storm: r.IsDBNull(2) ? (long?)null : r.GetInt64(2)));
        if (takeovers is not [var newest, ..])
        {
            return default;
        }

        var recent = takeovers.Where(t => newest.At - t.At <= Window.Ticks).ToList();
        var start = newest.Storm ?? (recent is [_, var before, ..] ? before.Storm ?? before.Seq : newest.Seq);
        transaction.Sql("UPDATE logins SET storm = $storm WHERE seq = $seq", ("$storm", start), ("$seq", newest.Seq)).Run();
        return (start, recent.Count);
    }
}
