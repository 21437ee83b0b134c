using System.Collections.Immutable;
using System.Net;
using Common;
using Common.Time;

namespace InternalHost.Tunnel;

/// <summary>
/// <code>
/// Idle -> Dialling -> Connecting -> Forwarding -> Verifying -> Up
///            ^            any failure |               |         |
///            +------- BackingOff <----+---------------+---------+     Unwanted: Idle, from everywhere
/// </code>
/// A run is one attempt from its first dial to its end; every answer carries the number of its run, and news of an old run is dropped.
/// </summary>
internal abstract record TunnelState(int Run, Instant Since)
{
    /// <param name="Run">The last run there was.</param>
    public sealed record Idle(int Run, Instant Since) : TunnelState(Run, Since);

    /// <summary>Wanted: what has been learnt since travels along.</summary>
    public abstract record Wanting(int Run, Instant Since, TunnelMemory Memory) : TunnelState(Run, Since);

    public sealed record Dialling(int Run, Instant Since, TunnelMemory Memory) : Wanting(Run, Since, Memory);

    public sealed record Connecting(int Run, Instant Since, TunnelMemory Memory) : Wanting(Run, Since, Memory);

    /// <param name="Busy">The loop port is taken; it is asked for again until patience ends.</param>
    public sealed record Forwarding(int Run, Instant Since, TunnelMemory Memory, bool Busy = false) : Wanting(Run, Since, Memory);

    public sealed record Verifying(int Run, Instant Since, TunnelMemory Memory, LoopWatch Watch) : Wanting(Run, Since, Memory);

    /// <param name="Since">When the first nonce of this run came round.</param>
    /// <param name="Proven">Last proof: a nonce came round, or bytes came while one was out.</param>
    /// <param name="TellAgain">The wish was repeated: whoever did so waits for the next proof.</param>
    public sealed record Up(int Run, Instant Since, TunnelMemory Memory, LoopWatch Watch, Instant Proven, bool TellAgain = false) : Wanting(Run, Since, Memory);

    /// <param name="Floor">Not even a nudge starts the next run before this.</param>
    public sealed record BackingOff(int Run, Instant Since, TunnelMemory Memory, Instant Until, Instant Floor) : Wanting(Run, Since, Memory);
}

/// <summary>What one wish for a tunnel has learnt.</summary>
/// <param name="Wish">Number given by whoever wants the tunnel; comes back with every news.</param>
/// <param name="EverVerified">False: the VM may still be booting, and there is no backing off beyond the pace of the dials.</param>
/// <param name="Failures">In a row, since the last stable Up.</param>
/// <param name="Refusals">In a row: denied, not permitted, port taken.</param>
/// <param name="RefusedAt">Recent ones, for the alert at the third in five minutes.</param>
/// <param name="Evictions">In a row: verified, and soon closed by the bastion. Another host may be using our account.</param>
/// <param name="EvictedAt">Recent ones.</param>
/// <param name="Nudged">News came while a run was under way: if it fails, the next starts at once.</param>
internal sealed record TunnelMemory(
    int Wish,
    ImmutableArray<IPAddress> Addresses,
    Instant WantedAt,
    bool EverVerified = false,
    int Failures = 0,
    int Refusals = 0,
    ImmutableArray<Instant> RefusedAt = default,
    int Evictions = 0,
    ImmutableArray<Instant> EvictedAt = default,
    TunnelFailure? Last = null,
    bool Nudged = false);

/// <summary>The loop probe's course within one run.</summary>
/// <param name="Out">A probe is under way.</param>
/// <param name="Next">When the next is sent, if none is out.</param>
/// <param name="Misses">In a row.</param>
/// <param name="MovedAtMiss">Bytes moved in both directions when the first of them was counted.</param>
/// <param name="Busy">The echo is late because data moves.</param>
internal sealed record LoopWatch(bool Out, Instant Next, int Misses = 0, long MovedAtMiss = 0, bool Busy = false);

/// <summary>What happened. <c>Jitter</c> is uniform in [0, 1).</summary>
internal abstract record TunnelEvent(Instant At)
{
    public sealed record Wanted(Instant At, int Wish, ImmutableArray<IPAddress> Addresses) : TunnelEvent(At);

    public sealed record Unwanted(Instant At) : TunnelEvent(At);

    /// <summary>A link or address changed, the VM is said to run, the backup's witnesses answer again: worth trying now.</summary>
    public sealed record Nudged(Instant At) : TunnelEvent(At);

    public sealed record Ticked(Instant At) : TunnelEvent(At);

    /// <summary>A banner was seen.</summary>
    public sealed record DialWon(Instant At, int Run) : TunnelEvent(At);

    /// <summary>The login is through.</summary>
    public sealed record Connected(Instant At, int Run) : TunnelEvent(At);

    /// <param name="Refused">Null: the bastion listens on the loop port for us.</param>
    public sealed record LoopForwarded(Instant At, int Run, TunnelReason? Refused, double Jitter) : TunnelEvent(At);

    public sealed record ProbeAnswered(Instant At, int Run) : TunnelEvent(At);

    /// <summary>The echo is late, but data moves. <paramref name="Received"/>: some of it came from the bastion.</summary>
    public sealed record ProbeDelayed(Instant At, int Run, bool Received) : TunnelEvent(At);

    /// <param name="Moved">Bytes moved in both directions since the connection began.</param>
    public sealed record ProbeMissed(Instant At, int Run, long Moved, double Jitter) : TunnelEvent(At);

    public sealed record ProbeForeign(Instant At, int Run, double Jitter) : TunnelEvent(At);

    /// <summary>The run has ended, in whatever phase.</summary>
    public sealed record Failed(Instant At, int Run, TunnelFailure Failure, double Jitter) : TunnelEvent(At);
}

/// <summary>What is to be done. Each is safe to repeat.</summary>
internal abstract record TunnelEffect
{
    public sealed record Dial(int Run, ImmutableArray<IPAddress> Addresses) : TunnelEffect;

    public sealed record Connect(int Run) : TunnelEffect;

    public sealed record AddForwards(int Run) : TunnelEffect;

    public sealed record Probe(int Run) : TunnelEffect;

    /// <summary>Ends the run, whatever it is doing.</summary>
    public sealed record Close(int Run) : TunnelEffect;

    public sealed record Tell(TunnelNews News) : TunnelEffect;
}

/// <summary>What the failover controller hears of the tunnel.</summary>
/// <param name="Wish">The number that came with the wish this is news of.</param>
public abstract record TunnelNews(Instant At, int Wish)
{
    /// <summary>A nonce has made the whole round: the owner can get in. Said once for each run, and again after a repeated wish.</summary>
    public sealed record Verified(Instant At, int Wish) : TunnelNews(At, Wish);

    /// <summary>It was verified, and has ended.</summary>
    public sealed record Lost(Instant At, int Wish, TunnelFailure Failure) : TunnelNews(At, Wish);

    /// <summary>Refused, or thrown out, for the third time in five minutes: somebody has to look.</summary>
    public sealed record Trouble(Instant At, int Wish, TunnelFailure Failure) : TunnelNews(At, Wish);

    /// <summary>Another host answers at this address, nothing was sent to it: describe the instance again.</summary>
    public sealed record HostKeyChanged(Instant At, int Wish, TunnelFailure Failure) : TunnelNews(At, Wish);
}

/// <summary>The pace of everything. Defaults are DESIGN's numbers; the product has no others.</summary>
internal sealed record TunnelPolicy
{
    public static readonly TunnelPolicy Default = new();

    public TimeSpan ProbeEvery { get; init; } = TimeSpan.FromSeconds(15);

    public TimeSpan ProbeAgain { get; init; } = TimeSpan.FromSeconds(2);

    public int MissesToDeath { get; init; } = 2;

    /// <summary>A run verified for this long forgives earlier failures, and its end is retried at once.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(30);

    public Backoff Backoff { get; init; } = new(TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(30));

    /// <summary>While the VM boots, failures after the banner (sshd restarts) are retried at this pace; the dials have their own.</summary>
    public Backoff BootPace { get; init; } = new(TimeSpan.FromSeconds(0.25), TimeSpan.FromSeconds(1));

    public TimeSpan BootWindow { get; init; } = TimeSpan.FromMinutes(15);

    public TimeSpan DialFor { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Refusals: 30 s, 60 s, 120 s, 240 s, 5 min.</summary>
    public TimeSpan RefusalFirst { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan RefusalCap { get; init; } = TimeSpan.FromMinutes(5);

    public int TroubleCount { get; init; } = 3;

    public TimeSpan TroubleWindow { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Two hosts that share an account end each other's tunnels: nobody yields, but at this pace.</summary>
    public TimeSpan EvictionPace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A verified tunnel that the bastion closes within this may have been evicted. Longer than the pace, at which two hosts take turns.</summary>
    public TimeSpan EvictedWithin { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Newer servers penalise an address for each refused login (PerSourcePenalties): nudges do not go below this.</summary>
    public TimeSpan RefusalFloor { get; init; } = TimeSpan.FromSeconds(15);

    public TimeSpan HostKeyRetry { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long the loop port may stay taken before the login is repeated, which makes the bastion end older ones.</summary>
    public TimeSpan ForwardPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A nudge ends a login that has been under way for this long: it began on a link that is gone.</summary>
    public TimeSpan StaleLogin { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Nudges may come in bursts.</summary>
    public TimeSpan NudgeFloor { get; init; } = TimeSpan.FromSeconds(0.25);
}
