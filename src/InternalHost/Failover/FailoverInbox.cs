using System.Threading.Channels;
using Common.Time;

namespace InternalHost.Failover;

/// <summary>The one way to tell the controller something. The moment is taken when it is told, not when it is read.</summary>
internal sealed class FailoverInbox(TimeProvider time)
{
    private readonly Channel<FailoverEvent> _channel = Channel.CreateBounded<FailoverEvent>(new BoundedChannelOptions(4096) { SingleReader = true });

    public ValueTask PostAsync(Func<Instant, FailoverEvent> ev, CancellationToken ct = default) => _channel.Writer.WriteAsync(Make(ev), ct);

    /// <summary>For news that comes again by itself: a tick into a full inbox is no loss.</summary>
    public bool TryPost(Func<Instant, FailoverEvent> ev) => _channel.Writer.TryWrite(Make(ev));

    public IAsyncEnumerable<FailoverEvent> ReadAllAsync(CancellationToken ct) => _channel.Reader.ReadAllAsync(ct);

    private FailoverEvent Make(Func<Instant, FailoverEvent> ev) => ev(Instant.Now(time)) with { Jitter = Random.Shared.NextDouble() };
}
