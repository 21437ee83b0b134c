using Common.Time;
using InternalHost.Cloud;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;

namespace InternalHost.Failover;

/// <summary>What the controller is told. Time and chance arrive here and nowhere else.</summary>
/// <param name="At">When it became known.</param>
public abstract record FailoverEvent(Instant At)
{
    /// <summary>Uniform in [0, 1): spreads retries.</summary>
    public double Jitter { get; init; } = 0.5;

    /// <summary>What the tunnel's news means here, still to be given its time; null: it only runs its course.</summary>
    internal static Func<Instant, FailoverEvent>? Of(TunnelNews news) => news switch
    {
        TunnelNews.Verified e => at => new TunnelVerified(at, e.Wish),
        TunnelNews.Lost e => at => new TunnelLost(at, e.Wish, e.Failure),
        TunnelNews.Trouble e => at => new TunnelTroubled(at, e.Wish, e.Failure),
        TunnelNews.HostKeyChanged e => at => new TunnelTroubled(at, e.Wish, e.Failure),
        _ => null,
    };

    /// <summary>An uplink's verdict: the only word of the detector that is listened to.</summary>
    public sealed record UplinkSeen(Instant At, UplinkName Uplink, Usable Usable) : FailoverEvent(At);

    public sealed record InstanceSeen(Instant At, int Run, InstanceSight Sight) : FailoverEvent(At);

    public sealed record DescribeFailed(Instant At, int Run, CloudFailure Failure, string Detail) : FailoverEvent(At);

    public sealed record StartAccepted(Instant At, int Run) : FailoverEvent(At);

    public sealed record StartFailed(Instant At, int Run, CloudFailure Failure, string Detail) : FailoverEvent(At);

    public sealed record StopAccepted(Instant At, int Run) : FailoverEvent(At);

    public sealed record StopFailed(Instant At, int Run, CloudFailure Failure, string Detail) : FailoverEvent(At);

    /// <summary>The nonce came round.</summary>
    public sealed record TunnelVerified(Instant At, int Run) : FailoverEvent(At);

    /// <summary>A verified tunnel is no more; it is being dialled again.</summary>
    public sealed record TunnelLost(Instant At, int Run, TunnelFailure Failure) : FailoverEvent(At);

    /// <summary>The tunnel is not up yet, and this is why.</summary>
    public sealed record TunnelTroubled(Instant At, int Run, TunnelFailure Failure) : FailoverEvent(At);

    /// <param name="Count">People on the bastion; null: not known, which counts as occupied.</param>
    public sealed record SessionsSeen(Instant At, int? Count, int Logins) : FailoverEvent(At);

    /// <param name="Drained">New people are refused, nobody is there, every alert is out, no package operation runs.</param>
    public sealed record DrainAnswered(Instant At, int Run, bool Drained, string Detail) : FailoverEvent(At);

    /// <summary>The SSH server that people come for answers here, inside, or does not. It never breaks the tunnel.</summary>
    public sealed record InnerSshSeen(Instant At, bool Up) : FailoverEvent(At);

    public sealed record OperatorOpened(Instant At, TimeSpan For) : FailoverEvent(At);

    public sealed record OperatorClosed(Instant At) : FailoverEvent(At);

    public sealed record OperatorPaused(Instant At, TimeSpan For, string Why) : FailoverEvent(At);

    public sealed record OperatorResumed(Instant At) : FailoverEvent(At);

    public sealed record DrillRequested(Instant At) : FailoverEvent(At);

    /// <summary>First event after the program came back with a journal.</summary>
    public sealed record Restarted(Instant At) : FailoverEvent(At);

    public sealed record Tick(Instant At) : FailoverEvent(At);
}
