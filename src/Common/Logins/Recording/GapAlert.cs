using System.Collections.Immutable;
using System.Globalization;
using Common.Alerts;
using Common.Text;
using Common.Time;
using Microsoft.Data.Sqlite;

namespace Common.Logins.Recording;

/// <summary>Tells that a part of sshd's log was lost unread: logins in it were not told, and nobody else will tell them.</summary>
internal sealed class GapAlert(Func<LoginScene> scenes, TimeProvider time)
{
    /// <summary>One message says that it is broken; the tenth says no more.</summary>
    private static readonly TimeSpan AtMostEvery = TimeSpan.FromHours(1);

    /// <summary>The reading loop's own.</summary>
    private Instant? _last;

    public void Add(SqliteTransaction transaction, string gap)
    {
        var now = Instant.Now(time);
        if (_last is { } last && now - last < AtMostEvery)
        {
            return;
        }

        _last = now;
        var scene = scenes();
        var about = string.Create(CultureInfo.InvariantCulture, $"gap/{scene.Boot}/{now.Ticks}");
        var id = AlertId.From($"{scene.Site}/{scene.Place}/{about}");
        var text = SmsText.Fit(id, $"{scene.Speaker}: logins may have gone untold, {gap}.");
        Outbox.Add(transaction, new Alert(id, "broken", Severity.Critical, text, time.GetUtcNow(), about), scene.Routes);
    }
}
