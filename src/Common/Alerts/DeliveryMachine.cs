using Common.Time;

namespace Common.Alerts;

/// <summary>What has happened to one delivery. Jitter is uniform in [0, 1).</summary>
public abstract record DeliveryEvent(Instant At, double Jitter)
{
    /// <param name="May">The request that is due may be made now (order, one at a time).</param>
    /// <param name="Told">Another channel has reached the person.</param>
    public sealed record Tick(Instant At, double Jitter, bool May, bool Told) : DeliveryEvent(At, Jitter);

    public sealed record SendAnswered(Instant At, double Jitter, int Run, SendOutcome Outcome) : DeliveryEvent(At, Jitter);

    /// <param name="ProviderId">Null: the gateway does not have it.</param>
    public sealed record Looked(Instant At, double Jitter, int Run, string? ProviderId) : DeliveryEvent(At, Jitter);

    public sealed record LookFailed(Instant At, double Jitter, int Run, string Reason) : DeliveryEvent(At, Jitter);

    public sealed record StatusSeen(Instant At, double Jitter, int Run, DeliveryStatus Status) : DeliveryEvent(At, Jitter);

    public sealed record QueryFailed(Instant At, double Jitter, int Run, string Reason) : DeliveryEvent(At, Jitter);

    /// <summary>Read from disk after a restart.</summary>
    public sealed record Restored(Instant At, double Jitter) : DeliveryEvent(At, Jitter);

    /// <summary>The channels before it have failed or are too slow.</summary>
    public sealed record TurnCame(Instant At, double Jitter) : DeliveryEvent(At, Jitter);

    /// <summary>The channel, or it for this recipient, is refused for good, and the person has another.</summary>
    public sealed record LaneRefused(Instant At, double Jitter, string Code, string Reason) : DeliveryEvent(At, Jitter);

    /// <summary>Said in one message with others of its kind, after a time when nothing could be sent.</summary>
    public sealed record Folded(Instant At, double Jitter, string Into) : DeliveryEvent(At, Jitter);

    /// <summary>The configuration has no such channel, or no longer.</summary>
    public sealed record ChannelMissing(Instant At, double Jitter) : DeliveryEvent(At, Jitter);
}

public enum DeliveryAction
{
    None = 0,
    Send = 1,

    /// <summary>Ask what became of <see cref="Delivery.ProviderId"/>.</summary>
    Query = 2,

    /// <summary>Ask whether the gateway has it at all.</summary>
    Look = 3,
}

public readonly record struct DeliveryStep(Delivery Next, DeliveryAction Action);

/// <summary>
/// Held → Pending → Sending → Sent → Confirmed, and what can go wrong:
/// <code>
/// Sending   --not now--&gt; Pending (Retry-After, else full jitter, cap 60 s)      --refused--&gt; Dead
/// Sending   --handed to a channel that says no more--&gt; Confirmed
/// Sending   --unclear, or found so after a restart--&gt; Doubtful
/// Doubtful  --looked: there--&gt; Sent     --looked twice: not there--&gt; Pending   --cannot look--&gt; Doubtful
/// Doubtful  --a channel that nobody can ask--&gt; Sending, the same again with the same id (at least once)
/// Pending   --its channel is refused for good, and there is another--&gt; Dead
/// Sent      --3 min of silence--&gt; Unconfirmed --12 h--&gt; Dead
/// Sent      --failed--&gt; Pending (the phone was off: thrice; a filter: once, plainer) or Dead
/// </code>
/// Two promises, held by the tests: after an unclear sending nothing is sent without a look that found nothing, where one can look; and a delivery
/// always either waits for an answer, or has a moment when it goes on, or is settled.
/// </summary>
[PureCore]
public static class DeliveryMachine
{
    public static DeliveryStep Advance(Delivery d, DeliveryEvent ev, DeliveryPolicy policy) => (d.Phase, ev) switch
    {
        ( >= DeliveryPhase.Confirmed, _) => Stay(d),
        (_, DeliveryEvent.ChannelMissing) => Die(d, null, $"channel {d.Key.Channel} is not configured"),
        (_, DeliveryEvent.Restored e) => Restore(d, e, policy),
        (DeliveryPhase.Held, DeliveryEvent.TurnCame e) => Stay(d with { Phase = DeliveryPhase.Pending, Due = e.At, Since = e.At }),
        (DeliveryPhase.Pending, DeliveryEvent.LaneRefused e) => Die(d, e.Code, $"not tried: {e.Reason}"),
        (DeliveryPhase.Held or DeliveryPhase.Pending, DeliveryEvent.Folded e) =>
            Stay(d with { Phase = DeliveryPhase.NotNeeded, Reason = Backlog.ToldIn + e.Into }),
        (DeliveryPhase.Held or DeliveryPhase.Pending, DeliveryEvent.Tick { Told: true }) when !d.Always =>
            Stay(d with { Phase = DeliveryPhase.NotNeeded }),
        (DeliveryPhase.Doubtful, DeliveryEvent.Tick { Told: true }) when !d.Always && d.Repetition != Repetition.AfterALook =>
            Stay(d with { Phase = DeliveryPhase.NotNeeded }),   // said again it would only be read twice
        (_, DeliveryEvent.Tick { May: true } e) when d.Phase != DeliveryPhase.Held && e.At >= d.Due => Ask(d),
        (DeliveryPhase.Sending, DeliveryEvent.SendAnswered e) when e.Run == d.Run => Answered(d, e, policy),
        (DeliveryPhase.Doubtful, DeliveryEvent.Looked e) when e.Run == d.Run => Looked(d, e, policy),
        (DeliveryPhase.Doubtful, DeliveryEvent.LookFailed e) when e.Run == d.Run =>
            Stay(d with { Failures = d.Failures + 1, Due = e.At + Pause(d.Failures, e, policy), Reason = e.Reason }),
        (DeliveryPhase.Sent or DeliveryPhase.Unconfirmed, DeliveryEvent.StatusSeen e) when e.Run == d.Run => Seen(d, e, policy),
        (DeliveryPhase.Sent or DeliveryPhase.Unconfirmed, DeliveryEvent.QueryFailed e) when e.Run == d.Run =>
            Waiting(d with { Failures = d.Failures + 1, Reason = e.Reason }, e, Pause(d.Failures, e, policy), policy),
        _ => Stay(d),   // late or repeated news
    };

    private static DeliveryStep Ask(Delivery d)
    {
        var asked = d with { Run = d.Run + 1, Due = Instant.Never };
        return d.Phase switch
        {
            DeliveryPhase.Pending => new(asked with { Phase = DeliveryPhase.Sending }, DeliveryAction.Send),
            DeliveryPhase.Doubtful when d.Repetition is Repetition.Unseen or Repetition.Seen =>
                new(asked with { Phase = DeliveryPhase.Sending }, DeliveryAction.Send),
            DeliveryPhase.Doubtful => new(asked, DeliveryAction.Look),
            _ => new(asked, DeliveryAction.Query),
        };
    }

    private static DeliveryStep Answered(Delivery d, DeliveryEvent.SendAnswered e, DeliveryPolicy policy) => e.Outcome switch
    {
        SendOutcome.Accepted a => Accept(d, a.ProviderId, e.At, e.At + policy.PollGaps[0]),
        SendOutcome.Handed h => Stay(d with { Phase = DeliveryPhase.Confirmed, ProviderId = h.Reference, AcceptedAt = e.At, Code = null, Reason = null }),
        SendOutcome.Refused r => Die(d, r.Code, r.Reason),
        SendOutcome.NotNow n => Stay(d with
        {
            Phase = DeliveryPhase.Pending,
            Failures = d.Failures + 1,
            Due = e.At + Longer(After(n.After, e, policy), Pause(d.Failures, e, policy)),
            Reason = n.Reason,
        }),
        SendOutcome.Unclear u => Unclear(d, e, u.Reason, policy),
        _ => Unclear(d, e, null, policy),   // an outcome this version does not know may have been a sending
    };

    private static DeliveryStep Unclear(Delivery d, DeliveryEvent e, string? reason, DeliveryPolicy policy) =>
        d.Repetition == Repetition.AfterALook || e.At - d.Since < policy.GiveUpAfter
            ? Stay(Doubt(d, e, misses: 0, policy) with { Reason = reason ?? d.Reason })
            : Die(d, null, $"never answered clearly, it may have arrived: {reason}");

    private static DeliveryStep Accept(Delivery d, string providerId, Instant at, Instant due) => Stay(d with
    {
        Phase = DeliveryPhase.Sent,
        ProviderId = providerId,
        AcceptedAt = at,
        Due = due,
        Polls = 0,
        Failures = 0,
        Code = null,
        Reason = null,
    });

    private static Delivery Doubt(Delivery d, DeliveryEvent e, int misses, DeliveryPolicy policy) => d with
    {
        Phase = DeliveryPhase.Doubtful,
        Doubts = d.Doubts + 1,
        Misses = misses,
        Failures = 0,
        Due = e.At + d.Repetition switch
        {
            Repetition.Unseen => Pause(d.Doubts, e, policy),
            Repetition.Seen => policy.RepeatGaps[Math.Min(d.Doubts, policy.RepeatGaps.Length - 1)],
            _ => policy.Looks[Math.Min(misses, policy.Looks.Length - 1)],
        },
    };

    private static DeliveryStep Looked(Delivery d, DeliveryEvent.Looked e, DeliveryPolicy policy)
    {
        // What is found may be the earlier message that is known to have failed: then the later one is not there.
        if (e.ProviderId is { } found && found != d.ProviderId)
        {
            return Accept(d, found, e.At, e.At);
        }

        var misses = d.Misses + 1;
        return misses < policy.Looks.Length
            ? Stay(d with { Misses = misses, Failures = 0, Due = e.At + policy.Looks[misses] })
            : Stay(d with { Phase = DeliveryPhase.Pending, Misses = 0, Failures = 0, Due = e.At + NextTry(d, e, policy) });
    }

    /// <summary>The first doubt is a lost answer; a row of them is a gateway in trouble.</summary>
    private static TimeSpan NextTry(Delivery d, DeliveryEvent e, DeliveryPolicy policy) =>
        d.Doubts <= 1 ? TimeSpan.Zero : Pause(d.Doubts, e, policy);

    private static DeliveryStep Seen(Delivery d, DeliveryEvent.StatusSeen e, DeliveryPolicy policy) => e.Status.State switch
    {
        DeliveryState.Delivered => Stay(d with { Phase = DeliveryPhase.Confirmed, Due = Instant.Never, Code = null, Reason = null }),
        DeliveryState.Failed => Failed(d, e, policy),
        _ => Waiting(d with { Polls = d.Polls + 1, Failures = 0 }, e, TimeSpan.Zero, policy),
    };

    private static DeliveryStep Failed(Delivery d, DeliveryEvent.StatusSeen e, DeliveryPolicy policy)
    {
        var failed = d with { Phase = DeliveryPhase.Pending, Code = e.Status.Code, Reason = e.Status.Reason, Failures = 0 };
        return e.Status.Cure switch
        {
            FailureCure.Plainer when d.HasPlain && !d.SaidPlain => Stay(failed with { SaidPlain = true, Due = e.At }),
            FailureCure.Later when d.Resends < policy.ResendGaps.Length =>
                Stay(failed with { Resends = d.Resends + 1, Due = e.At + policy.ResendGaps[d.Resends] }),
            _ => Die(d, e.Status.Code, e.Status.Reason ?? "the gateway gives no reason"),
        };
    }

    private static DeliveryStep Waiting(Delivery d, DeliveryEvent e, TimeSpan atLeast, DeliveryPolicy policy)
    {
        var waited = e.At - d.AcceptedAt;
        if (waited >= policy.GiveUpAfter)
        {
            return Die(d, d.Code, "the gateway took it and never confirmed it");
        }

        var slow = d.Phase == DeliveryPhase.Unconfirmed || waited >= policy.UnconfirmedAfter;
        var gap = slow ? policy.SlowPoll : policy.PollGaps[Math.Min(d.Polls, policy.PollGaps.Length - 1)];
        return Stay(d with { Phase = slow ? DeliveryPhase.Unconfirmed : DeliveryPhase.Sent, Due = e.At + Longer(gap, atLeast) });
    }

    private static DeliveryStep Restore(Delivery d, DeliveryEvent.Restored e, DeliveryPolicy policy)
    {
        var now = d with { Since = e.At, AcceptedAt = e.At, Due = e.At };
        return Stay(d.Phase switch
        {
            DeliveryPhase.Held => now,

            // Sent while the disk could not be written? One look tells; it costs one question.
            DeliveryPhase.Pending when d.Repetition == Repetition.AfterALook => Doubt(now, e, policy.Looks.Length - 1, policy) with { Due = e.At },
            DeliveryPhase.Pending => now,
            DeliveryPhase.Sending or DeliveryPhase.Doubtful or DeliveryPhase.Unknown => Doubt(now, e, misses: 0, policy),
            _ => now,
        });
    }

    private static DeliveryStep Die(Delivery d, string? code, string reason) =>
        Stay(d with { Phase = DeliveryPhase.Dead, Due = Instant.Never, Code = code, Reason = reason });

    private static DeliveryStep Stay(Delivery d) => new(d, DeliveryAction.None);

    private static TimeSpan After(TimeSpan? asked, DeliveryEvent e, DeliveryPolicy policy) => asked is not { } after || after < TimeSpan.Zero
        ? TimeSpan.Zero
        : Shorter(after, policy.LongestRetryAfter) + (e.Jitter * policy.Retry.First);

    private static TimeSpan Pause(int failures, DeliveryEvent e, DeliveryPolicy policy) =>
        Longer(policy.RetryFloor, policy.Retry.Delay(failures, e.Jitter));

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
