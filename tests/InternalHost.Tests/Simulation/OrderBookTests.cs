using Common.Time;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Simulation;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Simulation;

/// <summary>The world's own count of orders, held against the real controller's.</summary>
public sealed class OrderBookTests
{
    private static readonly FailoverPolicy Policy = SimulatedSite.Policy(Lifecycle.StopStart);

    [Fact]
    public void The_owners_hour_of_closed_is_not_begun_anew_by_a_drill_asked_for_in_it()
    {
        using var world = new World(new WorldOptions(1, TimeSpan.FromDays(1), Crash: false));
        var book = world.Invariants.Orders;
        var state = Serving(world.Now);

        state = Step(book, state, new FailoverEvent.InstanceSeen(world.Now, state.Run, new InstanceSight("i-0", InstanceState.Stopped, [], StoppedByOwner: true)));
        Assert.True(book.IsClosed);
        var over = world.Now + TimeSpan.FromHours(1);
        world.Agenda.MoveTo(world.Now + TimeSpan.FromMinutes(34));
        state = Step(book, state, new FailoverEvent.DrillRequested(world.Now));
        world.Agenda.MoveTo(over - TimeSpan.FromTicks(1));
        state = Step(book, state, new FailoverEvent.Tick(world.Now));
        Assert.True(book.IsClosed);
        Assert.IsType<Phase.Standby>(state.Phase);
        world.Agenda.MoveTo(over);
        state = Step(book, state, new FailoverEvent.Tick(world.Now));

        Assert.IsType<Phase.Starting>(state.Phase);
        Assert.False(book.IsClosed);
    }

    [Fact]
    public void An_order_counts_from_when_it_was_given_not_from_when_a_stalled_machine_took_it_up()
    {
        using var world = new World(new WorldOptions(1, TimeSpan.FromDays(1), Crash: false));
        var book = world.Invariants.Orders;
        var given = world.Now;
        book.Given();
        world.Agenda.MoveTo(given + TimeSpan.FromSeconds(4));

        var state = Step(book, new FailoverState(), new FailoverEvent.OperatorOpened(given, TimeSpan.FromHours(2)));
        world.Agenda.MoveTo(given + TimeSpan.FromHours(2) - TimeSpan.FromTicks(1));
        Assert.True(book.IsOpen && state.Orders.Open(world.Now));
        world.Agenda.MoveTo(given + TimeSpan.FromHours(2));

        Assert.False(book.IsOpen || state.Orders.Open(world.Now));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_start_breaks_the_order_to_close_only_if_it_was_asked_for_after_it(bool after)
    {
        using var world = new World(new WorldOptions(1, TimeSpan.FromDays(1), Crash: false));
        void Close() => Step(world.Invariants.Orders, new FailoverState(), new FailoverEvent.OperatorClosed(world.Now));
        void Ask() => world.Invariants.Asked(start: true);

        (after ? (Action)Close : Ask)();
        (after ? (Action)Ask : Close)();
        world.Provider.Start(Actor.Controller);

        Assert.Equal(after ? "I6" : null, world.Invariants.Violation?.Invariant);
    }

    private static FailoverState Step(OrderBook book, FailoverState state, FailoverEvent ev)
    {
        var step = FailoverMachine.Advance(state, ev, Policy);
        book.Stepping(ev);
        book.Stepped(state, step);
        return step.Next;
    }

    private static FailoverState Serving(Instant now) => new()
    {
        Phase = new Phase.Serving(now),
        Run = 1,
        Outages = 1,
        Outage = new Outage(1, OutageCause.PrimaryDown, now),
        Watch = new Watch { Primary = Usable.No, Backup = Usable.Yes, TunnelVerified = true, Dialled = true },
    };
}
