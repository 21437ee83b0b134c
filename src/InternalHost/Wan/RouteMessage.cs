using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Common;

namespace InternalHost.Wan;

/// <summary>What the kernel said to "which route would this packet take?".</summary>
/// <param name="Error">Errno, positive; 0: there is a route.</param>
/// <param name="Interface">Index of the interface it leaves by; 0: not said.</param>
/// <param name="Source">Address the kernel would put into it, where it said so.</param>
internal readonly record struct RouteAnswer(int Error, int Interface, IPAddress? Source);

/// <summary>
/// RTM_GETROUTE of rtnetlink(7), written and read. Reading is total: whatever arrives, it answers true or false and never throws.
/// Netlink is in the machine's byte order.
/// </summary>
[PureCore]
internal static class RouteMessage
{
    private const int HeaderLength = 16;   // struct nlmsghdr
    private const int RouteLength = 12;    // struct rtmsg
    private const ushort ErrorType = 2;
    private const ushort NewRoute = 24;
    private const ushort GetRoute = 26;
    private const ushort RequestFlag = 1;
    private const ushort Destination = 1;
    private const ushort SourceAddress = 2;
    private const ushort OutInterface = 4;
    private const ushort PreferredSource = 7;

    /// <summary>
    /// RTM_F_FIB_MATCH: answer with the entry of the routing table or an error. Without it the kernel makes a route up for IPv4 where
    /// an interface is named and none leads out of it, as it does for a bound socket, whose packets then go nowhere.
    /// </summary>
    private const uint FibMatch = 0x2000;

    /// <param name="interfaceIndex">0: any.</param>
    /// <param name="fibMatch">Only what is in a routing table.</param>
    public static byte[] Query(uint sequence, IPAddress destination, IPAddress? source, int interfaceIndex, bool fibMatch)
    {
        var to = destination.GetAddressBytes();
        var from = source?.GetAddressBytes();
        var message = new List<byte>(64);
        message.AddRange(new byte[HeaderLength]);
        message.AddRange(
        [
            Family(destination), (byte)(to.Length * 8), (byte)((from?.Length ?? 0) * 8), 0, 0, 0, 0, 0,
            .. Bytes(fibMatch ? FibMatch : 0),
        ]);
        AddAttribute(message, Destination, to);
        if (from is not null)
        {
            AddAttribute(message, SourceAddress, from);
        }

        if (interfaceIndex != 0)
        {
            AddAttribute(message, OutInterface, Bytes((uint)interfaceIndex));
        }

        var packet = message.ToArray();
        MemoryMarshal.Write(packet, (uint)packet.Length);
        MemoryMarshal.Write(packet.AsSpan(4), GetRoute);
        MemoryMarshal.Write(packet.AsSpan(6), RequestFlag);
        MemoryMarshal.Write(packet.AsSpan(8), sequence);
        return packet;
    }

    /// <summary>Finds the answer to the query of that number among the messages of one datagram.</summary>
    public static bool TryParse(ReadOnlySpan<byte> datagram, uint sequence, out RouteAnswer answer)
    {
        answer = default;
        while (datagram.Length >= HeaderLength)
        {
            var length = MemoryMarshal.Read<uint>(datagram);
            if (length < HeaderLength || length > datagram.Length)
            {
                return false;
            }

            var message = datagram[..(int)length];
            if (MemoryMarshal.Read<uint>(message[8..]) == sequence)
            {
                return TryAnswer(MemoryMarshal.Read<ushort>(message[4..]), message[HeaderLength..], out answer);
            }

            datagram = datagram[Math.Min(Aligned((int)length), datagram.Length)..];
        }

        return false;
    }

    private static bool TryAnswer(ushort type, ReadOnlySpan<byte> body, out RouteAnswer answer)
    {
        answer = default;
        if (type == ErrorType && body.Length >= sizeof(int))
        {
            // Zero is an acknowledgement, which nobody asked for.
            var error = MemoryMarshal.Read<int>(body);
            answer = error < 0 ? new RouteAnswer(error == int.MinValue ? int.MaxValue : -error, 0, null) : default;
            return error < 0;
        }

        return type == NewRoute && body.Length >= RouteLength && TryAttributes(body[RouteLength..], out answer);
    }

    private static bool TryAttributes(ReadOnlySpan<byte> rest, out RouteAnswer answer)
    {
        answer = default;
        var (index, source) = (0, (IPAddress?)null);
        while (rest.Length >= 4)
        {
            int length = MemoryMarshal.Read<ushort>(rest);
            if (length < 4 || length > rest.Length)
            {
                return false;
            }

            var value = rest[4..length];
            switch (MemoryMarshal.Read<ushort>(rest[2..]))
            {
                case OutInterface when value.Length == sizeof(int):
                    index = MemoryMarshal.Read<int>(value);
                    break;
                case PreferredSource when value.Length is 4 or 16:
                    source = new IPAddress(value);
                    break;
            }

            rest = rest[Math.Min(Aligned(length), rest.Length)..];
        }

        answer = new RouteAnswer(0, index, source);
        return true;
    }

    private static byte Family(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? (byte)10 : (byte)2;

    private static void AddAttribute(List<byte> message, ushort type, byte[] value)
    {
        message.AddRange(Bytes((ushort)(4 + value.Length)));
        message.AddRange(Bytes(type));
        message.AddRange(value);
        message.AddRange(new byte[Aligned(value.Length) - value.Length]);
    }

    private static int Aligned(int length) => (length + 3) & ~3;

    private static byte[] Bytes(uint value) => BitConverter.GetBytes(value);

    private static byte[] Bytes(ushort value) => BitConverter.GetBytes(value);
}
