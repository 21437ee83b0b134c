using System.Net;
using System.Net.Sockets;
using InternalHost.Tunnel;

namespace InternalHost.Sync;

/// <summary>Tells the sync of each login of the tunnel and of its end: the bundle goes beside the forwards, and only to a host that has proven its key.</summary>
internal sealed class SyncingTransport(ITunnelTransport inner, Func<SyncService?> sync) : ITunnelTransport
{
    private int _last;

    public async Task<ITunnelConnection> ConnectAsync(Socket socket, int run, CancellationToken ct)
    {
        var remote = (socket.RemoteEndPoint as IPEndPoint)?.Address;
        var connection = await inner.ConnectAsync(socket, run, ct);
        if (sync() is { } told && remote is not null)
        {
            _last = run;
            told.Connected(remote);
            _ = TellEndAsync(told, connection, run);
        }

        return connection;
    }

    private async Task TellEndAsync(SyncService told, ITunnelConnection connection, int run)
    {
        await connection.Ended;
        // A late word of an earlier connection is no news of the one there is.
        if (_last == run)
        {
            told.Disconnected();
        }
    }
}
