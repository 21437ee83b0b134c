using System.Net;
using System.Net.Sockets;

namespace Lab.World;

/// <summary>A UDP server's socket and its loop: what comes is given to its owner, and what that gives back is sent, in order.</summary>
internal sealed class UdpLoop : IAsyncDisposable
{
    private const int LongestPacket = 2048;

    private readonly Socket _socket;
    private readonly Func<byte[], IPEndPoint, IEnumerable<byte[]>> _answer;
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Bound, so that senders can come; they are heard from <see cref="Start"/> on.</summary>
    /// <param name="answer">Packet and sender; no reply is silence. One call at a time.</param>
    public UdpLoop(IPEndPoint at, Func<byte[], IPEndPoint, IEnumerable<byte[]>> answer)
    {
        _answer = answer;
        _socket = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _socket.Bind(at);
        EndPoint = (IPEndPoint)_socket.LocalEndPoint!;
    }

    public IPEndPoint EndPoint { get; }

    public void Start() => _loop = ServeAsync(_stop.Token);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _socket.Dispose();
        await _loop;
        _stop.Dispose();
    }

    private async Task ServeAsync(CancellationToken ct)
    {
        var buffer = new byte[LongestPacket];
        var anyone = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var got = await _socket.ReceiveFromAsync(buffer, anyone, ct);
                var from = (IPEndPoint)got.RemoteEndPoint;
                foreach (var reply in _answer(buffer[..got.ReceivedBytes], from))
                {
                    await _socket.SendToAsync(reply, from, ct);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // The client was gone before its answer came.
            }
        }
    }
}
