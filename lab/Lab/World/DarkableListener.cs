using System.Net;
using System.Net.Sockets;

namespace Lab.World;

/// <summary>
/// A listener that can be dark for some sources: their SYNs get no answer at all. Two sockets share the port; the second is full for
/// ever, so that the kernel drops each SYN for it (tcp(7), tcp_abort_on_overflow off), and a BPF program leads the dark sources there.
/// </summary>
internal sealed class DarkableListener : IDisposable
{
    private const int SolSocket = 1;
    private const int ReusePort = 15;

    /// <summary>Whoever fills the second socket comes from here.</summary>
    private static readonly IPAddress Filler = IPAddress.Parse("127.255.255.254");

    private readonly Socket _open;
    private readonly Socket _full;
    private readonly Socket _filler = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public DarkableListener(IPEndPoint at)
    {
        // Their order in the port's group is the order in which they listen.
        _open = Listen(at, backlog: 128);
        try
        {
            EndPoint = (IPEndPoint)_open.LocalEndPoint!;
            _full = Listen(EndPoint, backlog: 0);
            SetDark([]);
            _filler.Bind(new IPEndPoint(Filler, 0));
            _filler.Connect(EndPoint);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IPEndPoint EndPoint { get; }

    /// <param name="sources">Null: everybody.</param>
    public void SetDark(IReadOnlyList<IPAddress>? sources)
    {
        if (sources is null)
        {
            SocketFilter.SteerAllToSecond(_open);
        }
        else
        {
            SocketFilter.SteerToSecond(_open, [Filler, .. sources]);
        }
    }

    public ValueTask<Socket> AcceptAsync(CancellationToken ct) => _open.AcceptAsync(ct);

    public void Dispose()
    {
        _filler.Dispose();
        _open.Dispose();
        _full?.Dispose();
    }

    private static Socket Listen(IPEndPoint at, int backlog)
    {
        var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetRawSocketOption(SolSocket, ReusePort, BitConverter.GetBytes(1));
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            // Before listen, so that the window scale agreed on is small: a sender must feel the slow wire, not our memory.
            socket.ReceiveBufferSize = RelayedConnection.BufferSize;
            socket.Bind(at);
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
