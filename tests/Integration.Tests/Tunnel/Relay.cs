using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Integration.Tests.Tunnel;

/// <summary>A network in the middle that can be slow, or stop forwarding without closing.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private const int Block = 4096;

    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly IPEndPoint _target;
    private readonly Task _accepting;

    public Relay(IPEndPoint target)
    {
        _target = target;
        _listener.Bind(new IPEndPoint(target.Address, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Bytes a second each way; 0: as fast as it goes.</summary>
    public volatile int Rate;

    /// <summary>The longest queue a slow link has, in bytes; what does not fit waits in the sender.</summary>
    public const int Queue = 256 * 1024;

    /// <summary>Nothing passes, and nobody is told.</summary>
    public volatile bool Dark;

    /// <summary>After this many bytes from the server a connection goes dark by itself; 0: never.</summary>
    public volatile int DarkAfter;

    public ConcurrentQueue<IPAddress> Callers { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }

        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var caller = await _listener.AcceptAsync(_stop.Token);
            _sockets.Add(caller);
            Callers.Enqueue(((IPEndPoint)caller.RemoteEndPoint!).Address);
            _ = ServeAsync(caller);
        }
    }

    private async Task ServeAsync(Socket caller)
    {
        var server = new Socket(_target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _sockets.Add(server);
        caller.NoDelay = true;
        caller.SendBufferSize = caller.ReceiveBufferSize = server.SendBufferSize = server.ReceiveBufferSize = Queue / 4;
        try
        {
            await server.ConnectAsync(_target, _stop.Token);
            await Task.WhenAny(PumpAsync(caller, server, limit: 0), PumpAsync(server, caller, DarkAfter));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Refused or closed: the caller sees it below.
        }
        finally
        {
            caller.Dispose();
            server.Dispose();
        }
    }

    private async Task PumpAsync(Socket from, Socket to, int limit)
    {
        var block = new byte[Block];
        var (passed, clock) = (0, Stopwatch.StartNew());
        var free = TimeSpan.Zero;
        while (await from.ReceiveAsync(block, _stop.Token) is var read and > 0)
        {
            while (Dark || (limit > 0 && passed + read > limit))
            {
                await Task.Delay(20, _stop.Token);
            }

            passed += read;
            if (Rate > 0)
            {
                // A link is busy for as long as the block takes; an idle one owes nothing.
                free = (free > clock.Elapsed ? free : clock.Elapsed) + TimeSpan.FromSeconds((double)read / Rate);
                if (free - clock.Elapsed is var wait && wait > TimeSpan.FromMilliseconds(1))
                {
                    await Task.Delay(wait, _stop.Token);
                }
            }

            await to.SendAsync(block.AsMemory(0, read), _stop.Token);
        }
    }
}
