using System.Collections.Immutable;
using System.Net;
using Common.Time;

namespace InternalHost.Sync;

/// <summary>What is known of the bastion's knowledge of people.</summary>
/// <param name="Wish">The controller's wish for a way in; null: there is none.</param>
/// <param name="Address">The bastion that the tunnel is logged in to; null: to none now.</param>
/// <param name="Verified">The tunnel is open: what is not up to date is worth telling.</param>
/// <param name="Attempt">The last push there was.</param>
/// <param name="Out">It is under way.</param>
/// <param name="Again">It will not be enough: the content has changed since, or the connection.</param>
/// <param name="Answered">A push of this wish has been answered, whatever the answer.</param>
/// <param name="Failures">In a row.</param>
/// <param name="NextTry">When it is tried again by itself; null: not.</param>
/// <param name="Problem">Why the last push was not taken, whole; null: it was, or there was none.</param>
/// <param name="Told">Of this wish: each is told once.</param>
/// <param name="InForce">Number of the last bundle that was accepted.</param>
internal sealed record SyncState(
    int? Wish = null,
    IPAddress? Address = null,
    bool Verified = false,
    int Attempt = 0,
    bool Out = false,
    bool Again = false,
    bool Answered = false,
    int Failures = 0,
    Instant? NextTry = null,
    SyncProblem? Problem = null,
    Instant ProblemAt = default,
    long? InForce = null,
    Instant InForceAt = default)
{
    public ImmutableHashSet<SyncFailure> Told { get; init; } = [];
}

internal abstract record SyncEvent(Instant At)
{
    /// <summary>The controller wants a way in; the same wish may be said again.</summary>
    public sealed record Opened(Instant At, int Wish) : SyncEvent(At);

    public sealed record Closed(Instant At) : SyncEvent(At);

    /// <summary>The tunnel's login is through.</summary>
    public sealed record Connected(Instant At, IPAddress Address) : SyncEvent(At);

    public sealed record Disconnected(Instant At) : SyncEvent(At);

    /// <summary>The tunnel is open.</summary>
    public sealed record Verified(Instant At) : SyncEvent(At);

    /// <summary>The configuration was read again.</summary>
    public sealed record Reloaded(Instant At) : SyncEvent(At);

    /// <summary>The configuration says something else than the bastion knows.</summary>
    public sealed record Changed(Instant At) : SyncEvent(At);

    public sealed record Answered(Instant At, int Attempt, SyncAnswer Answer) : SyncEvent(At);

    public sealed record Ticked(Instant At) : SyncEvent(At);
}

internal abstract record SyncEffect
{
    public sealed record Push(int Attempt, IPAddress Address) : SyncEffect;

    /// <summary>Find out whether the configuration says something else than the bastion knows.</summary>
    public sealed record Compare : SyncEffect;

    public sealed record Tell(int Wish, SyncProblem Problem) : SyncEffect;
}
