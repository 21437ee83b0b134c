using System.Threading.Channels;
using Common.Time;

namespace InternalHost.Tunnel;

/// <summary>Keeps one connection's forwards as they are wanted: one question at a time, each with its own answer, for as long as it lives.</summary>
internal sealed class ForwardKeeper(ITunnelConnection connection, TimeProvider time, Action<RemoteForward, TunnelReason?> onAnswer)
{
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private volatile IReadOnlyCollection<RemoteForward> _wanted = [];
    private volatile ForwardBook _book = ForwardBook.Empty;

    public ForwardBook Snapshot => _book;

    public void Want(IReadOnlyCollection<RemoteForward> wanted)
    {
        _wanted = wanted;
        _changed.Writer.TryWrite(true);
    }

    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                _book = _book.Want(_wanted, Instant.Now(time));
                await CancelOldAsync(ct);
                if (_book.Due(Instant.Now(time)) is { } due)
                {
                    await AskAsync(due.Forward, ct);
                }
                else
                {
                    await RestAsync(ct);
                }
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The connection has ended, and its forwards with it.
        }
    }

    private async Task CancelOldAsync(CancellationToken ct)
    {
        foreach (var forward in _book.ToCancel)
        {
            await connection.CancelAsync(forward, ct);
            _book = _book.Cancelled(forward);
        }
    }

    private async Task AskAsync(RemoteForward forward, CancellationToken ct)
    {
        var refused = await connection.ForwardAsync(forward, ct);
        _book = _book.Answered(forward, refused, Instant.Now(time));
        onAnswer(forward, refused);
    }

    private async Task RestAsync(CancellationToken ct)
    {
        var next = _book.NextDue;
        if (next == Instant.Never)
        {
            await _changed.Reader.ReadAsync(ct);
            return;
        }

        var pause = next - Instant.Now(time);
        using var limit = new CancellationTokenSource(pause > TimeSpan.Zero ? pause : TimeSpan.Zero, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await _changed.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // A refused forward is due again.
        }
    }
}
