using InternalHost.Tunnel;

namespace InternalHost.Tests.Tunnel;

/// <summary>A connection that does what the test says.</summary>
internal sealed class ScriptedConnection : ITunnelConnection
{
    private readonly TaskCompletionSource<TunnelFailure> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Func<int, Stream> Direct { get; set; } = _ => throw new IOException("not opened");

    public Func<RemoteForward, TunnelReason?> Answer { get; set; } = _ => null;

    public List<RemoteForward> Asked { get; } = [];

    public List<RemoteForward> Cancelled { get; } = [];

    public bool Disposed { get; private set; }

    public long BytesReceived { get; set; }

    public long BytesSent { get; set; }

    public Task<TunnelFailure> Ended => _ended.Task;

    public void End(TunnelReason reason) => _ended.TrySetResult(new(reason, "scripted"));

    public Task<TunnelReason?> ForwardAsync(RemoteForward forward, CancellationToken ct)
    {
        lock (Asked)
        {
            Asked.Add(forward);
            return Task.FromResult(Answer(forward));
        }
    }

    public Task CancelAsync(RemoteForward forward, CancellationToken ct)
    {
        lock (Asked)
        {
            Cancelled.Add(forward);
        }

        return Task.CompletedTask;
    }

    public Task<Stream> OpenDirectAsync(int port, CancellationToken ct) => Task.FromResult(Direct(port));

    public ValueTask DisposeAsync()
    {
        Disposed = true;
        End(TunnelReason.Stopped);
        return ValueTask.CompletedTask;
    }
}
