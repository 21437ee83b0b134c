using System.Threading.Channels;
using Common.Time;

namespace InternalHost.Failover;

/// <summary>The one way to tell the controller something. The moment is taken when it is told, not when it is read.</summary>
/// <param name="jitter">Uniform in [0, 1); the machine's chance unless given.</param>
internal sealed class FailoverInbox(TimeProvider time, Func<double>? jitter = null)
{
    private readonly Func<double> _jitter = jitter ?? Random.Shared.NextDouble;
    private readonly Channel<Told> _channel = Channel.CreateBounded<Told>(new BoundedChannelOptions(4096) { SingleReader = true });

    public ValueTask PostAsync(Func<Instant, FailoverEvent> ev, CancellationToken ct = default) => _channel.Writer.WriteAsync(new(Make(ev)), ct);

    /// <summary>For a person's order: ends when it is in force. Null: it is on disk too; else why it is not, and a restart would forget it.</summary>
    /// <exception cref="OperationCanceledException">It was not waited for any longer; it may still be done.</exception>
    public async Task<string?> OrderAsync(Func<Instant, FailoverEvent> order, CancellationToken ct)
    {
        var taken = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _channel.Writer.WriteAsync(new(Make(order), taken), ct);
        return await taken.Task.WaitAsync(ct);
    }

    /// <summary>For news that comes again by itself: a tick into a full inbox is no loss.</summary>
    public bool TryPost(Func<Instant, FailoverEvent> ev) => _channel.Writer.TryWrite(new(Make(ev)));

    public IAsyncEnumerable<Told> ReadAllAsync(CancellationToken ct) => _channel.Reader.ReadAllAsync(ct);

    /// <summary>For whoever turns the controller by hand.</summary>
    public bool TryRead(out Told told) => _channel.Reader.TryRead(out told);

    private FailoverEvent Make(Func<Instant, FailoverEvent> ev) => ev(Instant.Now(time)) with { Jitter = _jitter() };
}

/// <param name="Taken">Ended when the event has been taken, with why it could not be journalled, or null; null: nobody waits.</param>
internal readonly record struct Told(FailoverEvent Event, TaskCompletionSource<string?>? Taken = null);
