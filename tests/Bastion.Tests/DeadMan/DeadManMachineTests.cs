using Bastion.DeadMan;
using Common.Time;

namespace Bastion.Tests.DeadMan;

public sealed class DeadManMachineTests
{
    private static readonly TimeSpan After = TimeSpan.FromMinutes(20);
    private static readonly Instant T0 = new(TimeSpan.FromHours(1).Ticks);
    private static readonly DeadManView Empty = new(Presence.Nobody, AptIdle: true, OutboxEmpty: true, DoorSettled: true, HeldUntil: new Instant(0));
    private static readonly DeadManState.Watching Watching = new(T0);
    private static readonly DeadManState.Closing Closing = new(T0, Told: true);
    private static readonly DeadManState.GoingOff GoingOff = new(T0);

    [Fact]
    public void Nobody_for_the_whole_time_closes_the_door_and_not_a_tick_earlier()
    {
        Assert.Equal(Watching, Step(Watching, Empty, After - TimeSpan.FromTicks(1)).Next);

        var (next, effects) = Step(Watching, Empty, After);

        Assert.Equal(new DeadManState.Closing(T0 + After, Told: false), next);
        Assert.Equal([DeadManEffect.CloseDoor], effects);
    }

    [Theory]
    [InlineData(Presence.Somebody)]
    [InlineData(Presence.Unknown)]
    public void Somebody_or_not_knowing_begins_the_count_again(object presence)
    {
        var (next, effects) = Step(Watching, Empty with { Presence = (Presence)presence }, After * 3);

        Assert.Equal(new DeadManState.Watching(T0 + (After * 3)), next);
        Assert.Empty(effects);
    }

    [Fact]
    public void Package_work_is_waited_for()
    {
        Assert.Equal(Watching, Step(Watching, Empty with { AptIdle = false }, After * 2).Next);
        Assert.Equal([DeadManEffect.CloseDoor], Step(Closing, Empty with { AptIdle = false }, After).Effects);
    }

    [Fact]
    public void End_of_a_hold_counts_like_a_persons_leaving()
    {
        var held = Empty with { HeldUntil = T0 + TimeSpan.FromHours(2) };

        Assert.Equal(Watching, Step(Watching, held, TimeSpan.FromHours(2) + After - TimeSpan.FromTicks(1)).Next);
        Assert.IsType<DeadManState.Closing>(Step(Watching, held, TimeSpan.FromHours(2) + After).Next);
    }

    [Fact]
    public void Whoever_comes_while_it_closes_opens_it_again()
    {
        var views = new[] { Empty with { Presence = Presence.Somebody }, Empty with { Presence = Presence.Unknown }, Empty with { HeldUntil = T0 + After } };

        Assert.All(views, view =>
        {
            var (next, effects) = Step(Closing, view, TimeSpan.FromSeconds(5));

            Assert.Equal(new DeadManState.Watching(T0 + TimeSpan.FromSeconds(5)), next);
            Assert.Equal([DeadManEffect.OpenDoor], effects);
        });
    }

    [Fact]
    public void Owner_is_told_once_the_door_is_closed_then_it_goes()
    {
        var untold = new DeadManState.Closing(T0, Told: false);

        Assert.Equal([DeadManEffect.CloseDoor], Step(untold, Empty with { DoorSettled = false }, TimeSpan.FromSeconds(1)).Effects);
        var told = Step(untold, Empty, TimeSpan.FromSeconds(5));
        Assert.Equal([DeadManEffect.TellOff], told.Effects);
        Assert.Equal([DeadManEffect.CloseDoor], Step(told.Next, Empty with { OutboxEmpty = false }, TimeSpan.FromSeconds(10)).Effects);
        var gone = Step(told.Next, Empty, TimeSpan.FromSeconds(15));

        Assert.Equal([DeadManEffect.PowerOff], gone.Effects);
        Assert.Equal(new DeadManState.GoingOff(T0 + TimeSpan.FromSeconds(15)), gone.Next);
    }

    [Fact]
    public void Dead_gateway_or_a_stuck_door_keeps_it_running_for_two_minutes_only()
    {
        Assert.Equal([DeadManEffect.PowerOff], Step(Closing, Empty with { OutboxEmpty = false }, DeadManMachine.FlushFor).Effects);
        Assert.Equal([DeadManEffect.PowerOff], Step(Closing, Empty with { DoorSettled = false }, DeadManMachine.FlushFor).Effects);
    }

    [Fact]
    public void End_that_does_not_come_is_told_and_tried_again_later()
    {
        Assert.Equal(GoingOff, Step(GoingOff, Empty with { Presence = Presence.Somebody }, DeadManMachine.OffTakes - TimeSpan.FromTicks(1)).Next);

        var (next, effects) = Step(GoingOff, Empty, DeadManMachine.OffTakes);

        Assert.Equal(new DeadManState.Watching(T0 + DeadManMachine.OffTakes), next);
        Assert.Equal([DeadManEffect.OpenDoor, DeadManEffect.TellStuck], effects);
    }

    /// <summary>Random worlds: it is never switched off within the time after anybody was here, nor while it is held or packages are worked on.</summary>
    [Fact]
    public void Never_under_anybodys_feet()
    {
        var random = new Random(4711);
        var offs = 0;
        for (var world = 0; world < 200; world++)
        {
            DeadManState state = Watching;
            var (at, last) = (T0, T0);
            var view = Empty;
            for (var look = 0; look < 2000; look++)
            {
                at += TimeSpan.FromSeconds(5);
                view = Empty with
                {
                    Presence = random.NextDouble() < 0.001 ? (Presence)random.Next(3) : look % 700 < 40 ? Presence.Somebody : Presence.Nobody,
                    AptIdle = random.NextDouble() < 0.8,
                    OutboxEmpty = random.NextDouble() < 0.5,
                    DoorSettled = random.NextDouble() < 0.9,
                    HeldUntil = random.NextDouble() < 0.0005 ? at + TimeSpan.FromMinutes(random.Next(60)) : view.HeldUntil,
                };
                last = view.Presence == Presence.Nobody ? last : at;
                (state, var effects) = DeadManMachine.Advance(state, view, at, After);
                if (effects.Contains(DeadManEffect.PowerOff))
                {
                    offs++;
                    Assert.True(at - last >= After && view.AptIdle && view.HeldUntil <= at);
                }
            }
        }

        Assert.True(offs > 100, $"only {offs} ends in all worlds: the test shows nothing");
    }

    private static (DeadManState Next, IEnumerable<DeadManEffect> Effects) Step(DeadManState state, DeadManView view, TimeSpan later) =>
        DeadManMachine.Advance(state, view, T0 + later, After);
}
