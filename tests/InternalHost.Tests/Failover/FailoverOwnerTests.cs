using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Wan.Detection;
using static InternalHost.Failover.FailoverEffect;

namespace InternalHost.Tests.Failover;

/// <summary>What the owner does in the provider's app: seen soon, obeyed (I10), and never mistaken for what an old picture shows.</summary>
public sealed class FailoverOwnerTests
{
    private readonly Story _story = new();

    [Fact]
    public void After_a_restart_a_machine_of_the_owner_is_looked_for_within_a_minute_of_the_primary()
    {
        _story.Restart().Instance(InstanceState.Stopped).Backup(Usable.Yes).Primary(Usable.Yes).All.Clear();

        _story.Wait(_story.P.SummonEvery);

        Assert.Equal(1, _story.Count<DescribeInstance>());
    }

    [Fact]
    public void After_an_outage_that_was_waited_out_it_is_looked_for_within_a_minute_too()
    {
        _story.Backup(Usable.Yes).Primary(Usable.Unknown).Instance(InstanceState.Stopped).Wait(120).Primary(Usable.Yes).All.Clear();

        _story.Wait(_story.P.SummonEvery).Instance(InstanceState.Running, Story.A);

        Assert.Equal("Connecting", _story.Phase);
        Assert.Equal(1, _story.Count<DescribeInstance>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Stop_of_a_machine_that_still_boots_is_not_undone(bool seenBooting)
    {
        _story.Backup(Usable.Yes).Primary(Usable.Yes).Instance(InstanceState.Stopped, launch: "first").Cut().Accepted();
        if (seenBooting)
        {
            _story.Instance(InstanceState.Pending, launch: "second");
        }

        _story.Instance(InstanceState.Stopped, byOwner: true, launch: "second");
        Assert.Equal("Standby", _story.Phase);
        Assert.Equal([OutageAlert.OwnerStopped], _story.Told);

        _story.Wait(TimeSpan.FromMinutes(50));
        Assert.Equal(1, _story.Count<StartInstance>());
    }

    [Theory]
    [InlineData("first")]
    [InlineData(null)]
    public void Stop_of_the_launch_before_this_one_closes_nothing(string? launch)
    {
        _story.Backup(Usable.Yes).Primary(Usable.Yes);
        StoppedByOwner(launch);
        _story.Cut().Accepted();
        StoppedByOwner(launch);
        Assert.Equal("Starting", _story.Phase);

        _story.Wait(_story.P.Patience);
        Assert.Equal(2, _story.Count<StartInstance>());
        Assert.Empty(_story.Told);
    }

    [Fact]
    public void Stop_of_a_launch_that_was_never_seen_running_is_obeyed()
    {
        _story.Backup(Usable.Yes).Primary(Usable.Yes).Instance(InstanceState.Absent);
        _story.Cut().Accepted().Instance(InstanceState.Stopping, launch: "first");
        StoppedByOwner("first");

        Assert.Equal("Standby", _story.Phase);
        Assert.Contains(OutageAlert.OwnerStopped, _story.Told);
        Assert.True(_story.State.Orders.Closed(_story.At));
    }

    [Theory]
    [InlineData(InstanceState.Stopped)]
    [InlineData(InstanceState.Stopping)]
    public void Old_picture_behind_a_newer_one_closes_nothing(InstanceState old)
    {
        _story.Cut().Accepted().Instance(InstanceState.Running, Story.A, launch: "second").Verified().Wait(5);

        _story.Instance(old, byOwner: old == InstanceState.Stopped, launch: "first");
        Assert.Equal("Serving", _story.Phase);
        Assert.Equal(InstanceState.Running, _story.State.Watch.Instance!.State);

        // It is looked again at once, and what lasts is believed.
        _story.All.Clear();
        _story.Wait(1);
        Assert.Equal(1, _story.Count<DescribeInstance>());
    }

    [Fact]
    public void Picture_of_another_launch_that_lasts_is_believed()
    {
        _story.Cut().Accepted().Instance(InstanceState.Running, Story.A, launch: "second").Verified().Wait(_story.P.PicturesLag + TimeSpan.FromSeconds(1));

        _story.Instance(InstanceState.Stopped, byOwner: true, launch: "third");

        Assert.Equal("Standby", _story.Phase);
        Assert.Contains(OutageAlert.OwnerStopped, _story.Told);
    }

    /// <param name="launch">Null: a provider that tells nothing apart.</param>
    private void StoppedByOwner(string? launch) => _story.Do(at => new FailoverEvent.InstanceSeen(
        at, _story.State.Run, new InstanceSight(launch is null ? null : "i-1", InstanceState.Stopped, [], StoppedByOwner: true, launch)));
}
