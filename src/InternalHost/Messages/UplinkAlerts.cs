using System.Collections.Immutable;
using Common.Alerts;
using Common.Journal;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;

namespace InternalHost.Messages;

/// <summary>Looks at the uplinks every few seconds and puts what <see cref="UplinkAlertRules"/> has to tell into the outbox.</summary>
/// <param name="options">Read at each alert: a reload changes people and numbers.</param>
/// <param name="inOutage">An outage of the primary is being served.</param>
/// <param name="wallTime">Wall time that may be shown to a person; null while the clock is not to be trusted.</param>
internal sealed class UplinkAlerts(
    Database database,
    Outbox outbox,
    UplinkAlertMemory memory,
    Func<SiteOptions> options,
    Func<UplinkReport> primary,
    Func<UplinkReport> backup,
    Func<bool> inOutage,
    Func<DateTimeOffset?> wallTime,
    TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(5);

    private ImmutableArray<TroubleWatch> _watches = memory.Load(Instant.Now(time));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            Look();
            await Task.Delay(Pace, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One look, with what follows from it.</summary>
    internal void Look()
    {
        var now = Instant.Now(time);
        var before = _watches;
        (_watches, var news) = UplinkAlertRules.Advance(before, new UplinkSight(now, primary(), backup(), inOutage()));
        var changed = _watches.Where((watch, i) => watch.DiffersDurably(before[i])).ToList();
        if (changed.Count > 0)
        {
            Tell(changed, [.. news.Select(one => Words(one, now))]);
        }
    }

    /// <summary>What was told and that it was told are on disk together; where the disk fails, the outbox keeps the alert in memory.</summary>
    private void Tell(List<TroubleWatch> changed, Alert[] alerts)
    {
        var routes = OutageAlerts.Everybody(options());
        try
        {
            database.Write(transaction =>
            {
                foreach (var alert in alerts)
                {
                    Outbox.Add(transaction, alert, routes);
                }

                changed.ForEach(watch => memory.Save(transaction, watch));
            });
            outbox.Wake();
        }
        catch (SqliteException)
        {
            Array.ForEach(alerts, alert => outbox.Raise(alert, routes));
        }
    }

    private Alert Words(UplinkNews news, Instant now)
    {
        var site = options();
        var since = wallTime() is { } wall ? TimeZoneInfo.ConvertTime(wall - (now - news.Since), time.LocalTimeZone) : (DateTimeOffset?)null;
        return UplinkMessages.Of(news, new UplinkFacts(site.Site, time.GetUtcNow(), since, site.Primary.Observe is not null));
    }
}
