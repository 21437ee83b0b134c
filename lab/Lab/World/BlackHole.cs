using System.Net;
using System.Net.Sockets;

namespace Lab.World;

/// <summary>An endpoint that swallows every connection: a listener whose queue is full, so that the kernel drops each SYN without a word.</summary>
public sealed class BlackHole : IDisposable
{
    private readonly Socket _listener;
    private readonly Socket _filler;

    private BlackHole(Socket listener, Socket filler) => (_listener, _filler) = (listener, filler);

    public static async Task<BlackHole> StartAsync(IPEndPoint at)
    {
        var listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(at);
        listener.Listen(0);

        // A queue of none has room for one.
        var filler = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await filler.ConnectAsync(listener.LocalEndPoint!);
        return new BlackHole(listener, filler);
    }

    public void Dispose()
    {
        _filler.Dispose();
        _listener.Dispose();
    }
}
