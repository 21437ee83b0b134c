using System.Collections.Immutable;
using Common;
using Common.Time;
using static InternalHost.Sync.SyncEffect;
using static InternalHost.Sync.SyncEvent;

namespace InternalHost.Sync;

internal readonly record struct SyncStep(SyncState Next, ImmutableArray<SyncEffect> Effects);

/// <summary>
/// Decides when the bundle is pushed and what is told. Pushed at each login of the tunnel, because a VM that was started anew has
/// forgotten everything and nothing but a push finds that out, and when the content changes. One push at a time.
/// </summary>
[PureCore]
internal static class SyncMachine
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Cap = TimeSpan.FromMinutes(5);
    private const int FailuresToTell = 2;

    public static SyncStep Advance(SyncState s, SyncEvent ev) => ev switch
    {
        Opened e when e.Wish != s.Wish => new(Fresh(s) with { Wish = e.Wish }, []),
        Closed => new(Fresh(s) with { Problem = s.Problem, ProblemAt = s.ProblemAt }, []),
        Connected e when s.Wish is not null => Reached(s with { Address = e.Address, Verified = false }, e.At),
        Disconnected => new(s with { Address = null, Verified = false }, []),
        Verified when s.Wish is not null => Tell(s with { Verified = true }),
        Reloaded when s.Address is not null => new(s, [new Compare()]),
        Changed when s.Address is not null => Push(s),
        Answered e when e.Attempt == s.Attempt && s.Out => Judge(s with { Out = false, Answered = true }, e),
        Ticked e when e.At >= WakeAt(s) => Push(s),

        // Late or repeated news, and time that changes nothing.
        _ => new(s, []),
    };

    /// <summary>When <see cref="Ticked"/> matters next.</summary>
    public static Instant WakeAt(SyncState s) => s is { Out: false, Address: not null, NextTry: { } next } ? next : Instant.Never;

    /// <summary>Another wish, perhaps another machine. An answer that is still out is nobody's.</summary>
    private static SyncState Fresh(SyncState s) => new(Attempt: s.Attempt, InForce: s.InForce, InForceAt: s.InForceAt);

    /// <summary>What a person has to mend is not asked again at each reconnect: sshd counts refused logins.</summary>
    private static SyncStep Reached(SyncState s, Instant at) =>
        s is { Problem.MayPass: false, NextTry: { } next } && at < next ? new(s, []) : Push(s);

    private static SyncStep Push(SyncState s) => s switch
    {
        { Out: true } => new(s with { Again = true }, []),
        { Address: { } address } => new(s with { Attempt = s.Attempt + 1, Out = true, Again = false, NextTry = null }, [new Push(s.Attempt + 1, address)]),
        _ => new(s, []),
    };

    private static SyncStep Judge(SyncState s, Answered e)
    {
        var (accepted, _, problem) = e.Answer;
        var failures = accepted ? 0 : s.Failures + 1;
        var next = s with
        {
            Failures = failures,
            Problem = problem,
            ProblemAt = problem is null ? default : e.At,
            NextTry = accepted ? null : e.At + Wait(failures),
            InForce = accepted ? e.Answer.InForce : s.InForce,
            InForceAt = accepted ? e.At : s.InForceAt,
        };
        var told = Tell(next);
        var again = s.Again ? Push(told.Next) : new(told.Next, []);
        return again with { Effects = [.. told.Effects, .. again.Effects] };
    }

    private static TimeSpan Wait(int failures)
    {
        var wait = First * Math.Pow(2, Math.Min(failures - 1, 10));
        return wait < Cap ? wait : Cap;
    }

    private static SyncStep Tell(SyncState s) =>
        s is { Verified: true, Wish: { } wish, Problem: { } problem } && !s.Told.Contains(problem.Failure) && (!problem.MayPass || s.Failures >= FailuresToTell)
            ? new(s with { Told = s.Told.Add(problem.Failure) }, [new Tell(wish, problem)])
            : new(s, []);
}
