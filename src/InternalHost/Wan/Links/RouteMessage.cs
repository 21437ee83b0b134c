using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Common;

namespace InternalHost.Wan.Links;

/// <summary>What the kernel said to "which route would this packet take?".</summary>
/// <param name="Error">Errno, positive; 0: there is a route.</param>
/// <param name="Interface">Index of the interface it leaves by; 0: not said.</param>
/// <param name="Source">Address the kernel would put into it, where it said so.</param>
/// <param name="Gateway">Next hop of the target's family; null: none, or on the wire itself.</param>
internal readonly record struct RouteAnswer(int Error, int Interface, IPAddress? Source, IPAddress? Gateway = null);

/// <summary>RTM_GETROUTE of rtnetlink(7), written and read. Reading is total: whatever arrives, it answers true or false.</summary>
[PureCore]
internal static class RouteMessage
{
    private const int RouteLength = 12;    // struct rtmsg
    private const ushort NewRoute = 24;
    private const ushort GetRoute = 26;
    private const ushort Destination = 1;
    private const ushort SourceAddress = 2;
    private const ushort OutInterface = 4;
    private const ushort NextHop = 5;
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
        byte[] head =
        [
            Family(destination), (byte)(to.Length * 8), (byte)((from?.Length ?? 0) * 8), 0, 0, 0, 0, 0,
            .. BitConverter.GetBytes(fibMatch ? FibMatch : 0),
        ];
        var attributes = new List<(ushort, byte[])> { (Destination, to) };
        if (from is not null)
        {
            attributes.Add((SourceAddress, from));
        }

        if (interfaceIndex != 0)
        {
            attributes.Add((OutInterface, BitConverter.GetBytes(interfaceIndex)));
        }

        return NetlinkFrame.Request(GetRoute, sequence, head, [.. attributes]);
    }

    /// <summary>Finds the answer to the query of that number among the messages of one datagram.</summary>
    public static bool TryParse(ReadOnlySpan<byte> datagram, uint sequence, out RouteAnswer answer)
    {
        answer = default;
        while (NetlinkFrame.TryMessage(ref datagram, out var message))
        {
            if (message.Sequence == sequence)
            {
                return TryAnswer(message, out answer);
            }
        }

        return false;
    }

    private static bool TryAnswer(in NetlinkMessage message, out RouteAnswer answer)
    {
        answer = default;
        if (message.Type == NetlinkFrame.Error)
        {
            // Zero is an acknowledgement, which nobody asked for.
            answer = new RouteAnswer(NetlinkFrame.Errno(message.Body) ?? 0, 0, null);
            return answer.Error > 0;
        }

        return message.Type == NewRoute && message.Body.Length >= RouteLength && TryAttributes(message.Body[RouteLength..], out answer);
    }

    private static bool TryAttributes(ReadOnlySpan<byte> rest, out RouteAnswer answer)
    {
        answer = default;
        while (NetlinkFrame.TryAttribute(ref rest, out var type, out var value))
        {
            answer = type switch
            {
                OutInterface when value.Length == sizeof(int) => answer with { Interface = MemoryMarshal.Read<int>(value) },
                PreferredSource => answer with { Source = NetlinkFrame.Address(value) },
                NextHop => answer with { Gateway = NetlinkFrame.Address(value) },
                _ => answer,
            };
        }

        // Fewer bytes than an attribute's head are padding.
        return rest.Length < sizeof(int);
    }

    private static byte Family(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? (byte)10 : (byte)2;
}
