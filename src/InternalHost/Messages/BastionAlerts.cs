using Common.Alerts;
using InternalHost.Configuration;
using InternalHost.Sync;

namespace InternalHost.Messages;

/// <summary>Tells what is wrong at the bastion while the tunnel serves: beside the outage's own texts, and once an outage each.</summary>
/// <param name="outage">Number of the outage that is on; null: none is.</param>
internal sealed class BastionAlerts(Outbox outbox, Func<SiteOptions> options, Func<int?> outage, TimeProvider time)
{
    public void TellSync(int wish, SyncProblem problem) => Tell((site, occasion, now) => SyncMessages.Of(problem, site, occasion, now), wish);

    public void TellEvicted(int wish) => Tell(SharedAccountMessage.Of, wish);

    /// <summary>The same after a restart of the program in one outage is the same alert.</summary>
    private void Tell(Func<string, string, DateTimeOffset, Alert> words, int wish)
    {
        var site = options();
        outbox.Raise(words(site.Site, $"outage-{outage()?.ToString() ?? "none"}/{wish}", time.GetUtcNow()), OutageAlerts.Everybody(site));
    }
}
