using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Links;

/// <summary>
/// Looks at carrier and path of one uplink whenever the kernel says that something changed (twice a second where it cannot be listened
/// to), and tells the inbox what has become different.
/// </summary>
/// <param name="events">Null: nobody says when to look.</param>
internal sealed class LinkWatch(
    UplinkOptions uplink, ImmutableArray<IPAddress> targets, ICarrier carrier, IPathLookup paths, ChannelWriter<WanEvent> inbox, TimeProvider time,
    ILinkEvents? events = null)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>While events come: should one ever be missing.</summary>
    private static readonly TimeSpan IntervalWithEvents = TimeSpan.FromSeconds(5);

    /// <summary>A storm of events (a router's routes, a host of containers) costs no more than this many looks a second.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);

    private static readonly Task Never = new TaskCompletionSource().Task;

    private bool _carrier = true;
    private PathSight _path;

    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            var news = events?.Next ?? Never;
            await LookAsync(ct);
            await PauseAsync(news, ct);
        }
    }

    private async Task PauseAsync(Task news, CancellationToken ct)
    {
        if (!news.IsCompleted)
        {
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
            await Task.WhenAny(news, Task.Delay(events is { Listening: true } ? IntervalWithEvents : Interval, time, waiting.Token));
            await waiting.CancelAsync();
            ct.ThrowIfCancellationRequested();
        }
        else
        {
            await Task.Delay(ShortestPause, time, ct);
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        var up = carrier.IsUp(uplink.Interface) ?? true;
        var path = paths.Look(uplink, targets);
        var before = _path;
        var now = Instant.Now(time);
        if (up != _carrier)
        {
            _carrier = up;
            await inbox.WriteAsync(new WanEvent(WanEventKind.CarrierSeen, now, uplink.Name, Flag: up), ct);
        }

        _path = path;
        if (path.State != before.State)
        {
            await inbox.WriteAsync(new WanEvent(WanEventKind.PathSeen, now, uplink.Name, Path: path.State), ct);
        }
        else if (path.State == PathState.Present && path != before)
        {
            await inbox.WriteAsync(new WanEvent(WanEventKind.PathMoved, now, uplink.Name), ct);
        }
    }
}
