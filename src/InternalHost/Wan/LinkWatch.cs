using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Common.Time;
using InternalHost.Configuration;

namespace InternalHost.Wan;

/// <summary>Looks at carrier and path of one uplink twice a second and tells the inbox what has changed.</summary>
internal sealed class LinkWatch(
    UplinkOptions uplink, ImmutableArray<IPAddress> targets, ICarrier carrier, IPathLookup paths, ChannelWriter<WanEvent> inbox, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private bool _carrier = true;
    private PathState _path;

    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            await LookAsync(ct);
            await Task.Delay(Interval, time, ct);
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        var up = carrier.IsUp(uplink.Interface) ?? true;
        var path = paths.Look(uplink, targets);
        var now = Instant.Now(time);
        if (up != _carrier)
        {
            _carrier = up;
            await inbox.WriteAsync(new WanEvent(WanEventKind.CarrierSeen, now, uplink.Name, Flag: up), ct);
        }

        if (path != _path)
        {
            _path = path;
            await inbox.WriteAsync(new WanEvent(WanEventKind.PathSeen, now, uplink.Name, Path: path), ct);
        }
    }
}
