using System.Net;
using InternalHost.Cloud;
using InternalHost.Cloud.Ec2;
using InternalHost.Cloud.Inventory;
using Lab.Clouds;
using static InternalHost.Cloud.CloudFailure;

namespace Integration.Tests.Cloud.Ec2;

/// <summary>The whole adapter against the stand-in with each of its faults; and the stand-in itself, which has to keep the contract.</summary>
public sealed class Ec2StandInTests : IAsyncLifetime
{
    private Ec2StandIn _ec2 = null!;
    private Ec2Desk _desk = null!;

    public static TheoryData<string> Clauses => Ec2Contract.Clauses;

    private Ec2Cloud Cloud => _desk.Cloud("home");

    public async Task InitializeAsync()
    {
        _ec2 = await Ec2StandIn.StartAsync();
        _desk = new Ec2Desk(_ec2.Url, Ec2StandIn.KeyId, Ec2StandIn.Secret);
    }

    public async Task DisposeAsync()
    {
        _desk.Dispose();
        await _ec2.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Clauses))]
    public Task Stand_in_keeps_the_contract(string clause) => Ec2Contract.HoldsAsync(clause, _desk);

    [Fact]
    public async Task Each_start_is_a_launch_with_addresses_of_its_own()
    {
        var id = _ec2.Make("home");
        var cloud = Cloud;

        await cloud.StartAsync(_desk.Soon);
        var first = await _desk.UntilAsync(cloud, InstanceState.Running);
        await cloud.StopAsync(_desk.Soon);
        var stopped = await _desk.UntilAsync(cloud, InstanceState.Stopped);
        await cloud.StartAsync(_desk.Soon);
        var second = await _desk.UntilAsync(cloud, InstanceState.Running);

        Assert.Equal((id, id), (first.Id, second.Id));
        Assert.NotEqual(first.LaunchId, second.LaunchId);
        Assert.Equal((first.LaunchId, false), (stopped.LaunchId, stopped.StoppedByOwner));
        Assert.Equal(2, first.Addresses.Length);
        Assert.Empty(first.Addresses.Intersect(second.Addresses));
    }

    [Fact]
    public async Task Who_stopped_it_is_told()
    {
        var id = _ec2.Make("home", state: "running");

        _ec2.StopByOwner(id);
        Assert.True((await _desk.UntilAsync(Cloud, InstanceState.Stopped)).StoppedByOwner);
        _ec2.StartByOwner(id);
        Assert.False((await _desk.UntilAsync(Cloud, InstanceState.Running)).StoppedByOwner);
        _ec2.ShutDownFromInside(id);
        Assert.False((await _desk.UntilAsync(Cloud, InstanceState.Stopped)).StoppedByOwner);
    }

    [Fact]
    public async Task Stop_by_the_owner_after_a_start_of_ours_is_his_although_the_stop_before_was_ours()
    {
        var id = _ec2.Make("home", state: "running");
        var cloud = Cloud;
        await cloud.StopAsync(_desk.Soon);
        Assert.False((await _desk.UntilAsync(cloud, InstanceState.Stopped)).StoppedByOwner);

        await cloud.StartAsync(_desk.Soon);
        await _desk.UntilAsync(cloud, InstanceState.Running);
        _ec2.StopByOwner(id);

        Assert.True((await _desk.UntilAsync(cloud, InstanceState.Stopped)).StoppedByOwner);
    }

    [Fact]
    public async Task States_take_their_time_and_what_is_stopping_is_not_started()
    {
        _ec2.Behaviour = new Ec2Behaviour { PendingFor = TimeSpan.FromMinutes(5), StoppingFor = TimeSpan.FromMinutes(5) };
        var id = _ec2.Make("home", state: "running");

        await Cloud.StopAsync(_desk.Soon);
        Assert.Equal(InstanceState.Stopping, (await Cloud.DescribeAsync(_desk.Soon)).State);
        var e = await Assert.ThrowsAsync<CloudException>(() => Cloud.StartAsync(_desk.Soon));

        Assert.Equal(Transient, e.Failure);
        Assert.Contains($"{id} is still stopping", e.Message);
        Assert.Equal(0, _ec2.Count("StartInstances"));
    }

    [Fact]
    public async Task Stop_while_it_is_still_pending_is_tried_again_later()
    {
        _ec2.Make("home");
        _ec2.Behaviour = new Ec2Behaviour { PendingFor = TimeSpan.FromMinutes(5) };
        await Cloud.StartAsync(_desk.Soon);

        var e = await Assert.ThrowsAsync<CloudException>(() => Cloud.StopAsync(_desk.Soon));

        Assert.Equal(Transient, e.Failure);
        Assert.Contains("between two states", e.Message);
    }

    [Fact]
    public async Task Repeated_client_token_makes_one_machine()
    {
        _ec2.Behaviour = new Ec2Behaviour { ClosesConnections = true };
        await _desk.MakeAsync("home", "token-1");
        _ec2.Trouble("RunInstances", new CloudTrouble.LoseReply());

        Assert.Equal(CallFault.LostReply, (await Assert.ThrowsAsync<Ec2Exception>(() => _desk.MakeAsync("home", "token-2"))).Fault);
        await _desk.MakeAsync("home", "token-2");
        await _desk.MakeAsync("home", "token-1");

        Assert.Equal(2, _ec2.Made);
    }

    [Fact]
    public async Task Lost_and_half_replies_start_one_machine()
    {
        _ec2.Make("home");
        _ec2.Behaviour = new Ec2Behaviour { ClosesConnections = true };
        _ec2.Trouble("StartInstances", new CloudTrouble.LoseRequest(), new CloudTrouble.HalfReply());

        Assert.Equal(LostReply, (await Assert.ThrowsAsync<CloudException>(() => Cloud.StartAsync(_desk.Soon))).Failure);
        Assert.Equal(LostReply, (await Assert.ThrowsAsync<CloudException>(() => Cloud.StartAsync(_desk.Soon))).Failure);
        await Cloud.StartAsync(_desk.Soon);

        await _desk.UntilAsync(Cloud, InstanceState.Running);
        Assert.Equal((1, 1, 1), (_ec2.Made, _ec2.MostRunning, _ec2.Count("StartInstances")));
    }

    [Fact]
    public async Task Old_pictures_start_nothing_twice()
    {
        _ec2.Make("home");
        _ec2.Behaviour = new Ec2Behaviour { Lag = TimeSpan.FromSeconds(2) };
        await _desk.UntilAsync(Cloud, InstanceState.Stopped);

        do
        {
            await Cloud.StartAsync(_desk.Soon);
        }
        while ((await Cloud.DescribeAsync(_desk.Soon)).State != InstanceState.Running);

        Assert.Equal((1, 1), (_ec2.Made, _ec2.MostRunning));
    }

    [Fact]
    public async Task Instance_that_one_door_does_not_know_yet_is_tried_again()
    {
        _ec2.Make("home");
        _ec2.Trouble("StartInstances", new CloudTrouble.Error("InvalidInstanceID.NotFound"), new CloudTrouble.Error("IncorrectInstanceState"));

        await Cloud.StartAsync(_desk.Soon);

        await _desk.UntilAsync(Cloud, InstanceState.Running);
        Assert.Equal(3, _ec2.Count("StartInstances"));
    }

    [Fact]
    public async Task Where_there_is_no_room_the_next_size_is_taken()
    {
        var id = _ec2.Make("home");
        _ec2.Behaviour = new Ec2Behaviour { NoRoomFor = ["t3.nano", "t3a.nano"] };

        await Cloud.StartAsync(_desk.Soon);

        Assert.Equal("t3.micro", _ec2.Machine(id).Type);
        Assert.Equal((3, 2), (_ec2.Count("StartInstances"), _ec2.Count("ModifyInstanceAttribute")));
    }

    [Fact]
    public async Task Where_there_is_no_room_at_all_it_is_said_which_sizes_were_tried()
    {
        _ec2.Make("home");
        _ec2.Behaviour = new Ec2Behaviour { NoRoomFor = ["t3.nano", "t3a.nano", "t3.micro"] };

        var e = await Assert.ThrowsAsync<CloudException>(() => Cloud.StartAsync(_desk.Soon));

        Assert.Equal(Capacity, e.Failure);
        Assert.Contains("as t3.nano, t3a.nano, t3.micro", e.Message);
    }

    [Fact]
    public async Task Key_that_may_not_change_the_size_is_said_to_lack_that()
    {
        _ec2.Make("home");
        _ec2.Behaviour = new Ec2Behaviour { NoRoomFor = ["t3.nano"], Allowed = ["DescribeInstances", "StartInstances", "StopInstances"] };

        var e = await Assert.ThrowsAsync<CloudException>(() => Cloud.StartAsync(_desk.Soon));

        Assert.Equal(Capacity, e.Failure);
        Assert.Contains("may not change the size to t3a.nano", e.Message);
    }

    [Fact]
    public async Task All_calls_are_in_the_policy_and_all_of_the_policy_is_called()
    {
        _ec2.Make("home");
        _ec2.Behaviour = new Ec2Behaviour { NoRoomFor = ["t3.nano"], Allowed = [.. Ec2Policy.Actions] };

        await Cloud.StartAsync(_desk.Soon);
        await _desk.UntilAsync(Cloud, InstanceState.Running);
        await Cloud.StopAsync(_desk.Soon);
        Assert.Empty((await new Ec2Inventory(_desk.Client, "home", Ec2Desk.Region).ListAsync(_desk.Soon)).Unseen);

        Assert.Equal(Ec2Policy.Actions.Order(), _ec2.Requests.Select(r => r.Action).Distinct().Order());
    }

    [Fact]
    public async Task Pages_are_followed()
    {
        _ec2.Make("home");
        _ec2.Make("home");
        var third = _ec2.Make("home", state: "running");
        _ec2.Behaviour = new Ec2Behaviour { PageSize = 1 };

        Assert.Equal(third, (await Cloud.DescribeAsync(_desk.Soon)).Id);
        Assert.Equal(3, _ec2.Count("DescribeInstances"));
    }

    [Theory]
    [InlineData("RequestLimitExceeded", 503)]
    [InlineData("Throttling", 400)]
    [InlineData("InternalError", 500)]
    public async Task Slow_down_and_bad_moments_are_outwaited(string code, int status)
    {
        _ec2.Make("home");
        _ec2.Trouble("DescribeInstances", new CloudTrouble.Error(code, status), new CloudTrouble.Error(code, status));

        Assert.Equal(InstanceState.Stopped, (await Cloud.DescribeAsync(_desk.Soon)).State);
        Assert.Equal(3, _ec2.Count("DescribeInstances"));
    }

    [Fact]
    public async Task Region_that_is_down_is_transient_after_three_attempts()
    {
        _ec2.Trouble("DescribeInstances", [.. Enumerable.Repeat(new CloudTrouble.Error("Unavailable", 503, "The server is overloaded"), 3)]);

        var e = await Assert.ThrowsAsync<CloudException>(() => Cloud.DescribeAsync(_desk.Soon));

        Assert.Equal((Transient, 3), (e.Failure, _ec2.Count("DescribeInstances")));
        Assert.Contains("bad moment", e.Message);
    }

    [Theory]
    [InlineData("AuthFailure", 401, Denied)]
    [InlineData("UnauthorizedOperation", 403, Denied)]
    [InlineData("OptInRequired", 401, Denied)]
    [InlineData("VcpuLimitExceeded", 400, Capacity)]
    public async Task What_another_second_does_not_mend_is_asked_once(string code, int status, CloudFailure failure)
    {
        _ec2.Trouble("DescribeInstances", new CloudTrouble.Error(code, status));

        var e = await Assert.ThrowsAsync<CloudException>(() => Cloud.DescribeAsync(_desk.Soon));

        Assert.Equal((failure, 1), (e.Failure, _ec2.Count("DescribeInstances")));
        Assert.Contains(code, e.Message);
    }

    [Fact]
    public async Task Slow_answer_is_waited_for_and_a_cancelled_wait_ends()
    {
        _ec2.Make("home");
        _ec2.Trouble("DescribeInstances", new CloudTrouble.Slow(TimeSpan.FromSeconds(1)), new CloudTrouble.Slow(TimeSpan.FromHours(1)));
        using var cancel = new CancellationTokenSource();

        Assert.Equal(InstanceState.Stopped, (await Cloud.DescribeAsync(_desk.Soon)).State);
        var waiting = Cloud.DescribeAsync(cancel.Token);
        while (_ec2.Count("DescribeInstances") < 2)
        {
            await Task.Delay(20, _desk.Soon);
        }

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(_desk.Soon));
    }
}
