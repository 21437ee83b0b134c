using System.Collections.Immutable;

namespace Common.Alerts;

/// <summary>How the alerts stand, for status and the drain.</summary>
/// <param name="Pending">Alerts not yet confirmed that somebody waits for.</param>
/// <param name="Unconfirmed">Alerts with the gateway, of which it says nothing.</param>
/// <param name="Dead">Messages that will not arrive.</param>
/// <param name="LastError">What went wrong last; null once something has been confirmed since.</param>
/// <param name="Problem">Why alerts are in memory only; null while the disk takes them.</param>
/// <param name="DeadLetters">The newest of them, newest first.</param>
public sealed record OutboxSnapshot(
    int Pending,
    int Unconfirmed,
    int Dead,
    TimeSpan? OldestPendingAge,
    string? LastError,
    string? Problem,
    ImmutableArray<DeadLetter> DeadLetters)
{
    /// <summary>Channels that are out of order until somebody acts.</summary>
    public ImmutableArray<RefusedLane> Refused { get; init; } = [];

    /// <summary>The configured ones, by name.</summary>
    public ImmutableArray<string> Channels { get; init; } = [];
}
