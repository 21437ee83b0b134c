using System.Net;
using System.Net.Sockets;

namespace InternalHost.Tunnel;

/// <summary>
/// What one run holds in the world. Its parts come from the run's own tasks and are given up together, once, when the run is
/// closed; whatever arrives after that is given up at once.
/// </summary>
internal sealed class TunnelRun(int number) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Protects <see cref="_socket"/> and <see cref="_closed"/> against a dial that is won while the run is being closed.</summary>
    private readonly Lock _gate = new();
    private Socket? _socket;
    private bool _closed;

    public int Number { get; } = number;

    public CancellationToken Stopping => _stop.Token;

    public IPEndPoint? Remote { get; private set; }

    public string? Banner { get; private set; }

    public ITunnelConnection? Connection { get; private set; }

    public ForwardKeeper? Keeper { get; private set; }

    public LoopResponder? Responder { get; private set; }

    public bool Keep(DialResult.Won won)
    {
        lock (_gate)
        {
            if (_closed)
            {
                won.Socket.Dispose();
                return false;
            }

            (_socket, Remote, Banner) = (won.Socket, won.Remote, won.Banner);
            return true;
        }
    }

    /// <summary>The socket goes to whoever makes a connection of it.</summary>
    public Socket? TakeSocket()
    {
        lock (_gate)
        {
            var socket = _socket;
            _socket = null;
            return socket;
        }
    }

    public async ValueTask<bool> KeepAsync(ITunnelConnection connection)
    {
        bool closed;
        lock (_gate)
        {
            closed = _closed;
            Connection = closed ? null : connection;
        }

        if (closed)
        {
            await connection.DisposeAsync();
        }

        return !closed;
    }

    /// <summary>Called by the loop alone, which also closes: no race.</summary>
    public void Keep(ForwardKeeper keeper, LoopResponder responder) => (Keeper, Responder) = (keeper, responder);

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _closed = true;
        }

        await _stop.CancelAsync();
        TakeSocket()?.Dispose();
        if (Connection is { } connection)
        {
            await connection.DisposeAsync();
        }

        if (Responder is { } responder)
        {
            await responder.DisposeAsync();
        }
    }
}
