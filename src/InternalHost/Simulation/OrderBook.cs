using Common.Time;
using InternalHost.Failover;
using InternalHost.Wan.Detection;

namespace InternalHost.Simulation;

/// <summary>I6 and I8: what the operator has ordered, kept by the world's own clock and held against what the controller makes of it.</summary>
internal sealed class OrderBook(World world)
{
    private static readonly TimeSpan StayClosed = TimeSpan.FromHours(1);

    private readonly Queue<Instant> _given = new();
    private Instant _booted;
    private Instant _diedAt;
    private Instant _open;
    private Instant _closed;
    private Instant _paused;
    private bool _drill;
    private bool _drillStarts;
    private bool _wallMoved;
    private (Instant, Instant, Instant, bool, bool) _before;

    /// <summary>The disk took what was known when the process last died.</summary>
    public bool Kept { get; private set; } = true;

    public bool IsOpen => _open > world.Now;

    public bool IsClosed => _closed > world.Now;

    public bool IsPaused => _paused > world.Now;

    /// <summary>What has begun before a pause is carried on.</summary>
    public bool MayGoOn => IsOpen || !IsClosed;

    /// <summary>An outage may start the machine now.</summary>
    public bool MayStart => IsOpen || (!IsClosed && (_drill || _drillStarts || !IsPaused));

    public override string ToString() => $"{(IsClosed ? "closed" : "")} {(IsPaused ? "paused" : "")}";

    /// <summary>A person has given an order; a machine without time may take it up later, and it counts from now.</summary>
    public void Given() => _given.Enqueue(world.Now);

    /// <summary>The same rules as the controller's, on another clock.</summary>
    public void Stepping(FailoverEvent ev)
    {
        var at = IsOrder(ev) && _given.TryDequeue(out var given) ? given : world.Now;
        _before = (_open, _closed, _paused, _drill, _drillStarts);
        switch (ev)
        {
            case FailoverEvent.OperatorOpened e: (_open, _closed) = (at + e.For, default); break;
            case FailoverEvent.OperatorClosed: (_open, _closed, _drill) = (default, at + StayClosed, false); break;
            case FailoverEvent.OperatorPaused e: (_paused, _drill) = (at + e.For, false); break;
            case FailoverEvent.DrillRequested: _drill = true; break;
            case FailoverEvent.OperatorResumed: (_closed, _paused, _drill) = (default, default, false); break;
        }
    }

    private static bool IsOrder(FailoverEvent ev) => ev
        is FailoverEvent.OperatorOpened or FailoverEvent.OperatorClosed or FailoverEvent.OperatorPaused or FailoverEvent.OperatorResumed or FailoverEvent.DrillRequested;

    /// <summary>The step never came onto the disk, and nobody has been answered.</summary>
    public void RolledBack() => (_open, _closed, _paused, _drill, _drillStarts) = _before;

    public void Stepped(FailoverState before, FailoverStep step)
    {
        // A drill is asked for by a person, or a schedule of his; it waits for an outage to end, and begins once.
        if (step.Next.Phase is not Phase.Starting)
        {
            _drillStarts = false;
        }
        else if (before.Phase is not Phase.Starting)
        {
            (_drillStarts, _drill) = (_drill, false);
        }

        // "Closed" ends with the outage it was said of, and when the owner himself starts the machine.
        var joined = before.Phase is Phase.Standby && step.Next.Phase is Phase.Connecting;
        // A drill that has waited for it begins in the same moment.
        var over = before.Outage is { } outage && step.Next.Outage?.Number != outage.Number && step.Next.Watch.Primary == Usable.Yes;
        // Said once, in the step that saw it: a drill that is asked for meanwhile does not begin the hour anew.
        var byOwner = step.Effects.Any(e => e is FailoverEffect.RaiseAlert { Alert: OutageAlert.OwnerStopped });
        _closed = joined || over ? default : byOwner ? world.Now + StayClosed : _closed;
    }

    /// <summary>I8: an order lasts as long as it was given by the monotonic clock, whatever the wall clock says meanwhile.</summary>
    public void Check()
    {
        if (world.Inside is not { IsStalled: false } inside)
        {
            return;
        }

        var (orders, now) = (inside.State.Orders, inside.Now);
        var which = world.WallOffset == TimeSpan.Zero ? 6 : 8;
        world.Invariants.Hold(which, orders.Open(now) == IsOpen, $"open until {orders.OpenUntil}, now {now}; ordered until {_open}, now {world.Now}");
        world.Invariants.Hold(which, orders.Closed(now) == IsClosed, $"closed until {orders.ClosedUntil}, now {now}; ordered until {_closed}, now {world.Now}");
        world.Invariants.Hold(which, orders.Paused(now) == IsPaused, $"paused until {orders.PausedUntil}, now {now}; ordered until {_paused}, now {world.Now}");
    }

    public void Died(Inside inside)
    {
        _given.Clear();
        (_booted, _diedAt) = (inside.Booted, world.Now);
        Kept = inside.Journal.Problem is null && !world.Is(FaultKind.DiskFull) && !world.Is(FaultKind.DiskReadOnly);
    }

    /// <summary>
    /// Taken up again: what was ordered before the kill is still ordered (<see cref="Check"/> sees to it), and in another boot of the
    /// machine, which cannot know how long it was off, it lasts no longer than it was given.
    /// </summary>
    public void Recovered(Inside inside)
    {
        var (orders, now) = (inside.State.Orders, inside.Now);
        // A wall clock that jumped since the last word in the journal tells nothing of how long ago that was.
        if (Kept && inside.Booted != _booted && !_wallMoved)
        {
            world.Invariants.Hold(6, Left(orders.OpenUntil, now) <= Left(_open, _diedAt), $"open until {orders.OpenUntil}, now {now}: longer than it was given");
            world.Invariants.Hold(6, Left(orders.ClosedUntil, now) <= Left(_closed, _diedAt), $"closed until {orders.ClosedUntil}, now {now}: longer than it was given");
            world.Invariants.Hold(6, Left(orders.PausedUntil, now) <= Left(_paused, _diedAt), $"paused until {orders.PausedUntil}, now {now}: longer than it was given");
        }

        if (!Kept || inside.Booted != _booted)
        {
            Reset(inside);
            _wallMoved = world.WallOffset != TimeSpan.Zero;
        }
    }

    public void WallMoved() => _wallMoved = true;

    private static TimeSpan Left(Instant? until, Instant now) => until is { } u && u > now ? u - now : TimeSpan.Zero;

    private void Reset(Inside inside)
    {
        var shift = world.Now - inside.Now;
        (_open, _closed, _paused) = (Here(inside.State.Orders.OpenUntil), Here(inside.State.Orders.ClosedUntil), Here(inside.State.Orders.PausedUntil));
        return;

        Instant Here(Instant? there) => there is { } t ? t + shift : default;
    }
}
