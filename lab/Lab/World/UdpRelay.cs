using System.Net;
using System.Net.Sockets;

namespace Lab.World;

/// <summary>A UDP relay in the middle (DNS, SNTP): obeys the link that each client is behind. What a dark link is given is lost.</summary>
public sealed class UdpRelay : IAsyncDisposable
{
    // Each query may come from a port of its own; this many of them are remembered.
    private const int MostClients = 256;
    private const int MostBytes = 64 * 1024;

    private readonly Socket _listener;
    private readonly IPEndPoint _target;
    private readonly Links _links;
    private readonly CancellationTokenSource _ending = new();
    private readonly Dictionary<IPEndPoint, Socket> _clients = [];
    private readonly Queue<IPEndPoint> _oldest = new();
    private readonly Task _work;

    private UdpRelay(IPEndPoint listen, IPEndPoint target, Links links)
    {
        _target = target;
        _links = links;
        _listener = new Socket(listen.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _listener.Bind(listen);
        Endpoint = (IPEndPoint)_listener.LocalEndPoint!;
        _work = ListenAsync();
    }

    public IPEndPoint Endpoint { get; }

    public static UdpRelay Start(IPEndPoint listen, IPEndPoint target, Links links) => new(listen, target, links);

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        foreach (var socket in _clients.Values)
        {
            socket.Dispose();
        }
    }

    private async Task ListenAsync()
    {
        var buffer = new byte[MostBytes];
        while (true)
        {
            var received = await _listener.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _ending.Token);
            var from = (IPEndPoint)received.RemoteEndPoint;
            _ = CarryAsync(ToTarget(from), buffer.AsSpan(0, received.ReceivedBytes).ToArray(), _target, _links.For(from.Address), up: true);
        }
    }

    private Socket ToTarget(IPEndPoint from)
    {
        if (_clients.TryGetValue(from, out var known))
        {
            return known;
        }

        if (_clients.Count >= MostClients && _clients.Remove(_oldest.Dequeue(), out var old))
        {
            old.Dispose();
        }

        var socket = new Socket(from.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(from.Address, 0));
        _clients[from] = socket;
        _oldest.Enqueue(from);
        _ = AnswerAsync(socket, from);
        return socket;
    }

    private async Task AnswerAsync(Socket socket, IPEndPoint client)
    {
        var buffer = new byte[MostBytes];
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _ending.Token);
                if (received.RemoteEndPoint.Equals(_target))
                {
                    _ = CarryAsync(_listener, buffer.AsSpan(0, received.ReceivedBytes).ToArray(), client, _links.For(client.Address), up: false);
                }
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                // Nobody is at the target now; whoever asked finds out by waiting.
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task CarryAsync(Socket socket, byte[] datagram, IPEndPoint to, Link? link, bool up)
    {
        if (link is { Dark: true })
        {
            return;
        }

        try
        {
            var wait = link is null ? TimeSpan.Zero : (up ? link.Up : link.Down).Reserve(datagram.Length) + link.Delay;
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, TimeProvider.System, _ending.Token);
            }

            if (link is not { Dark: true })
            {
                link?.Count(up, datagram.Length);
                await socket.SendToAsync(datagram, to, _ending.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Lost, as datagrams are.
        }
    }
}
