using System.Net;
using InternalHost.Cloud;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace InternalHost.Tests.Cloud;

public sealed class FixedAddressTests
{
    private static readonly IPAddress Fixed = IPAddress.Parse("203.0.113.7");
    private static readonly IPAddress Own = IPAddress.Parse("198.51.100.9");
    private static readonly IPAddress Own6 = IPAddress.Parse("2001:db8::9");

    private readonly FakeTime _time = new();
    private readonly Machine _machine = new();
    private readonly FixedAddress _cloud;

    public FixedAddressTests() => _cloud = new FixedAddress(_machine, _machine, Fixed, _time, NullLogger<FixedAddress>.Instance);

    [Fact]
    public async Task VM_that_runs_has_the_fixed_address_from_the_first_sight_on()
    {
        Assert.Equal(InstanceSight.Absent, await _cloud.DescribeAsync(default));
        _machine.Seen = new InstanceSight("i-1", InstanceState.Pending, [], LaunchId: "1");
        Assert.Equal(_machine.Seen, await _cloud.DescribeAsync(default));
        Assert.Empty(_machine.Held);

        _machine.Seen = Running("1");
        Assert.Equal([Fixed, Own6], (await _cloud.DescribeAsync(default)).Addresses.ToArray());
        Assert.Equal([Fixed, Own6], (await _cloud.DescribeAsync(default)).Addresses.ToArray());
        Assert.Equal(["i-1"], _machine.Held);
    }

    [Fact]
    public async Task Each_start_and_every_five_minutes_it_is_looked_at_again()
    {
        _machine.Seen = Running("1");
        await _cloud.DescribeAsync(default);
        _machine.Seen = Running("2");
        await _cloud.DescribeAsync(default);
        Assert.Equal(2, _machine.Held.Count);

        _time.Advance(TimeSpan.FromMinutes(6));
        await _cloud.DescribeAsync(default);
        Assert.Equal(3, _machine.Held.Count);
    }

    [Fact]
    public async Task Where_that_fails_the_VM_is_reached_by_its_own_address_and_it_is_tried_again()
    {
        _machine.Fails = new CloudException(CloudFailure.Denied, "our AWS key may not do this");
        _machine.Seen = Running("1");

        Assert.Equal([Own, Own6], (await _cloud.DescribeAsync(default)).Addresses.ToArray());
        await _cloud.DescribeAsync(default);
        Assert.Single(_machine.Held);

        _machine.Fails = null;
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([Fixed, Own6], (await _cloud.DescribeAsync(default)).Addresses.ToArray());
    }

    [Fact]
    public async Task What_cannot_be_seen_is_no_matter_of_the_address()
    {
        _machine.Blind = new CloudException(CloudFailure.Unreachable, "no way");

        Assert.Same(_machine.Blind, await Assert.ThrowsAsync<CloudException>(() => _cloud.DescribeAsync(default)));
        await _cloud.StartAsync(default);
        await _cloud.StopAsync(default);
        Assert.Equal((1, 1), (_machine.Starts, _machine.Stops));
    }

    private static InstanceSight Running(string launch) => new("i-1", InstanceState.Running, [Own, Own6], LaunchId: launch);

    private sealed class Machine : ICloud, IAddressKeeper
    {
        public InstanceSight Seen { get; set; } = InstanceSight.Absent;

        public CloudException? Fails { get; set; }

        public CloudException? Blind { get; set; }

        public List<string> Held { get; } = [];

        public int Starts { get; private set; }

        public int Stops { get; private set; }

        public Lifecycle Lifecycle => Lifecycle.StopStart;

        public Task<InstanceSight> DescribeAsync(CancellationToken ct) => Blind is { } e ? Task.FromException<InstanceSight>(e) : Task.FromResult(Seen);

        public Task StartAsync(CancellationToken ct) => Task.FromResult(++Starts);

        public Task StopAsync(CancellationToken ct) => Task.FromResult(++Stops);

        public Task HoldAsync(string instanceId, CancellationToken ct)
        {
            Held.Add(instanceId);
            return Fails is { } e ? Task.FromException(e) : Task.CompletedTask;
        }
    }
}
