using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;
using static InternalHost.Failover.FailoverEffect;

namespace InternalHost.Tests.Failover;

/// <summary>Orders of people, and lives of the program: what outranks the detector, and what survives a restart.</summary>
public sealed class FailoverOrdersTests
{
    private readonly Story _story = new();

    [Fact]
    public void Operator_open_outranks_a_working_primary_and_expires()
    {
        _story.Backup(Usable.Yes).Primary(Usable.Yes).Do(at => new FailoverEvent.OperatorOpened(at, TimeSpan.FromMinutes(20)));
        Assert.Equal("Starting", _story.Phase);

        _story.Accepted().Instance(InstanceState.Running, Story.A).Verified();
        Assert.Equal("Serving", _story.Phase);
        Assert.Equal([OutageAlert.Open], _story.Told);

        _story.Wait(TimeSpan.FromMinutes(21));
        Assert.Equal("Draining", _story.Phase);
    }

    [Fact]
    public void Operator_close_outranks_the_outage_but_waits_for_people()
    {
        _story.Serving().Sessions(1).Do(at => new FailoverEvent.OperatorClosed(at));
        Assert.Equal("Draining", _story.Phase);

        _story.Wait(30).Sessions(1);
        Assert.Equal(0, _story.Count<Drain>());

        _story.Wait(5).Sessions(0);
        Assert.Equal(1, _story.Count<Drain>());

        _story.Drained().Accepted().Instance(InstanceState.Stopped).Wait(TimeSpan.FromMinutes(50));
        Assert.Equal("Standby", _story.Phase);
        Assert.Equal(1, _story.Count<StartInstance>());
    }

    [Fact]
    public void Drill_asked_for_in_an_outage_does_not_outlive_the_operators_close()
    {
        _story.Serving().Do(at => new FailoverEvent.DrillRequested(at)).Sessions(0).Do(at => new FailoverEvent.OperatorClosed(at)).Sessions(0);
        _story.Drained().Accepted().Instance(InstanceState.Stopped);
        Assert.Equal("Standby", _story.Phase);

        _story.Wait(TimeSpan.FromMinutes(50)).Primary(Usable.Yes).Wait(TimeSpan.FromMinutes(50));
        Assert.Equal("Standby", _story.Phase);
        Assert.Equal(1, _story.Count<StartInstance>());
    }

    [Fact]
    public void Drill_asked_for_in_an_outage_is_withdrawn_by_a_pause()
    {
        _story.Serving().Do(at => new FailoverEvent.DrillRequested(at)).Do(at => new FailoverEvent.OperatorPaused(at, TimeSpan.FromHours(4), "")).Primary(Usable.Yes);
        _story.Sessions(0).Empty(610).Drained().Accepted().Instance(InstanceState.Stopped);

        Assert.Equal("Standby", _story.Phase);
        Assert.Equal(1, _story.Count<StartInstance>());
    }

    [Fact]
    public void Drill_asked_for_while_closed_waits_until_the_close_is_withdrawn_or_runs_out()
    {
        var withdrawn = Closed().Do(at => new FailoverEvent.DrillRequested(at));
        Assert.Equal("Standby", withdrawn.Phase);
        Assert.Equal("Starting", withdrawn.Do(at => new FailoverEvent.OperatorOpened(at, TimeSpan.FromMinutes(20))).Phase);

        var ranOut = Closed().Do(at => new FailoverEvent.DrillRequested(at)).Wait(TimeSpan.FromMinutes(50));
        Assert.Equal("Standby", ranOut.Phase);
        Assert.Equal("Starting", ranOut.Wait(TimeSpan.FromMinutes(15)).Phase);

        static Story Closed() => new Story().Backup(Usable.Yes).Primary(Usable.Yes).Do(at => new FailoverEvent.OperatorClosed(at));
    }

    [Fact]
    public void Pause_keeps_an_outage_from_starting_anything_until_it_expires()
    {
        _story.Do(at => new FailoverEvent.OperatorPaused(at, TimeSpan.FromHours(4), "provider works on the line")).Cut().Wait(TimeSpan.FromHours(3));
        Assert.Equal("Standby", _story.Phase);

        _story.Wait(TimeSpan.FromHours(2));
        Assert.Equal("Starting", _story.Phase);
    }

    [Fact]
    public void Restart_while_starting_looks_first_and_adopts()
    {
        _story.Cut().Restart();
        Assert.IsType<DescribeInstance>(Assert.Single(_story.Last));

        _story.Instance(InstanceState.Running, Story.A);
        Assert.Equal("Connecting", _story.Phase);
        Assert.Equal(1, _story.Count<StartInstance>());
    }

    [Fact]
    public void Restart_while_starting_with_nothing_running_starts_at_once()
    {
        _story.Cut().Restart().Instance(InstanceState.Stopped);

        Assert.Equal(2, _story.Count<StartInstance>());
    }

    [Fact]
    public void Restart_while_serving_dials_again_and_stops_nothing()
    {
        _story.Serving().Wait(70).Restart().Instance(InstanceState.Running, Story.A);
        Assert.IsType<OpenTunnel>(Assert.Single(_story.Last));

        _story.Verified();
        Assert.Equal("Serving", _story.Phase);
        Assert.Equal([OutageAlert.Open], _story.Told);
        Assert.Equal(1, _story.Count<StartInstance>());
    }

    [Fact]
    public void Restart_while_drained_opens_the_door_again()
    {
        _story.Serving().Primary(Usable.Yes).Sessions(0).Empty(610).Restart().Instance(InstanceState.Running, Story.A).Verified();

        Assert.Contains(_story.Last, e => e is Undrain);
    }

    [Fact]
    public void Restart_while_stopping_does_not_stop_what_is_stopping()
    {
        _story.Stopping().Restart().Instance(InstanceState.Stopping).Instance(InstanceState.Stopped);

        Assert.Equal("Standby", _story.Phase);
        Assert.Equal(1, _story.Count<StopInstance>());
    }

    [Fact]
    public void Restart_long_after_the_drain_asks_again_before_it_stops()
    {
        _story.Stopping().Wait(TimeSpan.FromMinutes(6)).Restart().Instance(InstanceState.Running, Story.A);

        Assert.Equal("Connecting", _story.Phase);
        Assert.Equal(1, _story.Count<StopInstance>());
    }

    [Fact]
    public void Restart_while_stopping_does_not_stop_a_machine_that_was_started_since()
    {
        _story.Cut().Accepted().Instance(InstanceState.Running, Story.A, launch: "first").Verified().Wait(70).Primary(Usable.Yes).Sessions(0).Empty(600).Drained();
        Assert.Equal("Stopping", _story.Phase);

        _story.Restart().Instance(InstanceState.Running, Story.A, launch: "second");

        Assert.Equal("Connecting", _story.Phase);
        Assert.Equal(1, _story.Count<StopInstance>());
    }

    [Fact]
    public void Answer_to_an_older_question_is_dropped()
    {
        _story.Cut();
        var old = _story.State.Run - 1;
        _story.Do(at => new FailoverEvent.InstanceSeen(at, old, new InstanceSight("i-1", InstanceState.Running, [Story.A])));
        Assert.Equal("Starting", _story.Phase);

        _story.Do(at => new FailoverEvent.TunnelVerified(at, old));
        Assert.False(_story.State.Watch.TunnelVerified);
    }

    [Fact]
    public void Always_on_bastion_is_never_stopped()
    {
        var story = new Story(Story.Policy with { Lifecycle = Lifecycle.AlwaysOn, HasAgent = false });
        story.Serving().Primary(Usable.Yes).Wait(TimeSpan.FromMinutes(11));

        Assert.Equal("Standby", story.Phase);
        Assert.Equal(0, story.Count<StopInstance>());
        Assert.Equal(1, story.Count<CloseTunnel>());
    }

    [Fact]
    public void Quiet_standby_wakes_rarely()
    {
        _story.Backup(Usable.Yes).Primary(Usable.Yes).Instance(InstanceState.Stopped);
        var ticks = 0;
        var end = _story.At + TimeSpan.FromHours(1);
        while (_story.At < end)
        {
            _story.Wait(FailoverMachine.NextWake(_story.State, _story.At, _story.P) - _story.At);
            if (_story.Last.OfType<DescribeInstance>().Any())
            {
                _story.Instance(InstanceState.Stopped);
            }

            ticks++;
        }

        Assert.InRange(ticks, 30, 70);
    }
}
