using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;

namespace Lab.World;

/// <summary>A STUN server (RFC 8489, binding only): tells each client from where it is seen, and misbehaves on request.</summary>
/// <example><code>
/// await using var stun = StunServer.Start(new IPEndPoint(IPAddress.Parse("127.9.0.34"), 0));
/// stun.SeenAs = from => new IPEndPoint(backupAddress, from.Port);     // a router that sends all by the backup
/// </code></example>
public sealed class StunServer : IAsyncDisposable
{
    private const int HeaderLength = 20;

    private readonly UdpLoop _udp;

    private StunServer(IPEndPoint at) => _udp = new UdpLoop(at, Answer);

    public IPEndPoint EndPoint => _udp.EndPoint;

    public Silence Silence { get; } = new();

    public StunBehaviour Behaviour { get; set; } = new();

    /// <summary>What a client is told of where it comes from; by default the truth.</summary>
    public Func<IPEndPoint, IPEndPoint> SeenAs { get; set; } = from => from;

    public ConcurrentQueue<IPEndPoint> Seen { get; } = new();

    public static StunServer Start(IPEndPoint at)
    {
        var server = new StunServer(at);
        server._udp.Start();
        return server;
    }

    public ValueTask DisposeAsync() => _udp.DisposeAsync();

    private IEnumerable<byte[]> Answer(byte[] packet, IPEndPoint from)
    {
        if (Silence.Covers(from.Address) || !IsRequest(packet))
        {
            return [];
        }

        Seen.Enqueue(from);
        return Behaviour.Replies(packet[8..HeaderLength], SeenAs(from));
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
