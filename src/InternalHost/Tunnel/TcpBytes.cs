using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace InternalHost.Tunnel;

/// <summary>What the kernel has counted on one TCP connection (TCP_INFO, tcp(7)).</summary>
/// <param name="Received">Payload that came from the peer.</param>
/// <param name="Acknowledged">Payload that the peer's kernel has confirmed.</param>
internal readonly record struct TcpBytes(long Received, long Acknowledged)
{
    private const int IpProtoTcp = 6;
    private const int TcpInfo = 11;

    // Offsets in struct tcp_info of linux/tcp.h, the same since 4.1 on every architecture.
    private const int AckedAt = 120;
    private const int ReceivedAt = 128;
    private const int Needed = 136;

    public static TcpBytes? Of(Socket socket)
    {
        Span<byte> info = stackalloc byte[Needed];
        try
        {
            return socket.GetRawSocketOption(IpProtoTcp, TcpInfo, info) < Needed ? null : new(Read(info[ReceivedAt..]), Read(info[AckedAt..]));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }

    private static long Read(ReadOnlySpan<byte> field) => MemoryMarshal.Read<long>(field);
}
