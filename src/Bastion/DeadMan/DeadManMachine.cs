using System.Collections.Immutable;
using Common;
using Common.Time;

namespace Bastion.DeadMan;

/// <summary>Is anybody here: a person, a tunnel of a site, somebody at the console?</summary>
internal enum Presence
{
    /// <summary>Cannot be told: taken for somebody.</summary>
    Unknown = 0,
    Nobody = 1,
    Somebody = 2,
}

/// <summary>
/// A VM that nobody needs switches itself off. <c>Watching → Closing → GoingOff</c>; whoever comes before the end takes it back to
/// <c>Watching</c>, and so does an end that does not come.
/// </summary>
internal abstract record DeadManState
{
    private DeadManState()
    {
    }

    /// <param name="Since">Nobody has been here since; while somebody is, it moves along.</param>
    public sealed record Watching(Instant Since) : DeadManState;

    /// <summary>The door is closed to people (never to sites), the last alerts leave.</summary>
    public sealed record Closing(Instant Began, bool Told) : DeadManState;

    public sealed record GoingOff(Instant Asked) : DeadManState;
}

internal enum DeadManEffect
{
    Unknown = 0,
    CloseDoor = 1,
    OpenDoor = 2,

    /// <summary>The owner is told that the VM goes.</summary>
    TellOff = 3,
    PowerOff = 4,

    /// <summary>The owner is told that it could not be switched off, and costs money.</summary>
    TellStuck = 5,
}

/// <param name="AptIdle">No package operation runs: one that is cut may leave a VM that does not boot.</param>
/// <param name="OutboxEmpty">Nothing waits to be delivered.</param>
/// <param name="DoorSettled">The door is closed, and who was in it in that moment is counted.</param>
/// <param name="HeldUntil">The owner wants it to stay up until then.</param>
internal readonly record struct DeadManView(Presence Presence, bool AptIdle, bool OutboxEmpty, bool DoorSettled, Instant HeldUntil);

[PureCore]
internal static class DeadManMachine
{
    /// <summary>Alerts that cannot be delivered must not keep a forgotten VM running: they are on disk, and leave at the next start.</summary>
    public static readonly TimeSpan FlushFor = TimeSpan.FromMinutes(2);

    /// <summary>A machine that is still here after this was not switched off.</summary>
    public static readonly TimeSpan OffTakes = TimeSpan.FromMinutes(3);

    public static (DeadManState Next, ImmutableArray<DeadManEffect> Effects) Advance(DeadManState state, DeadManView view, Instant at, TimeSpan after) => state switch
    {
        DeadManState.Watching when view.Presence != Presence.Nobody => (new DeadManState.Watching(at), []),
        DeadManState.Watching w when GoesAt(w, view, after) > at || !view.AptIdle => (w, []),
        DeadManState.Watching => (new DeadManState.Closing(at, Told: false), [DeadManEffect.CloseDoor]),
        DeadManState.Closing when view.Presence != Presence.Nobody || view.HeldUntil > at => (new DeadManState.Watching(at), [DeadManEffect.OpenDoor]),
        // A door that cannot be closed must not keep it running for ever: nobody is here.
        DeadManState.Closing c when !view.DoorSettled && at - c.Began < FlushFor => (c, [DeadManEffect.CloseDoor]),
        DeadManState.Closing { Told: false } c => (c with { Told = true }, [DeadManEffect.TellOff]),
        DeadManState.Closing c when view.AptIdle && (view.OutboxEmpty || at - c.Began >= FlushFor) => (new DeadManState.GoingOff(at), [DeadManEffect.PowerOff]),
        // Repeated: a drain that nobody repeats opens the door by itself.
        DeadManState.Closing => (state, [DeadManEffect.CloseDoor]),
        DeadManState.GoingOff g when at - g.Asked >= OffTakes => (new DeadManState.Watching(at), [DeadManEffect.OpenDoor, DeadManEffect.TellStuck]),
        _ => (state, []),
    };

    /// <summary>When it would begin to close, were nobody to come. The end of a hold counts like a person's leaving.</summary>
    public static Instant GoesAt(DeadManState.Watching watching, DeadManView view, TimeSpan after) => Instant.Max(watching.Since, view.HeldUntil) + after;
}
