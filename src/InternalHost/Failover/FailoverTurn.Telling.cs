using InternalHost.Cloud;
using InternalHost.Wan.Detection;

namespace InternalHost.Failover;

/// <content>What the owner is told, and when.</content>
internal sealed partial class FailoverTurn
{
    private const string InnerSsh = "inner";

    public void Tell()
    {
        if (State.Outage is not { } outage)
        {
            return;
        }

        if (outage.StuckTold == InnerSsh && Watch.InnerSshDownSince is null)
        {
            Change(o => o with { StuckTold = null });
        }

        TellOpen(State.Outage);
        TellStuck(State.Outage);
        TellUnstoppable(outage);
        if (policy.MaxUptime is { } max && outage is { OpenAt: { } open, LongUptimeTold: false } && at - open >= max)
        {
            Change(o => o with { LongUptimeTold = true });
            Raise(OutageAlert.LongUptime, "max_uptime");
        }
    }

    private void TellOpen(Outage outage)
    {
        if (State.Phase is not (Phase.Serving or Phase.Draining) || !Watch.TunnelVerified || outage.OpenTold || outage.StuckTold is not null || Watch.InnerSshDownSince is not null)
        {
            return;
        }

        // A short outage stays silent; what a person asked for is answered at once, and so is what was said to be stuck.
        var waited = outage.Cause != OutageCause.PrimaryDown || outage.AnyTold || at - outage.Since >= policy.TellAfter;
        if (waited && (outage.Cause != OutageCause.PrimaryDown || State.Phase is Phase.Serving || outage.AnyTold))
        {
            Change(o => o with { OpenTold = true });
            Raise(OutageAlert.Open, outage.Cause.ToString());
        }
    }

    private void TellStuck(Outage outage)
    {
        var reason = StuckReason();
        var due = at - outage.ShutSince >= policy.StuckAfter || reason == InnerSsh || (ForAPerson(reason) && State.Phase is not Phase.Starting { Failures: < 2 });
        if (!Needed || !due || reason is null || reason == outage.StuckTold || (outage.StuckTold is not null && !ForAPerson(reason)))
        {
            return;
        }

        Change(o => o with { StuckTold = reason, OpenTold = false });
        Raise(OutageAlert.Stuck, reason);
    }

    /// <summary>Only a person can mend these: they are told without waiting.</summary>
    private static bool ForAPerson(string? reason) => reason is InnerSsh or "cloud:Denied" or "cloud:NotFound" or "tunnel:Denied" or "tunnel:HostKeyChanged";

    private bool Needed => (WantKeep || Down || State.Orders.Open(at)) && !State.Orders.Closed(at);

    /// <summary>One stable word: <c>backup</c>, <c>inner</c>, <c>cloud:Denied</c>, <c>tunnel:Refused</c>, <c>boot</c>.</summary>
    private string? StuckReason() => State.Phase switch
    {
        Phase.Standby when Watch.Primary == Usable.No && Watch.Backup != Usable.Yes => "backup",
        Phase.Starting { Failure: not CloudFailure.Unknown } p => $"cloud:{p.Failure}",
        Phase.Starting when Watch.CloudTrouble is not null => $"cloud:{Watch.CloudFailure}",
        Phase.Starting => "boot",
        // Perhaps somebody else's machine has our old address: the provider is asked first, unless it does not answer.
        Phase.Connecting when Watch is { TunnelTrouble.Reason: Tunnel.TunnelReason.HostKeyChanged, HostKeyQuestion: true } =>
            Watch.CloudTrouble is null ? null : $"cloud:{Watch.CloudFailure}",
        Phase.Connecting when Watch.TunnelTrouble is { } trouble => $"tunnel:{trouble.Reason}",
        Phase.Connecting when Watch.CloudTrouble is not null => $"cloud:{Watch.CloudFailure}",
        Phase.Connecting => "boot",
        Phase.Serving when Watch.InnerSshDownSince is { } since && at - since >= policy.InnerSshGrace => InnerSsh,
        _ => null,
    };

    /// <summary>No longer needed for a long time, and yet it runs.</summary>
    private void TellUnstoppable(Outage outage)
    {
        if (WantKeep || outage.StopFailingTold || State.Phase is Phase.Standby || Watch.Sessions > 0)
        {
            return;
        }

        var since = State.Phase switch
        {
            Phase.Stopping { Failures: >= 3 } => at - policy.StopFailingAfter,
            Phase.Stopping p => p.Since,
            Phase.Draining p => Common.Time.Instant.Max(p.Since, Watch.SessionsAt ?? p.Since) + Linger,
            Phase.Connecting p => p.Since,
            Phase.Starting p => p.Since,
            _ => at,
        };
        if (at - since >= policy.StopFailingAfter)
        {
            Change(o => o with { StopFailingTold = true });
            Raise(OutageAlert.StopFailing, State.Phase.Name);
        }
    }

    private void Raise(OutageAlert alert, string reason)
    {
        if (State.Outage is not { } outage)
        {
            return;
        }

        Change(o => o with { Alerts = o.Alerts + 1, AnyTold = true });
        _effects.Add(new FailoverEffect.RaiseAlert(alert, $"{outage.Name}.{outage.Alerts + 1}", reason, outage));
    }
}
