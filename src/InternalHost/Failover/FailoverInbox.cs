using System.Threading.Channels;
using Common.Time;

namespace InternalHost.Failover;

/// <summary>The one way to tell the controller something. The moment is taken when it is told, not when it is read.</summary>
/// <param name="jitter">Uniform in [0, 1); the machine's chance unless given.</param>
internal sealed class FailoverInbox(TimeProvider time, Func<double>? jitter = null)
{
    private readonly Func<double> _jitter = jitter ?? Random.Shared.NextDouble;
    private readonly Channel<FailoverEvent> _channel = Channel.CreateBounded<FailoverEvent>(new BoundedChannelOptions(4096) { SingleReader = true });

    public ValueTask PostAsync(Func<Instant, FailoverEvent> ev, CancellationToken ct = default) => _channel.Writer.WriteAsync(Make(ev), ct);

    /// <summary>For news that comes again by itself: a tick into a full inbox is no loss.</summary>
    public bool TryPost(Func<Instant, FailoverEvent> ev) => _channel.Writer.TryWrite(Make(ev));

    public IAsyncEnumerable<FailoverEvent> ReadAllAsync(CancellationToken ct) => _channel.Reader.ReadAllAsync(ct);

    /// <summary>For whoever turns the controller by hand.</summary>
    public bool TryRead([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out FailoverEvent? ev) => _channel.Reader.TryRead(out ev);

    private FailoverEvent Make(Func<Instant, FailoverEvent> ev) => ev(Instant.Now(time)) with { Jitter = _jitter() };
}
