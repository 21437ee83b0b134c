using System.Collections.Immutable;
using System.Net;
using Common;
using Common.Time;
using static InternalHost.Tunnel.TunnelEffect;
using static InternalHost.Tunnel.TunnelEvent;
using static InternalHost.Tunnel.TunnelState;

namespace InternalHost.Tunnel;

internal readonly record struct TunnelStep(TunnelState Next, ImmutableArray<TunnelEffect> Effects);

/// <summary>Decides when to dial, when to believe in the tunnel, when to give it up and how long to wait. See <see cref="TunnelState"/> for the picture.</summary>
[PureCore]
internal static class TunnelMachine
{
    public static readonly TunnelState Start = new Idle(0, default);

    public static TunnelStep Advance(TunnelState state, TunnelEvent ev, TunnelPolicy policy) => (state, ev) switch
    {
        (Idle s, Wanted e) => Dial(s.Run + 1, e.At, new TunnelMemory(e.Wish, e.Addresses, e.At, RefusedAt: [], EvictedAt: [])),
        (Wanting s, Wanted e) => WantedAgain(s, e),
        (Wanting s, Unwanted e) => new(new Idle(s.Run, e.At), s is BackingOff ? [] : [new Close(s.Run)]),
        (Wanting s, Nudged e) => Nudge(s, e.At, policy),

        (Dialling s, DialWon e) when e.Run == s.Run => new(new Connecting(s.Run, e.At, s.Memory), [new Connect(s.Run)]),
        (Connecting s, Connected e) when e.Run == s.Run => new(new Forwarding(s.Run, e.At, s.Memory), [new AddForwards(s.Run)]),
        (Forwarding s, LoopForwarded e) when e.Run == s.Run => LoopPortAnswered(s, e, policy),
        (Forwarding or Verifying or Up, ProbeAnswered e) when e.Run == state.Run => Answered((Wanting)state, e.At, policy),
        (Forwarding or Verifying or Up, ProbeForeign e) when e.Run == state.Run => Fail((Wanting)state, Stranger, e.At, e.Jitter, policy),
        (Verifying s, ProbeMissed e) when e.Run == s.Run => Missed(s, s.Watch, e, policy),
        (Up s, ProbeMissed e) when e.Run == s.Run => Missed(s, s.Watch, e, policy),
        (Verifying s, ProbeDelayed e) when e.Run == s.Run => new(s with { Watch = s.Watch with { Busy = true } }, []),
        (Up s, ProbeDelayed e) when e.Run == s.Run => new(s with { Watch = s.Watch with { Busy = true }, Proven = e.Received ? e.At : s.Proven }, []),
        (Dialling or Connecting or Forwarding or Verifying or Up, Failed e) when e.Run == state.Run => Fail((Wanting)state, e.Failure, e.At, e.Jitter, policy),

        (BackingOff s, Ticked e) when e.At >= s.Until => Dial(s.Run + 1, e.At, s.Memory),
        (Forwarding s, Ticked e) when e.At - s.Since >= policy.ForwardPatience => Fail(s, s.Busy ? Taken : NoAnswer, e.At, 0, policy),
        (Verifying s, Ticked e) when IsDue(s.Watch, e.At) => new(s with { Watch = s.Watch with { Out = true } }, [new Probe(s.Run)]),
        (Up s, Ticked e) when IsDue(s.Watch, e.At) => new(s with { Watch = s.Watch with { Out = true } }, [new Probe(s.Run)]),

        // Late or repeated news, and time that changes nothing.
        _ => new(state, []),
    };

    /// <summary>When <see cref="Ticked"/> matters next.</summary>
    public static Instant WakeAt(TunnelState state, TunnelPolicy policy) => state switch
    {
        BackingOff s => s.Until,
        Forwarding s => s.Since + policy.ForwardPatience,
        Verifying { Watch.Out: false } s => s.Watch.Next,
        Up { Watch.Out: false } s => s.Watch.Next,
        _ => Instant.Never,
    };

    private static readonly TunnelFailure Stranger = new(TunnelReason.ForeignListener, "somebody else answers on our port of the bastion");
    private static readonly TunnelFailure Taken = new(TunnelReason.ForwardBusy, "our port of the bastion stays taken");
    private static readonly TunnelFailure NoAnswer = new(TunnelReason.Timeout, "the bastion does not answer our request to listen");
    private static readonly TunnelFailure NoEcho = new(TunnelReason.LoopProbeFailed, "connected, but nothing comes round");

    private static TunnelStep Dial(int run, Instant at, TunnelMemory memory) =>
        new(new Dialling(run, at, memory with { Nudged = false }), [new Dial(run, memory.Addresses)]);

    private static TunnelStep Redial(Wanting s, Instant at, TunnelMemory memory)
    {
        var dial = Dial(s.Run + 1, at, memory);
        return s is BackingOff ? dial : dial with { Effects = [new Close(s.Run), .. dial.Effects] };
    }

    /// <summary>New addresses end every attempt at the old ones, but not a tunnel that works: it has to prove itself once more.</summary>
    private static TunnelStep WantedAgain(Wanting s, Wanted e)
    {
        var memory = s.Memory with { Wish = e.Wish, Addresses = e.Addresses };
        return s switch
        {
            Up { Watch.Out: true } up => new(up with { Memory = memory, TellAgain = true }, []),
            Up up => new(up with { Memory = memory, TellAgain = true, Watch = up.Watch with { Out = true } }, [new Probe(s.Run)]),
            _ when SameAddresses(s.Memory.Addresses, e.Addresses) => new(s with { Memory = memory }, []),
            _ => Redial(s, e.At, memory),
        };
    }

    private static bool SameAddresses(ImmutableArray<IPAddress> a, ImmutableArray<IPAddress> b) => a.ToHashSet().SetEquals(b);

    private static TunnelStep Nudge(Wanting state, Instant at, TunnelPolicy policy) => state switch
    {
        BackingOff s when at >= s.Floor => Dial(s.Run + 1, at, s.Memory),
        BackingOff s => new(s with { Until = Instant.Min(s.Until, s.Floor) }, []),
        Connecting s when at - s.Since >= policy.StaleLogin => Redial(s, at, s.Memory),
        Up { Watch.Out: false } s => new(s with { Watch = s.Watch with { Out = true } }, [new Probe(s.Run)]),
        Verifying { Watch.Out: false } s => new(s with { Watch = s.Watch with { Out = true } }, [new Probe(s.Run)]),
        Up s => new(s, []),
        _ => new(state with { Memory = state.Memory with { Nudged = true } }, []),
    };

    private static TunnelStep LoopPortAnswered(Forwarding s, LoopForwarded e, TunnelPolicy policy) => e.Refused switch
    {
        null => new(new Verifying(s.Run, e.At, s.Memory, new LoopWatch(Out: true, Next: e.At)), [new Probe(s.Run)]),
        // Asked for again by its keeper. One probe tells a stranger from a dead session; more would keep a dead one alive.
        TunnelReason.ForwardBusy when !s.Busy => new(s with { Busy = true, Memory = s.Memory with { Last = Taken } }, [new Probe(s.Run)]),
        TunnelReason.ForwardBusy => new(s, []),
        { } refused => Fail(s, new(refused, "our port of the bastion is refused"), e.At, e.Jitter, policy),
    };

    private static TunnelStep Answered(Wanting state, Instant at, TunnelPolicy policy)
    {
        var watch = new LoopWatch(Out: false, Next: at + policy.ProbeEvery);
        ImmutableArray<TunnelEffect> tell = [new Tell(new TunnelNews.Verified(at, state.Memory.Wish))];
        return state is Up up
            ? new(up with { Watch = watch, Proven = at, Memory = Settle(up, at, policy), TellAgain = false }, up.TellAgain ? tell : [])
            : new(new Up(state.Run, at, state.Memory with { EverVerified = true, Last = null }, watch, at), tell);
    }

    /// <summary>What a run that has lasted so long forgives.</summary>
    private static TunnelMemory Settle(Wanting s, Instant at, TunnelPolicy policy)
    {
        var memory = IsStable(s, at, policy) ? s.Memory with { Failures = 0, Refusals = 0, RefusedAt = [] } : s.Memory;
        return s is Up && at - s.Since >= policy.EvictedWithin ? memory with { Evictions = 0, EvictedAt = [] } : memory;
    }

    private static TunnelStep Missed(Wanting state, LoopWatch watch, ProbeMissed e, TunnelPolicy policy)
    {
        // Data between the two misses shows that the first was only late.
        var first = watch.Misses == 0 || e.Moved - watch.MovedAtMiss >= LoopVerdict.BusyBytes;
        var next = watch with
        {
            Out = false,
            Busy = false,
            Next = e.At + policy.ProbeAgain,
            Misses = first ? 1 : watch.Misses + 1,
            MovedAtMiss = first ? e.Moved : watch.MovedAtMiss,
        };
        return next.Misses >= policy.MissesToDeath ? Fail(state, NoEcho, e.At, e.Jitter, policy) : state switch
        {
            Up s => new(s with { Watch = next }, []),
            Verifying s => new(s with { Watch = next }, []),
            _ => new(state, []),
        };
    }

    private static bool IsDue(LoopWatch watch, Instant at) => !watch.Out && at >= watch.Next;

    private static TunnelStep Fail(Wanting s, TunnelFailure failure, Instant at, double jitter, TunnelPolicy policy)
    {
        var memory = Remember(s, failure, at, policy);
        var (wait, floor) = Ladder(s, memory, failure, at, jitter, policy);
        var last = memory.Evictions >= policy.TroubleCount && IsEviction(s, failure, at, policy) ? failure with { Reason = TunnelReason.Evicted } : failure;
        ImmutableArray<TunnelEffect> effects = [new Close(s.Run), .. News(s, memory, last, at, policy)];
        return new(new BackingOff(s.Run, at, memory with { Last = last, Nudged = false }, at + wait, at + floor), effects);
    }

    private static IEnumerable<TunnelEffect> News(Wanting s, TunnelMemory memory, TunnelFailure failure, Instant at, TunnelPolicy policy)
    {
        if (s is Up)
        {
            yield return new Tell(new TunnelNews.Lost(at, memory.Wish, failure));
        }

        if (failure.Reason == TunnelReason.HostKeyChanged)
        {
            yield return new Tell(new TunnelNews.HostKeyChanged(at, memory.Wish, failure));
        }

        var recent = IsRefusal(failure.Reason) ? memory.RefusedAt.Length : IsEviction(s, failure, at, policy) ? memory.EvictedAt.Length : 0;
        if (recent == policy.TroubleCount)
        {
            yield return new Tell(new TunnelNews.Trouble(at, memory.Wish, failure));
        }
    }

    private static TunnelMemory Remember(Wanting s, TunnelFailure failure, Instant at, TunnelPolicy policy)
    {
        var memory = Settle(s, at, policy);
        return failure.Reason switch
        {
            TunnelReason.HostKeyChanged => memory,
            var reason when IsRefusal(reason) => memory with { Refusals = memory.Refusals + 1, RefusedAt = Recent(memory.RefusedAt, at, policy) },
            _ when IsEviction(s, failure, at, policy) => memory with
            {
                Failures = memory.Failures + 1,
                Evictions = memory.Evictions + 1,
                EvictedAt = Recent(memory.EvictedAt, at, policy),
            },
            _ when IsStable(s, at, policy) => memory,
            _ => memory with { Failures = memory.Failures + 1 },
        };
    }

    /// <summary>Failures of another kind get another ladder. The floor is what a nudge cannot go below.</summary>
    private static (TimeSpan Wait, TimeSpan Floor) Ladder(Wanting s, TunnelMemory memory, TunnelFailure failure, Instant at, double jitter, TunnelPolicy policy) =>
        failure.Reason switch
        {
            TunnelReason.HostKeyChanged => (policy.HostKeyRetry, policy.RefusalFloor),
            // Paced already by the patience with which the port was asked for.
            TunnelReason.ForwardBusy => (policy.Backoff.Delay(0, jitter), policy.NudgeFloor),
            var reason when IsRefusal(reason) => (RefusalWait(memory.Refusals, policy), policy.RefusalFloor),
            _ when memory.Evictions >= policy.TroubleCount && IsEviction(s, failure, at, policy) => (policy.EvictionPace, policy.RefusalFloor),
            _ when IsStable(s, at, policy) || StartsOverAtOnce(s, memory, at, policy) => (TimeSpan.Zero, TimeSpan.Zero),
            _ => (Delay(memory, at, jitter, policy), policy.NudgeFloor),
        };

    private static TimeSpan RefusalWait(int refusals, TunnelPolicy policy)
    {
        var wait = policy.RefusalFirst * Math.Pow(2, Math.Min(refusals - 1, 10));
        return wait < policy.RefusalCap ? wait : policy.RefusalCap;
    }

    /// <summary>Dials have their own pace: while the VM boots, or after a nudge, a pause between two rounds of them would only be missed time.</summary>
    private static bool StartsOverAtOnce(Wanting s, TunnelMemory memory, Instant at, TunnelPolicy policy) =>
        s is Dialling && (memory.Nudged || IsBooting(memory, at, policy));

    private static TimeSpan Delay(TunnelMemory memory, Instant at, double jitter, TunnelPolicy policy)
    {
        var delay = (IsBooting(memory, at, policy) ? policy.BootPace : policy.Backoff).Delay(memory.Failures - 1, jitter);
        return memory.Nudged && delay > policy.NudgeFloor ? policy.NudgeFloor : delay;
    }

    private static bool IsBooting(TunnelMemory memory, Instant at, TunnelPolicy policy) =>
        !memory.EverVerified && at - memory.WantedAt < policy.BootWindow;

    private static bool IsStable(Wanting s, Instant at, TunnelPolicy policy) => s is Up && at - s.Since >= policy.StableAfter;

    private static bool IsEviction(Wanting s, TunnelFailure failure, Instant at, TunnelPolicy policy) =>
        s is Up && failure.Reason is TunnelReason.Closed or TunnelReason.Evicted && at - s.Since < policy.EvictedWithin;

    private static ImmutableArray<Instant> Recent(ImmutableArray<Instant> earlier, Instant at, TunnelPolicy policy) =>
        [.. earlier.Where(then => earlier.Length < policy.TroubleCount && at - then <= policy.TroubleWindow), at];

    private static bool IsRefusal(TunnelReason reason) => reason is
        TunnelReason.Denied or TunnelReason.ForwardNotPermitted or TunnelReason.ForwardBusy or TunnelReason.ForeignListener;
}
