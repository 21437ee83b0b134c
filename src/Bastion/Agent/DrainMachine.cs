using Common;
using Common.Time;

namespace Bastion.Agent;

/// <summary>
/// Whether new people are let in. <c>Open ⇄ Draining</c>: a drain that is not repeated ends by itself, because whoever asked for it
/// may be dead, and an owner must never stay locked out.
/// </summary>
internal abstract record DrainState
{
    private DrainState()
    {
    }

    public sealed record Open : DrainState;

    /// <param name="Since">The door closed.</param>
    /// <param name="Asked">Last asked for.</param>
    public sealed record Draining(Instant Since, Instant Asked) : DrainState;
}

internal enum DrainEvent
{
    Unknown = 0,
    DrainAsked = 1,
    UndrainAsked = 2,
    Tick = 3,
}

internal enum DoorEffect
{
    None = 0,
    Close = 1,
    Open = 2,
}

[PureCore]
internal static class DrainMachine
{
    public static readonly TimeSpan ExpiresAfter = TimeSpan.FromMinutes(10);

    /// <summary>A login accepted in the very moment the door closed is in the log by then, and counted.</summary>
    public static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(500);

    public static (DrainState Next, DoorEffect Effect) Advance(DrainState state, DrainEvent ev, Instant at) => (state, ev) switch
    {
        // The file may have been removed by somebody: closing is repeated with every request.
        (DrainState.Open, DrainEvent.DrainAsked) => (new DrainState.Draining(at, at), DoorEffect.Close),
        (DrainState.Draining d, DrainEvent.DrainAsked) => (d with { Asked = at }, DoorEffect.Close),
        (_, DrainEvent.UndrainAsked) => (new DrainState.Open(), DoorEffect.Open),
        (DrainState.Draining d, DrainEvent.Tick) when at - d.Asked >= ExpiresAfter => (new DrainState.Open(), DoorEffect.Open),
        _ => (state, DoorEffect.None),
    };

    public static bool Settled(DrainState state, Instant at) => state is DrainState.Draining d && at - d.Since >= Settle;
}
