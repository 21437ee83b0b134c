using System.Collections.Immutable;
using System.Net;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;
using Lab.Net;
using Testing;

namespace Integration.Tests.Wan;

public sealed class PathLookupTests
{
    private static readonly ImmutableArray<IPAddress> Nearby = [IPAddress.Parse("127.77.0.1")];

    [Fact]
    public void Loopback_has_a_path()
    {
        Assert.Equal(PathState.Present, Look(new UplinkOptions(UplinkName.Primary, "lo", IPAddress.Parse("127.77.0.2")), Nearby));
        Assert.Equal(PathState.Present, Look(new UplinkOptions(UplinkName.Primary, "lo"), Nearby));
    }

    [Fact]
    public void Address_that_is_not_ours_has_no_path() =>
        Assert.Equal(PathState.Absent, Look(new UplinkOptions(UplinkName.Primary, "lo", IPAddress.Parse("192.0.2.77")), Nearby));

    [Fact]
    public void Interface_that_is_gone_has_no_path() =>
        Assert.Equal(PathState.Absent, Look(new UplinkOptions(UplinkName.Primary, "ppp77"), Nearby));

    [Fact]
    public void World_has_no_path_by_loopback() =>
        Assert.Equal(PathState.Absent, Look(new UplinkOptions(UplinkName.Primary, "lo", IPAddress.Parse("127.77.0.2")), [IPAddress.Parse("198.51.100.7")]));

    [Fact]
    public void Without_a_target_of_the_family_nothing_is_known() =>
        Assert.Equal(PathState.Unknown, Look(new UplinkOptions(UplinkName.Primary, "lo", IPAddress.Parse("127.77.0.2")), [IPAddress.IPv6Loopback]));

    [NeedsFact(Need.Root | Need.NetworkNamespaces | Need.Nft)]
    public async Task Path_goes_with_the_route_the_lease_or_the_interface()
    {
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        await using var net = await LabNet.UpAsync('A', failover: false, launcher, default);
        ImmutableArray<IPAddress> world = [IPAddress.Parse(net.Addresses["dns_a"])];
        var device = net.Addresses["primary_interface"];
        var address = IPAddress.Parse(net.Addresses["primary_address"]);
        var bound = new UplinkOptions(UplinkName.Primary, device, address);
        var unbound = new UplinkOptions(UplinkName.Primary, device);

        Assert.Equal((PathState.Present, PathState.Present), await LookBothAsync());
        await IpAsync("route", "del", "default", "dev", device);
        Assert.Equal((PathState.Absent, PathState.Absent), await LookBothAsync());

        // A point-to-point route without a gateway is a path (PPPoE); one whose lease is gone is none, though the wire is up.
        await IpAsync("route", "add", "default", "dev", device);
        Assert.Equal((PathState.Present, PathState.Present), await LookBothAsync());
        await IpAsync("addr", "flush", "dev", device);
        await IpAsync("route", "replace", "default", "dev", device, "metric", "5");
        Assert.Equal((PathState.Absent, PathState.Absent), await LookBothAsync());

        await IpAsync("link", "set", device, "down");
        Assert.Equal((PathState.Absent, PathState.Absent), await LookBothAsync());

        async Task<(PathState, PathState)> LookBothAsync() => await net.InAsync("home", () => (Look(bound, world), Look(unbound, world)));

        async Task IpAsync(params string[] words)
        {
            var done = await launcher.RunAsync(net.In("home", new ProcessSpec("ip", [.. words])), default);
            Assert.True(done.Ok, done.Error);
        }
    }

    private static PathState Look(UplinkOptions uplink, ImmutableArray<IPAddress> targets) => new PathLookup().Look(uplink, targets).State;
}
