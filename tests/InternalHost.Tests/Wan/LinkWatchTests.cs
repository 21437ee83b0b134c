using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;
using Testing;

namespace InternalHost.Tests.Wan;

public sealed class LinkWatchTests : IDisposable
{
    private readonly DirectoryInfo _sys = Directory.CreateTempSubdirectory("sys");

    public void Dispose() => _sys.Delete(recursive: true);

    [Theory]
    [InlineData("up", "1", true)]
    [InlineData("down", "0", false)]
    [InlineData("lowerlayerdown", "0", false)]
    [InlineData("dormant", "1", false)]
    [InlineData("unknown", "1", true)]
    [InlineData("unknown", "0", false)]
    [InlineData("unknown", null, false)]
    public void Operational_state_decides_and_the_carrier_where_it_is_unknown(string state, string? carrier, bool expected)
    {
        Write("eth0", state, carrier);

        Assert.Equal(expected, new SysfsCarrier(_sys.FullName).IsUp("eth0"));
    }

    [Fact]
    public void Interface_that_is_gone_has_no_carrier()
    {
        Assert.False(new SysfsCarrier(_sys.FullName).IsUp("ppp0"));
        Assert.Null(new SysfsCarrier(Path.Combine(_sys.FullName, "none")).IsUp("ppp0"));
    }

    [Fact]
    public async Task Only_changes_are_told()
    {
        var time = new FakeTime();
        var inbox = Channel.CreateUnbounded<WanEvent>();
        var paths = new ScriptedPaths();
        Write("eth0", "up", "1");
        using var stop = new CancellationTokenSource();
        var watch = new LinkWatch(
            new UplinkOptions(UplinkName.Primary, "eth0"), [IPAddress.Loopback], new SysfsCarrier(_sys.FullName), paths, inbox.Writer, time);

        var running = watch.RunAsync(stop.Token);
        var first = await inbox.Reader.ReadAsync();
        await paths.StepAsync(time);
        Assert.False(inbox.Reader.TryRead(out _));
        Write("eth0", "down", "0");
        paths.Next = PathState.Absent;
        time.Advance(TimeSpan.FromMilliseconds(500));
        var carrier = await inbox.Reader.ReadAsync();
        var path = await inbox.Reader.ReadAsync();
        await stop.CancelAsync();

        Assert.Equal((WanEventKind.PathSeen, PathState.Present), (first.Kind, first.Path));
        Assert.Equal((WanEventKind.CarrierSeen, false), (carrier.Kind, carrier.Flag));
        Assert.Equal((WanEventKind.PathSeen, PathState.Absent), (path.Kind, path.Path));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task News_is_looked_at_at_once_and_the_rare_look_remains()
    {
        var time = new FakeTime();
        var inbox = Channel.CreateUnbounded<WanEvent>();
        var (paths, events) = (new ScriptedPaths(), new ScriptedEvents());
        Write("eth0", "up", "1");
        using var stop = new CancellationTokenSource();
        var watch = new LinkWatch(
            new UplinkOptions(UplinkName.Primary, "eth0"), [IPAddress.Loopback], new SysfsCarrier(_sys.FullName), paths, inbox.Writer, time, events);

        var running = watch.RunAsync(stop.Token);
        _ = await inbox.Reader.ReadAsync();
        await events.WaitedForAsync();
        paths.Next = PathState.Absent;
        events.Tell();
        var byEvent = await inbox.Reader.ReadAsync();
        await events.WaitedForAsync();
        paths.Next = PathState.Present;
        var (byTime, after) = await StepUntilAsync(time, inbox.Reader);
        await stop.CancelAsync();

        Assert.Equal((WanEventKind.PathSeen, PathState.Absent), (byEvent.Kind, byEvent.Path));
        Assert.Equal((WanEventKind.PathSeen, PathState.Present), (byTime.Kind, byTime.Path));
        Assert.True(after >= TimeSpan.FromSeconds(5), after.ToString());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Another_address_or_next_hop_is_a_path_that_moved()
    {
        var time = new FakeTime();
        var inbox = Channel.CreateUnbounded<WanEvent>();
        var (paths, events) = (new ScriptedPaths(), new ScriptedEvents());
        Write("eth0", "up", "1");
        paths.Next = new PathSight(PathState.Present, IPAddress.Parse("192.0.2.5"), IPAddress.Parse("192.0.2.1"));
        using var stop = new CancellationTokenSource();
        var watch = new LinkWatch(
            new UplinkOptions(UplinkName.Primary, "eth0"), [IPAddress.Loopback], new SysfsCarrier(_sys.FullName), paths, inbox.Writer, time, events);

        var running = watch.RunAsync(stop.Token);
        var first = await inbox.Reader.ReadAsync();
        await events.WaitedForAsync();
        paths.Next = paths.Next with { Source = IPAddress.Parse("192.0.2.9") };
        events.Tell();
        var moved = await inbox.Reader.ReadAsync();
        await stop.CancelAsync();

        Assert.Equal((WanEventKind.PathSeen, WanEventKind.PathMoved), (first.Kind, moved.Kind));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static async Task<(WanEvent Event, TimeSpan After)> StepUntilAsync(FakeTime time, ChannelReader<WanEvent> inbox)
    {
        var step = TimeSpan.FromMilliseconds(100);
        var (reading, after) = (inbox.ReadAsync().AsTask(), TimeSpan.Zero);
        while (await Task.WhenAny(reading, Task.Delay(1)) != reading)
        {
            time.Advance(step);
            after += step;
        }

        return (await reading, after);
    }

    private void Write(string name, string state, string? carrier)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_sys.FullName, name)).FullName;
        File.WriteAllText(Path.Combine(folder, "operstate"), state + "\n");
        if (carrier is not null)
        {
            File.WriteAllText(Path.Combine(folder, "carrier"), carrier + "\n");
        }
    }

    private sealed class ScriptedPaths : IPathLookup
    {
        private readonly Channel<bool> _looks = Channel.CreateUnbounded<bool>();

        public PathSight Next { get; set; } = PathState.Present;

        public PathSight Look(UplinkOptions uplink, ImmutableArray<IPAddress> targets)
        {
            _looks.Writer.TryWrite(true);
            return Next;
        }

        /// <summary>Until the watch has looked once more.</summary>
        public async Task StepAsync(FakeTime time)
        {
            await _looks.Reader.ReadAsync();
            time.Advance(TimeSpan.FromMilliseconds(500));
            await _looks.Reader.ReadAsync();
        }
    }

    private sealed class ScriptedEvents : ILinkEvents
    {
        private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        private readonly Channel<bool> _waits = Channel.CreateUnbounded<bool>();

        /// <summary>Asked when the watch begins to wait.</summary>
        public bool Listening => _waits.Writer.TryWrite(true);

        public async Task WaitedForAsync() => await _waits.Reader.ReadAsync();

        public Task Next => Volatile.Read(ref _next).Task;

        public void Tell() =>
            Interlocked.Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }
}
