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

    /// <summary>Its first takeover's row, and how many there were of late.</summary>
    private static (long Start, int Takeovers) Storm(SqliteTransaction transaction, string user, string boot) => transaction.Sql(
        """
        WITH takeovers AS (
            SELECT seq, instant, instant - LAG(instant) OVER (ORDER BY seq) AS gap FROM logins WHERE boot = $boot AND user = $user AND evicted > 0)
        SELECT (SELECT MAX(seq) FROM takeovers WHERE gap IS NULL OR gap > $window),
            (SELECT COUNT(*) FROM takeovers WHERE instant >= (SELECT MAX(instant) FROM takeovers) - $window)
        """,
        ("$boot", boot), ("$user", user), ("$window", Window.Ticks)).List(r => (r.IsDBNull(0) ? 0 : r.GetInt64(0), r.GetInt32(1))).Single();
}
