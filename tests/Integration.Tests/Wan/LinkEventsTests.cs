using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;
using Lab.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Integration.Tests.Wan;

/// <summary>Real links, addresses and routes that come and go; the watch never polls here, so each is noticed by the kernel's event.</summary>
public sealed class LinkEventsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [NeedsFact(Need.Root | Need.NetworkNamespaces | Need.Nft)]
    public async Task Every_change_of_the_line_is_noticed_by_event()
    {
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        await using var net = await LabNet.UpAsync('A', failover: false, launcher, default);
        var device = net.Addresses["primary_interface"];
        var uplink = new UplinkOptions(UplinkName.Primary, device, IPAddress.Parse(net.Addresses["primary_address"]));
        ImmutableArray<IPAddress> world = [IPAddress.Parse(net.Addresses["dns_a"])];
        using var socket = await net.InAsync("home", NetlinkSocket.ToListen);
        using var events = new LinkEvents(() => socket, TimeProvider.System, NullLogger<LinkEvents>.Instance);
        var inbox = Channel.CreateUnbounded<WanEvent>();
        var inside = new Inside(net);
        var watch = new LinkWatch(uplink, world, inside, inside, inbox.Writer, new NeverPolling(), events);
        using var stop = new CancellationTokenSource();
        await events.StartAsync(default);
        var running = watch.RunAsync(stop.Token);
        await SeenAsync(PathState.Present);

        await IpAsync("route", "replace", "default", "dev", device, "metric", "100");
        await UntilAsync(e => e.Kind == WanEventKind.PathMoved);
        await IpAsync("route", "del", "default", "dev", device, "metric", "100");
        await SeenAsync(PathState.Absent);
        await IpAsync("route", "add", "default", "dev", device, "metric", "100");
        await SeenAsync(PathState.Present);

        // A lease that expires takes the address, and its routes with it.
        await IpAsync("addr", "flush", "dev", device);
        await SeenAsync(PathState.Absent);
        await IpAsync("addr", "add", $"{uplink.Address}/24", "dev", device);
        await IpAsync("route", "replace", "default", "dev", device, "metric", "100");
        await SeenAsync(PathState.Present);

        await IpAsync("link", "set", device, "down");
        await UntilAsync(e => e is { Kind: WanEventKind.CarrierSeen, Flag: false });
        await SeenAsync(PathState.Absent);
        await IpAsync("link", "set", device, "up");
        await UntilAsync(e => e is { Kind: WanEventKind.CarrierSeen, Flag: true });

        // A PPPoE session takes its interface with it and brings it back under another index.
        await IpAsync("link", "del", device);
        await UntilAsync(e => e is { Kind: WanEventKind.CarrierSeen, Flag: false });
        await IpAsync("link", "add", device, "type", "veth", "peer", "name", "session");
        await IpAsync("link", "set", "session", "up");
        await IpAsync("addr", "add", $"{uplink.Address}/24", "dev", device);
        await IpAsync("link", "set", device, "up");
        await UntilAsync(e => e is { Kind: WanEventKind.CarrierSeen, Flag: true });
        await IpAsync("route", "add", "default", "dev", device, "metric", "100");
        await SeenAsync(PathState.Present);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await events.StopAsync(default);

        Task SeenAsync(PathState path) => UntilAsync(e => e.Kind == WanEventKind.PathSeen && e.Path == path);

        async Task UntilAsync(Func<WanEvent, bool> wanted)
        {
            using var limit = new CancellationTokenSource(Limit);
            while (!wanted(await inbox.Reader.ReadAsync(limit.Token)))
            {
            }
        }

        async Task IpAsync(params string[] words)
        {
            var done = await launcher.RunAsync(net.In("home", new ProcessSpec("ip", [.. words])), default);
            Assert.True(done.Ok, done.Error);
        }
    }

    [NeedsFact(Need.Root | Need.NetworkNamespaces | Need.Nft)]
    public async Task More_events_than_the_kernel_keeps_are_a_wake_up_and_the_listening_goes_on()
    {
        const string storm = "for i in $(seq 1 60); do ip addr add 192.0.2.$i/32 dev lo; done";
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        await using var net = await LabNet.UpAsync('A', failover: false, launcher, default);
        using var witness = await net.InAsync("home", Small);
        using var socket = await net.InAsync("home", Small);
        Assert.True((await launcher.RunAsync(net.In("home", new ProcessSpec("sh", ["-c", storm])), default)).Ok);
        var lost = Assert.Throws<SocketException>(() => witness.Receive(new byte[4096]));
        Assert.Equal(SocketError.NoBufferSpaceAvailable, lost.SocketErrorCode);
        using var events = new LinkEvents(() => socket, TimeProvider.System, NullLogger<LinkEvents>.Instance);
        var began = events.Next;

        await events.StartAsync(default);
        await began.WaitAsync(Limit);
        for (var wakes = 0; wakes < 3; wakes++)
        {
            var next = events.Next;
            Assert.True((await launcher.RunAsync(net.In("home", new ProcessSpec("ip", ["addr", wakes % 2 == 0 ? "add" : "del", "192.0.2.99/32", "dev", "lo"])), default)).Ok);
            await next.WaitAsync(Limit);
            Assert.True(events.Listening);
        }

        Assert.False(events.ExecuteTask!.IsCompleted);
        await events.StopAsync(default);

        static Socket Small()
        {
            var socket = NetlinkSocket.ToListen();
            socket.ReceiveBufferSize = 1;   // the kernel makes it the least it has
            return socket;
        }
    }

    [Fact]
    public async Task Where_netlink_cannot_be_had_nobody_waits_for_it()
    {
        using var events = new LinkEvents(() => throw new SocketException((int)SocketError.AddressFamilyNotSupported), TimeProvider.System, NullLogger<LinkEvents>.Instance);

        await events.StartAsync(default);
        await events.ExecuteTask!.WaitAsync(Limit);

        Assert.False(events.Listening);
        await events.StopAsync(default);
    }

    /// <summary>Looks from within the namespace.</summary>
    private sealed class Inside(LabNet net) : ICarrier, IPathLookup
    {
        private readonly KernelCarrier _carrier = new(new SysfsCarrier("/nowhere"));
        private readonly PathLookup _paths = new();

        public bool? IsUp(string interfaceName) => net.InAsync("home", () => _carrier.IsUp(interfaceName)).GetAwaiter().GetResult();

        public PathSight Look(UplinkOptions uplink, ImmutableArray<IPAddress> targets) =>
            net.InAsync("home", () => _paths.Look(uplink, targets)).GetAwaiter().GetResult();
    }

    /// <summary>Long waits never end by time.</summary>
    private sealed class NeverPolling : TimeProvider
    {
        private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(100);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime > Longest ? Timeout.InfiniteTimeSpan : dueTime, period);
    }
}
