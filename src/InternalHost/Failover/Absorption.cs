using Common;
using Common.Time;
using InternalHost.Cloud;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;

namespace InternalHost.Failover;

/// <summary>Takes one event into what is known. Decides nothing.</summary>
[PureCore]
internal static class Absorption
{
    public static FailoverState Apply(FailoverState state, FailoverEvent ev, FailoverPolicy policy) => ev switch
    {
        FailoverEvent.UplinkSeen e => Seen(state, e, policy),
        FailoverEvent.InstanceSeen e when e.Run == state.Run => IsOldPicture(state, e, policy)
            ? state with { Watch = state.Watch with { NextDescribe = e.At + policy.DescribeWhileChanging } }
            : Seen(state, e, policy),
        FailoverEvent.DescribeFailed e when e.Run == state.Run => state with
        {
            Watch = Troubled(state.Watch, e.Failure, e.Detail) with
            {
                NextDescribe = e.At + RetryAfter(policy, e.Failure, state.Watch.CloudFailures, e.Jitter),
            },
        },
        FailoverEvent.StartAccepted e when e.Run == state.Run && state.Phase is Phase.Starting p => state with
        {
            Phase = p with { NextStart = e.At + policy.Patience, Failures = 0, Accepted = true, Failure = CloudFailure.Unknown },
            Watch = state.Watch with { CloudTrouble = null, CloudFailures = 0, NextDescribe = e.At },
        },
        FailoverEvent.StartFailed e when e.Run == state.Run && state.Phase is Phase.Starting p => state with
        {
            Phase = p with { NextStart = e.At + RetryAfter(policy, e.Failure, p.Failures, e.Jitter), Failures = p.Failures + 1, Failure = e.Failure },
            // A lost reply or a refusal: what is really there is looked at before the call is repeated.
            Watch = Troubled(state.Watch, e.Failure, e.Detail) with { NextDescribe = e.At, Instance = null },
        },
        FailoverEvent.StopAccepted e when e.Run == state.Run && state.Phase is Phase.Stopping p => state with
        {
            Phase = p with { NextStop = e.At + policy.Patience, Failures = 0, Resumed = false },
            Watch = state.Watch with { CloudTrouble = null, CloudFailures = 0, NextDescribe = e.At, Instance = null },
        },
        FailoverEvent.StopFailed e when e.Run == state.Run && state.Phase is Phase.Stopping p => state with
        {
            Phase = p with { NextStop = e.At + RetryAfter(policy, e.Failure, p.Failures, e.Jitter), Failures = p.Failures + 1, Resumed = false },
            Watch = Troubled(state.Watch, e.Failure, e.Detail) with { NextDescribe = e.At, Instance = null },
        },
        FailoverEvent.TunnelVerified e when e.Run == state.Run => state with
        {
            Watch = state.Watch with { TunnelVerified = true, TunnelTrouble = null, HostKeyQuestion = false },
        },
        FailoverEvent.TunnelLost e when e.Run == state.Run => Lost(state, e),
        FailoverEvent.TunnelTroubled e when e.Run == state.Run => state with
        {
            Watch = state.Watch with
            {
                TunnelTrouble = e.Failure,
                TunnelVerified = false,
                HostKeyQuestion = e.Failure.Reason == TunnelReason.HostKeyChanged,
                NextDescribe = e.Failure.Reason == TunnelReason.HostKeyChanged && !state.Watch.HostKeyQuestion ? e.At : state.Watch.NextDescribe,
            },
        },
        FailoverEvent.SessionsSeen e => Counted(state, e, policy),
        FailoverEvent.DrainAnswered e when e.Run == state.Run && state.Phase is Phase.Draining p => state with
        {
            Phase = p with { NextDrain = e.At + policy.AskWhileDraining },
        },
        FailoverEvent.InnerSshSeen e => state with { Watch = state.Watch with { InnerSshDownSince = e.Up ? null : state.Watch.InnerSshDownSince ?? e.At } },
        FailoverEvent.OperatorOpened e => state with
        {
            Orders = state.Orders with { OpenUntil = e.At + e.For, ClosedUntil = null, ClosedBy = null },
        },
        FailoverEvent.OperatorClosed e => state with
        {
            Orders = state.Orders with { OpenUntil = null, ClosedUntil = e.At + policy.StayClosed, ClosedBy = "operator", Drill = false },
        },
        FailoverEvent.OperatorPaused e => state with
        {
            Orders = state.Orders with { PausedUntil = e.At + e.For, PausedWhy = e.Why, Drill = false },
        },
        FailoverEvent.DrillRequested => state with { Orders = state.Orders with { Drill = true } },
        FailoverEvent.OperatorResumed => state with { Orders = new Orders { OpenUntil = state.Orders.OpenUntil } },
        _ => state,
    };

    public static TimeSpan DescribeEvery(FailoverState state, FailoverPolicy policy) => state.Phase switch
    {
        Phase.Standby => state.Watch.Primary == Usable.Yes ? policy.SummonEvery : policy.SummonEveryOverBackup,
        Phase.Starting or Phase.Stopping => policy.DescribeWhileChanging,
        Phase.Connecting when state.Watch.Instance is not { State: InstanceState.Running, Addresses.IsEmpty: false } => policy.DescribeWhileChanging,
        Phase.Connecting => policy.DescribeWhileConnecting,
        _ => policy.DescribeWhileServing,
    };

    private static FailoverState Seen(FailoverState state, FailoverEvent.UplinkSeen e, FailoverPolicy policy)
    {
        if (e.Uplink == UplinkName.Backup)
        {
            return state with { Watch = state.Watch with { Backup = e.Usable } };
        }

        var outage = (state.Outage, e.Usable) switch
        {
            ({ } o, Usable.No) => o with { DownAt = o.DownAt ?? e.At, BackAt = null, Cause = o.Cause == OutageCause.Summoned ? OutageCause.PrimaryDown : o.Cause },
            ({ BackAt: null } o, Usable.Yes) => o with { BackAt = e.At },
            var (o, _) => o,
        };
        // What was looked for rarely, over the metered backup, is looked for at once again.
        var look = state.Phase is Phase.Standby && e.Usable == Usable.Yes ? Instant.Min(state.Watch.NextDescribe, e.At + policy.SummonEvery) : state.Watch.NextDescribe;
        return state with { Outage = outage, Watch = state.Watch with { Primary = e.Usable, NextDescribe = look } };
    }

    private static FailoverState Seen(FailoverState state, FailoverEvent.InstanceSeen e, FailoverPolicy policy) => state with
    {
        Outage = state.Outage is { } outage && e.Sight.State is InstanceState.Pending or InstanceState.Running
            ? outage with { Launch = e.Sight.Launch }
            : state.Outage,
        Watch = state.Watch with
        {
            Instance = e.Sight,
            InstanceAt = e.At,
            CloudTrouble = null,
            CloudFailure = CloudFailure.Unknown,
            CloudFailures = 0,
            NextDescribe = e.At + DescribeEvery(state with { Watch = state.Watch with { Instance = e.Sight } }, policy),
            HostKeyQuestion = false,
        },
    };

    /// <summary>The end of an earlier launch, shown after the present one was seen running: a provider's answers may go back in time for a while.</summary>
    private static bool IsOldPicture(FailoverState state, FailoverEvent.InstanceSeen e, FailoverPolicy policy) =>
        e.Sight.State is InstanceState.Stopped or InstanceState.Stopping
        && state.Outage is { Launch: { } launch } && e.Sight.Launch is { } shown && shown != launch
        && e.At - state.Watch.InstanceAt <= policy.PicturesLag;

    private static FailoverState Lost(FailoverState state, FailoverEvent.TunnelLost e) => state with
    {
        Watch = state.Watch with { TunnelVerified = false, TunnelTrouble = e.Failure, Sessions = null, SessionsAt = null, NextDescribe = e.At },
        Outage = state is { Outage: { } outage, Watch.TunnelVerified: true }
            ? outage with { Losses = outage.Losses + 1, ShutSince = e.At }
            : state.Outage,
    };

    private static FailoverState Counted(FailoverState state, FailoverEvent.SessionsSeen e, FailoverPolicy policy) => state with
    {
        Watch = state.Watch with
        {
            Sessions = e.Count,
            SessionsAt = e.At,
            NextAsk = e.At + (state.Phase is Phase.Draining ? policy.AskWhileDraining : policy.AskWhileServing),
        },
        Phase = state.Phase is Phase.Draining p ? p with { EmptySince = e.Count == 0 ? p.EmptySince ?? e.At : null } : state.Phase,
        Outage = state.Outage is { } outage && e.Logins > outage.Logins ? outage with { Logins = e.Logins } : state.Outage,
    };

    private static Watch Troubled(Watch watch, CloudFailure failure, string detail) => watch with
    {
        CloudTrouble = detail,
        CloudFailure = failure,
        CloudFailures = watch.CloudFailures + 1,
    };

    private static TimeSpan RetryAfter(FailoverPolicy policy, CloudFailure failure, int failures, double jitter) => failure switch
    {
        CloudFailure.Denied or CloudFailure.NotFound => policy.DeniedRetry.First + policy.DeniedRetry.Delay(failures, jitter),
        // Look at once: the call may have been carried out.
        CloudFailure.LostReply => TimeSpan.FromMilliseconds(200),
        _ => policy.CloudRetry.Delay(failures, jitter),
    };
}
