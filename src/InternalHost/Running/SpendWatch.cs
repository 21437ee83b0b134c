using System.Globalization;
using Common.Alerts;
using Common.Journal;
using InternalHost.Cloud.Prices;
using InternalHost.Configuration;
using InternalHost.Messages;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;

namespace InternalHost.Running;

/// <summary>
/// Adds up what the month has cost and tells once when <c>bastion.monthly_limit</c> is reached. It refuses nothing: whoever is locked out
/// at night would pay ten times that limit to get in.
/// </summary>
/// <param name="idle">The VM runs, and nobody needs it.</param>
/// <param name="wallTime">Local; null while the clock is not to be trusted.</param>
internal sealed class SpendWatch(Database database, Outbox outbox, Func<SiteOptions> options, Func<bool> idle, Func<DateTimeOffset?> wallTime, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pace = TimeSpan.FromMinutes(10);

    private readonly OnceTold _told = new(database);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            Look();
            await Task.Delay(Pace, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    internal void Look()
    {
        var site = options();
        if (site.Bastion.MonthlyLimit is not { } limit || wallTime() is not { } now)
        {
            return;
        }

        var month = now.ToString("yyyy-MM", CultureInfo.InvariantCulture);
        var what = $"spend-{month}";
        try
        {
            var spent = database.Read(c => CostFacts.Read(c, site, now)).ThisMonth.Total;
            if (spent < limit || _told.When(what) is not null)
            {
                return;
            }

            var alert = SpendMessages.LimitReached(site.Site, spent, limit, month, idle() ? $"bastion-{site.Site}" : null, now);
            database.Write(transaction =>
            {
                Outbox.Add(transaction, alert, OutageAlerts.Everybody(site));
                OnceTold.Save(transaction, what, now);
            });
            outbox.Wake();
        }
        catch (SqliteException)
        {
            // The journal tells of the disk; money is added up again in ten minutes.
        }
    }
}
