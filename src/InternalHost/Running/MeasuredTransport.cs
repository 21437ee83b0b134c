using System.Net.Sockets;
using InternalHost.Tunnel;
using InternalHost.Wan;
using InternalHost.Wan.Detection;

namespace InternalHost.Running;

/// <summary>Counts what the tunnel's connections, those that are over and the one that is, carried by each uplink.</summary>
/// <param name="uplink">By which uplink a connection made now goes.</param>
internal sealed class MeasuredTransport(ITunnelTransport inner, Func<UplinkName> uplink) : ITunnelTransport
{
    private readonly Lock _gate = new();
    private readonly Dictionary<UplinkName, UplinkBytes> _over = [];
    private (UplinkName Uplink, ITunnelConnection Connection)? _now;

    public async Task<ITunnelConnection> ConnectAsync(Socket socket, int run, CancellationToken ct)
    {
        var by = uplink();
        var connection = await inner.ConnectAsync(socket, run, ct);
        lock (_gate)
        {
            CloseBookLocked();
            _now = (by, connection);
        }

        return connection;
    }

    /// <summary>The uplink of the connection that is, or was last; null: there was none.</summary>
    public UplinkName? Last
    {
        get
        {
            lock (_gate)
            {
                return _now?.Uplink;
            }
        }
    }

    public UplinkBytes Read(UplinkName by)
    {
        lock (_gate)
        {
            var over = _over.GetValueOrDefault(by);
            return _now is { } now && now.Uplink == by ? Sum(over, now.Connection) : over;
        }
    }

    /// <summary>One connection at a time: the one before has ended, and its counts are final.</summary>
    private void CloseBookLocked()
    {
        if (_now is { } before)
        {
            _over[before.Uplink] = Sum(_over.GetValueOrDefault(before.Uplink), before.Connection);
        }
    }

    private static UplinkBytes Sum(UplinkBytes over, ITunnelConnection now) => over + new UplinkBytes(now.BytesSent, now.BytesReceived);
}
