using Common.Alerts;
using InternalHost.Configuration;
using InternalHost.Messages;

namespace InternalHost.Sync;

/// <summary>Puts what is wrong with the bastion's knowledge of people into words, and the words into the outbox.</summary>
/// <param name="outage">Number of the outage that is on; null: none is.</param>
internal sealed class SyncAlerts(Outbox outbox, Func<SiteOptions> options, Func<int?> outage, TimeProvider time)
{
    public void Tell(int wish, SyncProblem problem)
    {
        var site = options();
        // The same after a restart of the program in one outage: told once.
        var alert = SyncMessages.Of(problem, site.Site, $"outage-{outage()?.ToString() ?? "none"}/{wish}", time.GetUtcNow());
        outbox.Raise(alert, OutageAlerts.Everybody(site));
    }
}
