using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;
using static InternalHost.Failover.FailoverEffect;

namespace InternalHost.Tests.Failover;

public sealed class FailoverMachineTests
{
    private readonly Story _story = new();

    [Fact]
    public void Outage_whole_life()
    {
        _story.Cut();
        Assert.Equal("Starting", _story.Phase);
        Assert.Equal(1, _story.Count<StartInstance>());

        _story.Accepted().Instance(InstanceState.Pending).Instance(InstanceState.Pending, Story.A);
        Assert.Equal("Connecting", _story.Phase);
        Assert.Equal(new OpenTunnel(_story.State.Run, [Story.A]), Assert.Single(_story.Last));

        _story.Verified();
        Assert.Equal("Serving", _story.Phase);
        Assert.Empty(_story.Told);

        _story.Wait(60);
        Assert.Equal([OutageAlert.Open], _story.Told);

        _story.Primary(Usable.Yes);
        Assert.Equal("Draining", _story.Phase);

        _story.Sessions(0).Empty(595);
        Assert.Equal(0, _story.Count<Drain>());

        _story.Empty(10);
        Assert.Equal(1, _story.Count<Drain>());

        _story.Drained();
        Assert.Equal("Stopping", _story.Phase);
        Assert.Equal([typeof(CloseTunnel), typeof(StopInstance)], _story.Last.Select(e => e.GetType()));

        _story.Accepted().Instance(InstanceState.Stopping);
        Assert.Equal("Stopping", _story.Phase);

        _story.Instance(InstanceState.Stopped);
        Assert.Equal("Standby", _story.Phase);
        Assert.Equal([OutageAlert.Open, OutageAlert.Closed], _story.Told);
        Assert.Equal((1, 1), (_story.Count<StartInstance>(), _story.Count<StopInstance>()));
    }

    [Fact]
    public void Short_outage_is_survived_in_silence()
    {
        _story.Serving().Wait(20).Primary(Usable.Yes).Sessions(0).Empty(610).Drained().Accepted().Instance(InstanceState.Stopped);

        Assert.Equal("Standby", _story.Phase);
        Assert.Empty(_story.Told);
    }

    [Theory]
    [InlineData(Usable.Unknown, Usable.Yes)]
    [InlineData(Usable.Yes, Usable.Yes)]
    [InlineData(Usable.No, Usable.No)]
    [InlineData(Usable.No, Usable.Unknown)]
    public void Nothing_starts_unless_the_primary_is_down_and_the_backup_usable(Usable primary, Usable backup)
    {
        _story.Backup(backup).Primary(primary).Wait(60);

        Assert.Equal("Standby", _story.Phase);
        Assert.Equal(0, _story.Count<StartInstance>());
    }

    [Fact]
    public void Waiting_for_the_backup_is_told_and_ends_when_it_comes()
    {
        _story.Backup(Usable.No).Primary(Usable.No).Wait(95);
        Assert.Equal([OutageAlert.Stuck], _story.Told);

        _story.Backup(Usable.Yes);
        Assert.Equal("Starting", _story.Phase);
    }

    [Fact]
    public void Lost_start_reply_looks_before_it_starts_again()
    {
        _story.Cut().StartRefused(CloudFailure.LostReply);
        Assert.IsType<DescribeInstance>(Assert.Single(_story.Last));

        _story.Instance(InstanceState.Pending, Story.A);
        Assert.Equal("Connecting", _story.Phase);
        Assert.Equal(1, _story.Count<StartInstance>());
    }

    [Fact]
    public void Start_that_was_never_carried_out_is_repeated()
    {
        _story.Cut().StartRefused(CloudFailure.LostReply).Wait(1).Instance(InstanceState.Stopped);

        Assert.Equal(2, _story.Count<StartInstance>());
    }

    [Fact]
    public void Accepted_start_is_not_repeated_while_the_provider_lags()
    {
        _story.Cut().Accepted().Instance(InstanceState.Stopped).Wait(10).Instance(InstanceState.Stopped);
        Assert.Equal(1, _story.Count<StartInstance>());

        _story.Wait(25).Instance(InstanceState.Stopped);
        Assert.Equal(2, _story.Count<StartInstance>());
    }

    [Fact]
    public void Refused_credential_is_told_at_the_second_refusal_and_tried_for_ever()
    {
        _story.Cut();
        for (var i = 0; i < 6; i++)
        {
            _story.StartRefused(CloudFailure.Denied).Instance(InstanceState.Stopped).Wait(400).Instance(InstanceState.Stopped);
        }

        Assert.Equal([OutageAlert.Stuck], _story.Told);
        Assert.True(_story.Count<StartInstance>() >= 6);
    }

    [Fact]
    public void Not_open_after_90_seconds_is_told_once_with_the_reason()
    {
        _story.Cut().Accepted().Instance(InstanceState.Running, Story.A).Troubled(TunnelReason.Refused).Wait(91);
        Assert.Equal("tunnel:Refused", _story.All.OfType<RaiseAlert>().Single().Reason);

        _story.Troubled(TunnelReason.Timeout).Wait(60).Troubled(TunnelReason.Refused).Wait(60);
        Assert.Single(_story.Told);

        _story.Verified();
        Assert.Equal([OutageAlert.Stuck, OutageAlert.Open], _story.Told);
    }

    [Fact]
    public void Other_host_key_is_told_only_when_the_provider_confirms_the_address()
    {
        _story.Cut().Accepted().Instance(InstanceState.Running, Story.A).Troubled(TunnelReason.HostKeyChanged);
        Assert.Contains(_story.Last, e => e is DescribeInstance);
        Assert.Empty(_story.Told);

        _story.Instance(InstanceState.Running, Story.A);
        Assert.Equal("tunnel:HostKeyChanged", _story.All.OfType<RaiseAlert>().Single().Reason);
    }

    [Theory]
    [InlineData(CloudFailure.Denied, 0)]
    [InlineData(CloudFailure.Transient, 91)]
    public void Other_host_key_of_which_the_provider_says_nothing_is_told_as_the_providers_trouble(CloudFailure failure, int after)
    {
        _story.Cut().Accepted().Instance(InstanceState.Running, Story.A).Troubled(TunnelReason.HostKeyChanged);
        _story.Do(at => new FailoverEvent.DescribeFailed(at, _story.State.Run, failure, "no")).Wait(after);
        Assert.Equal($"cloud:{failure}", _story.All.OfType<RaiseAlert>().Single().Reason);
    }

    [Fact]
    public void Other_host_key_at_an_old_address_dials_the_new_one()
    {
        _story.Cut().Accepted().Instance(InstanceState.Running, Story.A).Troubled(TunnelReason.HostKeyChanged)
            .Instance(InstanceState.Running, Story.B);

        Assert.Equal(new OpenTunnel(_story.State.Run, [Story.B]), Assert.Single(_story.Last));
        Assert.Empty(_story.Told);
    }

    [Fact]
    public void Draining_and_down_again_goes_on_serving()
    {
        _story.Serving().Primary(Usable.Yes).Sessions(0).Empty(610);
        Assert.Equal(1, _story.Count<Drain>());

        _story.Primary(Usable.No);
        Assert.Equal("Serving", _story.Phase);
        Assert.IsType<Undrain>(_story.Last[0]);

        // The answer to the old question comes late.
        _story.Drained();
        Assert.Equal("Serving", _story.Phase);
        Assert.Equal(0, _story.Count<StopInstance>());
    }

    [Fact]
    public void Answer_to_a_drain_that_was_undone_does_not_stop_the_vm()
    {
        _story.Serving().Primary(Usable.Yes).Sessions(0).Empty(610).Primary(Usable.Unknown).Primary(Usable.Yes);
        Assert.Equal((1, 1), (_story.Count<Drain>(), _story.Count<Undrain>()));
        Assert.Equal("Draining", _story.Phase);

        // The undrain is on its way behind it: somebody may be coming in.
        _story.Drained();

        Assert.Equal("Draining", _story.Phase);
        Assert.Equal(0, _story.Count<StopInstance>());
    }

    [Fact]
    public void Stopping_and_down_again_starts_when_stopped()
    {
        _story.Stopping().Primary(Usable.No);
        Assert.Equal("Stopping", _story.Phase);

        _story.Accepted().Instance(InstanceState.Stopping).Instance(InstanceState.Stopped);
        Assert.Equal("Starting", _story.Phase);
        Assert.Equal(2, _story.Count<StartInstance>());
        Assert.Equal(2, _story.State.Outage!.Number);
    }

    [Fact]
    public void Sessions_unknown_counts_as_occupied()
    {
        _story.Serving().Primary(Usable.Yes).Sessions(0).Empty(300).Sessions(null).Wait(400);

        Assert.Equal(0, _story.Count<Drain>());
    }

    [Fact]
    public void Person_who_comes_before_the_drain_keeps_the_door_open()
    {
        _story.Serving().Primary(Usable.Yes).Sessions(0).Empty(610).Drained(yes: false).Sessions(1);

        Assert.Equal("Draining", _story.Phase);
        Assert.IsType<Undrain>(_story.Last[0]);
        Assert.Equal(0, _story.Count<StopInstance>());
    }

    /// <summary>In Standby it is looked for rarely; that pause is not to go on while it boots.</summary>
    [Theory]
    [InlineData(Usable.Yes)]
    [InlineData(Usable.Unknown)]
    public void Vm_that_is_joined_while_it_boots_is_looked_at_each_second(Usable primary)
    {
        _story.Backup(Usable.Yes).Primary(primary).Wait(TimeSpan.FromMinutes(16)).Instance(InstanceState.Pending);
        Assert.Equal("Connecting", _story.Phase);
        var before = _story.Count<DescribeInstance>();

        _story.Wait(1);

        Assert.Equal(before + 1, _story.Count<DescribeInstance>());
    }

    [Fact]
    public void Failing_stop_is_retried_for_ever_and_told_once()
    {
        _story.Stopping();
        for (var i = 0; i < 20; i++)
        {
            _story.StopRefused(CloudFailure.Transient).Wait(31).Instance(InstanceState.Running, Story.A);
        }

        Assert.True(_story.Count<StopInstance>() >= 20);
        Assert.Single(_story.Told, OutageAlert.StopFailing);
    }

    [Fact]
    public void Owner_starts_the_vm_in_the_app_and_is_joined()
    {
        _story.Backup(Usable.Yes).Primary(Usable.Yes).Wait(60).Instance(InstanceState.Running, Story.A);
        Assert.Equal("Connecting", _story.Phase);
        Assert.Equal(0, _story.Count<StartInstance>());

        _story.Verified();
        Assert.Equal([OutageAlert.Open], _story.Told);
        Assert.Equal("Draining", _story.Phase);

        _story.Sessions(0).Empty(610).Drained().Accepted().Instance(InstanceState.Stopped);
        Assert.Equal("Standby", _story.Phase);
    }

    [Fact]
    public void Owner_stops_the_vm_in_the_app_and_is_obeyed_for_an_hour()
    {
        _story.Serving().Wait(70).Instance(InstanceState.Stopped, byOwner: true);
        Assert.Equal("Standby", _story.Phase);
        Assert.Equal([OutageAlert.Open, OutageAlert.OwnerStopped], _story.Told);

        _story.Wait(TimeSpan.FromMinutes(59));
        Assert.Equal(1, _story.Count<StartInstance>());

        _story.Wait(TimeSpan.FromMinutes(2));
        Assert.Equal(2, _story.Count<StartInstance>());
    }

    [Fact]
    public void Vm_that_stops_by_itself_is_started_again_and_the_owner_told()
    {
        _story.Serving().Wait(70).Instance(InstanceState.Stopped);
        Assert.Equal("Starting", _story.Phase);

        _story.Accepted().Instance(InstanceState.Running, Story.B).Verified();
        Assert.Equal([OutageAlert.Open, OutageAlert.Open], _story.Told);
        Assert.Equal(2, _story.State.Outage!.Starts);
    }

    [Fact]
    public void Vm_that_dies_before_it_was_open_does_not_count_the_wait_anew()
    {
        _story.Cut().Accepted().Instance(InstanceState.Running, Story.A).Wait(60).Instance(InstanceState.Stopped);
        Assert.Equal("Starting", _story.Phase);
        Assert.Empty(_story.Told);

        _story.Accepted().Wait(31);
        Assert.Equal([OutageAlert.Stuck], _story.Told);
    }

    [Fact]
    public void Vm_that_dies_after_it_was_open_counts_from_then()
    {
        _story.Serving().Wait(200).Instance(InstanceState.Stopped).Accepted().Wait(89);
        Assert.Equal([OutageAlert.Open], _story.Told);

        _story.Wait(2);
        Assert.Equal([OutageAlert.Open, OutageAlert.Stuck], _story.Told);
    }

    [Fact]
    public void Second_outage_while_nobody_needed_the_shut_way_in_counts_from_its_own_beginning()
    {
        _story.Serving().Wait(70).Primary(Usable.Yes).Lost().Wait(120).Primary(Usable.No).Wait(30);
        Assert.Equal([OutageAlert.Open], _story.Told);

        _story.Wait(61);
        Assert.Equal([OutageAlert.Open, OutageAlert.Stuck], _story.Told);
    }

    [Fact]
    public void Vm_that_moves_is_dialled_at_its_new_address_and_the_owner_told()
    {
        _story.Serving().Wait(70).Instance(InstanceState.Running, Story.B);
        Assert.Contains(new OpenTunnel(_story.State.Run, [Story.B]), _story.Last);
        Assert.Equal("Connecting", _story.Phase);

        _story.Verified();
        Assert.Equal([OutageAlert.Open, OutageAlert.Open], _story.Told);
    }

    [Fact]
    public void Tunnel_lost_is_dialled_again_and_told_only_when_it_stays_away()
    {
        _story.Serving().Wait(70).Lost().Wait(30).Verified();
        Assert.Equal([OutageAlert.Open], _story.Told);
        Assert.Equal(1, _story.State.Outage!.Losses);

        _story.Lost().Wait(91).Verified();
        Assert.Equal([OutageAlert.Open, OutageAlert.Stuck, OutageAlert.Open], _story.Told);
    }

    [Fact]
    public void Inner_ssh_down_is_told_instead_of_open_and_open_when_it_is_back()
    {
        _story.Cut().Accepted().Instance(InstanceState.Running, Story.A).Do(at => new FailoverEvent.InnerSshSeen(at, Up: false)).Verified().Wait(120);
        Assert.Equal("inner", _story.All.OfType<RaiseAlert>().Single().Reason);
        Assert.Equal("Serving", _story.Phase);

        _story.Do(at => new FailoverEvent.InnerSshSeen(at, Up: true));
        Assert.Equal([OutageAlert.Stuck, OutageAlert.Open], _story.Told);
    }

    [Fact]
    public void Inner_ssh_restarted_while_serving_is_no_news()
    {
        _story.Serving().Wait(70).Do(at => new FailoverEvent.InnerSshSeen(at, Up: false)).Wait(30).Do(at => new FailoverEvent.InnerSshSeen(at, Up: true)).Wait(120);

        Assert.Equal([OutageAlert.Open], _story.Told);
    }

    [Fact]
    public void Starting_and_primary_back_is_finished_then_drained()
    {
        _story.Cut().Accepted().Primary(Usable.Yes).Instance(InstanceState.Running, Story.A).Verified();

        Assert.Equal("Draining", _story.Phase);
    }

    [Fact]
    public void Start_never_accepted_and_primary_back_is_given_up()
    {
        _story.Cut().StartRefused(CloudFailure.Transient).Primary(Usable.Yes).Instance(InstanceState.Stopped);

        Assert.Equal("Standby", _story.Phase);
        Assert.Null(_story.State.Outage);
    }

    [Fact]
    public void Primary_unknown_neither_starts_nor_stops()
    {
        _story.Serving().Primary(Usable.Unknown).Wait(3600);

        Assert.Equal("Serving", _story.Phase);
    }
}
