using System.Collections.Immutable;
using Common;
using Common.Time;

namespace InternalHost.Failover;

public readonly record struct FailoverStep(FailoverState Next, ImmutableArray<FailoverEffect> Effects);

/// <summary>
/// The failover controller: <c>(state, event) -> (state, effects)</c>. An event is first absorbed into what is known; then the
/// rules of the present phase are applied to what is known until nothing more follows. So no rule depends on the order in which
/// news arrives, and a lost or repeated answer is mended by the next one.
/// </summary>
/// <remarks>Rules and invariants: docs/failover.md.</remarks>
[PureCore]
public static class FailoverMachine
{
    public static FailoverStep Advance(FailoverState state, FailoverEvent ev, FailoverPolicy policy)
    {
        var turn = new FailoverTurn(Absorption.Apply(state, ev, policy), ev.At, ev.Jitter, policy);
        if (ev is FailoverEvent.Restarted)
        {
            turn.Resume();
        }
        else if (ev is FailoverEvent.DrainAnswered { Drained: true } drained && drained.Run == state.Run)
        {
            turn.Drained();
        }

        turn.Settle();
        turn.Tell();
        turn.Ask();
        return new(turn.State, turn.Effects);
    }

    /// <summary>When the machine wants its next tick, should nothing else happen.</summary>
    public static Instant NextWake(FailoverState state, Instant at, FailoverPolicy policy)
    {
        var wake = Instant.Min(
            FailoverTurn.MayDescribe(state, policy) ? state.Watch.NextDescribe : Instant.Never,
            FailoverTurn.MayAsk(state, policy) ? state.Watch.NextAsk : Instant.Never);
        foreach (var due in Deadlines(state, policy))
        {
            if (due > at)
            {
                wake = Instant.Min(wake, due);
            }
        }

        return Instant.Max(wake, at + TimeSpan.FromMilliseconds(10));
    }

    private static IEnumerable<Instant> Deadlines(FailoverState state, FailoverPolicy policy)
    {
        yield return state.Orders.OpenUntil ?? Instant.Never;
        yield return state.Orders.ClosedUntil ?? Instant.Never;
        yield return state.Orders.PausedUntil ?? Instant.Never;
        yield return state.Phase switch
        {
            Phase.Starting p => p.NextStart,
            Phase.Draining { EmptySince: { } empty } p => Instant.Max(empty + policy.Linger, p.NextDrain),
            Phase.Stopping p => p.NextStop,
            _ => Instant.Never,
        };
        if (state.Outage is { } outage)
        {
            yield return outage.Since + policy.TellAfter;
            yield return outage.ShutSince + policy.StuckAfter;
            yield return (state.Watch.InnerSshDownSince ?? Instant.Never) + policy.InnerSshGrace;
            yield return (outage.BackAt ?? Instant.Never) + policy.StopFailingAfter;
            yield return policy.MaxUptime is { } max && outage.OpenAt is { } open ? open + max : Instant.Never;
        }
    }
}
