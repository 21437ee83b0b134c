using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Lab.World;

/// <summary>A STUN server (RFC 8489, binding only): tells each client from where it is seen, and misbehaves on request.</summary>
/// <example><code>
/// await using var stun = StunServer.Start(new IPEndPoint(IPAddress.Parse("127.9.0.34"), 0));
/// stun.SeenAs = from => new IPEndPoint(backupAddress, from.Port);     // a router that sends all by the backup
/// </code></example>
public sealed class StunServer : IAsyncDisposable
{
    private const int HeaderLength = 20;

    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    private StunServer(Socket socket)
    {
        _socket = socket;
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
        _loop = ServeAsync(_stop.Token);
    }

    public IPEndPoint EndPoint { get; }

    public Silence Silence { get; } = new();

    public StunBehaviour Behaviour { get; set; } = new();

    /// <summary>What a client is told of where it comes from; by default the truth.</summary>
    public Func<IPEndPoint, IPEndPoint> SeenAs { get; set; } = from => from;

    public ConcurrentQueue<IPEndPoint> Seen { get; } = new();

    public static StunServer Start(IPEndPoint at)
    {
        var socket = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(at);
        return new StunServer(socket);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _socket.Dispose();
        await _loop;
        _stop.Dispose();
    }

    private async Task ServeAsync(CancellationToken ct)
    {
        var buffer = new byte[2048];
        var anyone = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var got = await _socket.ReceiveFromAsync(buffer, anyone, ct);
                var from = (IPEndPoint)got.RemoteEndPoint;
                if (Silence.Covers(from.Address) || !IsRequest(buffer.AsSpan(0, got.ReceivedBytes)))
                {
                    continue;
                }

                Seen.Enqueue(from);
                foreach (var reply in Behaviour.Replies(buffer[8..HeaderLength], SeenAs(from)))
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

    private static bool IsRequest(ReadOnlySpan<byte> packet) =>
        packet.Length >= HeaderLength && packet[0] == 0 && packet[1] == 1 && BinaryPrimitives.ReadUInt32BigEndian(packet[4..]) == StunBehaviour.Cookie;
}

/// <summary>How the server answers. The default is an honest server of today.</summary>
public sealed record StunBehaviour
{
    internal const uint Cookie = 0x2112A442;

    public bool Silent { get; init; }

    /// <summary>As servers of RFC 3489: MAPPED-ADDRESS in the clear, which a meddling router may rewrite.</summary>
    public bool Plain { get; init; }

    /// <summary>A forger's answer (another transaction) and garbage come first, the honest one behind them.</summary>
    public bool ForgeriesFirst { get; init; }

    /// <summary>Only ever a forger's answer.</summary>
    public bool WrongTransaction { get; init; }

    /// <summary>The last bytes are missing.</summary>
    public bool CutOff { get; init; }

    /// <summary>Refuses with this code.</summary>
    public int? Error { get; init; }

    internal IEnumerable<byte[]> Replies(byte[] transaction, IPEndPoint seen)
    {
        var forged = Reply([.. transaction.Select(b => (byte)(b ^ 0xff))], new IPEndPoint(IPAddress.Parse("203.0.113.66"), 66));
        var honest = Reply(transaction, seen);
        return Silent ? []
            : WrongTransaction ? [forged]
            : CutOff ? [honest[..^3]]
            : ForgeriesFirst ? [forged, [0xff, .. honest[1..]], honest[..12], honest]
            : [honest];
    }

    private byte[] Reply(byte[] transaction, IPEndPoint seen)
    {
        byte[] attributes = Error is { } code
            ? [0x00, 0x09, 0, 4, 0, 0, (byte)(code / 100), (byte)(code % 100)]
            : [0x80, 0x22, 0, 3, (byte)'l', (byte)'a', (byte)'b', 0, .. Address(transaction, seen)];
        return [0x01, (byte)(Error is null ? 0x01 : 0x11), (byte)(attributes.Length >> 8), (byte)attributes.Length, 0x21, 0x12, 0xa4, 0x42, .. transaction, .. attributes];
    }

    private byte[] Address(byte[] transaction, IPEndPoint seen)
    {
        byte[] key = Plain ? new byte[16] : [0x21, 0x12, 0xa4, 0x42, .. transaction];
        var address = seen.Address.GetAddressBytes();
        byte[] value =
        [
            0, (byte)(address.Length == 4 ? 1 : 2),
            (byte)((seen.Port >> 8) ^ key[0]), (byte)(seen.Port ^ key[1]),
            .. address.Select((b, i) => (byte)(b ^ key[i])),
        ];
        return [0x00, (byte)(Plain ? 0x01 : 0x20), 0, (byte)value.Length, .. value];
    }
}
