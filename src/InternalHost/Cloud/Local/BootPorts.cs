using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace InternalHost.Cloud.Local;

/// <summary>Holds the ports of a VM that boots, in the manner asked for, without needing root.</summary>
internal sealed class BootPorts : IDisposable
{
    private readonly ImmutableArray<Socket> _sockets;

    private BootPorts(ImmutableArray<Socket> sockets) => _sockets = sockets;

    /// <exception cref="SocketException">A port is taken.</exception>
    public static BootPorts Hold(BootPortMode mode, IEnumerable<IPEndPoint> endPoints) => mode switch
    {
        BootPortMode.Drop => new([.. endPoints.SelectMany(Dropping)]),

        // The kernel completes handshakes for a listener that never accepts.
        BootPortMode.Silent => new([.. endPoints.Select(e => Listen(e, backlog: 512))]),
        _ => new([]),
    };

    /// <summary>Connections that were made are reset; the ports are free.</summary>
    public void Dispose()
    {
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }
    }

    /// <summary>A listener whose accept queue of one is taken by ourselves: the kernel drops each further SYN (tcp(7), tcp_abort_on_overflow off).</summary>
    private static IEnumerable<Socket> Dropping(IPEndPoint endPoint)
    {
        yield return Listen(endPoint, backlog: 0);
        var filler = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            filler.Connect(endPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // The handshake goes on in the kernel. Were a client quicker, then it fills the queue.
        }

        yield return filler;
    }

    private static Socket Listen(IPEndPoint endPoint, int backlog)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endPoint);
            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
