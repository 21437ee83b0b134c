using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;

namespace Lab.World;

/// <summary>
/// An SNTP server (RFC 4330) whose clock is the lab's to set: right, wrong by any offset, unsynchronised, refusing, replaying.
/// </summary>
/// <example><code>
/// await using var ntp = SntpServer.Start(new IPEndPoint(IPAddress.Parse("127.9.0.123"), 0), TimeProvider.System);
/// ntp.Offset = TimeSpan.FromDays(-400);                        // a liar
/// </code></example>
public sealed class SntpServer : IAsyncDisposable
{
    private const int PacketLength = 48;
    private static readonly DateTimeOffset Era0 = new(1900, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly UdpLoop _udp;
    private readonly TimeProvider _time;

    private SntpServer(IPEndPoint at, TimeProvider time) => (_udp, _time) = (new UdpLoop(at, Answer), time);

    public IPEndPoint EndPoint => _udp.EndPoint;

    public Silence Silence { get; } = new();

    /// <summary>How far this server's clock is from <see cref="TimeProvider"/>'s.</summary>
    public TimeSpan Offset { get; set; }

    public bool Silent { get; set; }

    /// <summary>So many requests are lost before the first is answered.</summary>
    public int Loses { get; set; }

    /// <summary>Leap indicator 3: "my clock is not set".</summary>
    public bool Unsynchronised { get; set; }

    /// <summary>Stratum 0 with a kiss code: "go away".</summary>
    public bool KissOfDeath { get; set; }

    /// <summary>The originate time is not the one asked with, as in a forger's or an old reply.</summary>
    public bool WrongOriginate { get; set; }

    public ConcurrentQueue<IPAddress> Seen { get; } = new();

    public static SntpServer Start(IPEndPoint at, TimeProvider time)
    {
        var server = new SntpServer(at, time);
        server._udp.Start();
        return server;
    }

    public ValueTask DisposeAsync() => _udp.DisposeAsync();

    private IEnumerable<byte[]> Answer(byte[] packet, IPEndPoint from)
    {
        Seen.Enqueue(from.Address);
        if (Loses > 0)
        {
            Loses--;
            return [];
        }

        return Silent || Silence.Covers(from.Address) || packet.Length < PacketLength ? [] : [Reply(packet)];
    }

    private byte[] Reply(ReadOnlySpan<byte> request)
    {
        const byte version4Server = 4 << 3 | 4;
        var reply = new byte[PacketLength];
        reply[0] = (byte)(version4Server | (Unsynchronised ? 0xc0 : 0));
        reply[1] = (byte)(KissOfDeath ? 0 : 2);
        reply[2] = 6;
        "RATE"u8.CopyTo(reply.AsSpan(12));
        request[40..48].CopyTo(reply.AsSpan(24));
        reply[24] ^= (byte)(WrongOriginate ? 0xff : 0);
        var now = _time.GetUtcNow() + Offset;
        foreach (var field in (ReadOnlySpan<int>)[16, 32, 40])   // reference, receive, transmit
        {
            Write(reply.AsSpan(field), now);
        }

        return reply;
    }

    /// <summary>Seconds since 1900 modulo 2^32 (era 1 begins on 7 February 2036), and the fraction.</summary>
    private static void Write(Span<byte> field, DateTimeOffset at)
    {
        var seconds = (at - Era0).TotalSeconds;
        var whole = Math.Floor(seconds);
        BinaryPrimitives.WriteUInt32BigEndian(field, (uint)((long)whole & 0xffff_ffff));
        BinaryPrimitives.WriteUInt32BigEndian(field[4..], (uint)((seconds - whole) * 4_294_967_296d));
    }
}
