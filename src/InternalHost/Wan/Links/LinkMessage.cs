using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Common;

namespace InternalHost.Wan.Links;

/// <summary>What the kernel says of one interface.</summary>
/// <param name="Error">Errno, positive (19: no such interface); 0: it is there.</param>
/// <param name="HasCarrier">RFC 2863's operational state; where the driver keeps none: the lower layer is up and not dormant.</param>
internal readonly record struct LinkAnswer(int Error, int Interface, bool HasCarrier);

internal enum LinkNewsKind
{
    Unknown = 0,
    Link = 1,
    LinkGone = 2,
    Address = 3,
    AddressGone = 4,
    Route = 5,
    RouteGone = 6,
    Rule = 7,
}

/// <summary>One thing that changed in the kernel, as it told everybody who listens.</summary>
/// <param name="Interface">Index; 0: not said (a rule, or a route without one).</param>
/// <param name="Name">Of the interface, where it is about the interface itself.</param>
/// <param name="Address">The host's own, where it is about one.</param>
internal readonly record struct LinkNews(LinkNewsKind Kind, int Interface, string? Name = null, IPAddress? Address = null);

/// <summary>Links, addresses and routes in the words of rtnetlink(7). Reading is total.</summary>
[PureCore]
internal static class LinkMessage
{
    private const int LinkLength = 16;      // struct ifinfomsg
    private const int AddressLength = 8;    // struct ifaddrmsg
    private const int RouteLength = 12;     // struct rtmsg
    private const ushort NewLink = 16;
    private const ushort DeleteLink = 17;
    private const ushort GetLink = 18;
    private const ushort NewAddress = 20;
    private const ushort DeleteAddress = 21;
    private const ushort NewRoute = 24;
    private const ushort DeleteRoute = 25;
    private const ushort NewRule = 32;
    private const ushort DeleteRule = 33;

    private const ushort InterfaceName = 3;       // IFLA_IFNAME
    private const ushort OperationalState = 16;   // IFLA_OPERSTATE
    private const ushort PeerOrOwn = 1;           // IFA_ADDRESS
    private const ushort Own = 2;                 // IFA_LOCAL: where there is a peer too
    private const ushort OutInterface = 4;        // RTA_OIF

    private const uint LowerUp = 0x1_0000;
    private const uint Dormant = 0x2_0000;

    /// <summary>IFNAMSIZ of linux/if.h without its closing NUL.</summary>
    private const int LongestName = 15;

    public static byte[] Query(uint sequence, string name) =>
        NetlinkFrame.Request(GetLink, sequence, new byte[LinkLength], (InterfaceName, Encoding.ASCII.GetBytes(name + '\0')));

    public static bool TryParse(ReadOnlySpan<byte> datagram, uint sequence, out LinkAnswer answer)
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

    /// <summary>Adds what one datagram of the kernel's multicast groups tells; messages of other kinds are passed over.</summary>
    /// <returns>False: it ends in something that cannot be read, so more may have changed than was added.</returns>
    public static bool TryReadNews(ReadOnlySpan<byte> datagram, ICollection<LinkNews> news)
    {
        while (NetlinkFrame.TryMessage(ref datagram, out var message))
        {
            if (News(message) is not { } one)
            {
                return false;
            }

            if (one.Kind != LinkNewsKind.Unknown)
            {
                news.Add(one);
            }
        }

        return datagram.IsEmpty;
    }

    private static bool TryAnswer(in NetlinkMessage message, out LinkAnswer answer)
    {
        answer = default;
        if (message.Type == NetlinkFrame.Error)
        {
            answer = new LinkAnswer(NetlinkFrame.Errno(message.Body) ?? 0, 0, false);
            return answer.Error > 0;
        }

        if (message.Type != NewLink || message.Body.Length < LinkLength)
        {
            return false;
        }

        var state = Find(message.Body[LinkLength..], OperationalState) is { Length: > 0 } value ? value[0] : (byte)0;
        answer = new LinkAnswer(0, MemoryMarshal.Read<int>(message.Body[4..]), Carries(state, MemoryMarshal.Read<uint>(message.Body[8..])));
        return true;
    }

    /// <summary>0 (unknown) is said by drivers that do not keep it; 6 is up; all others are not.</summary>
    private static bool Carries(byte state, uint flags) => state == 6 || (state == 0 && (flags & (LowerUp | Dormant)) == LowerUp);

    private static LinkNews? News(in NetlinkMessage message) => message.Type switch
    {
        NewLink or DeleteLink when message.Body.Length >= LinkLength => new LinkNews(
            message.Type == NewLink ? LinkNewsKind.Link : LinkNewsKind.LinkGone,
            MemoryMarshal.Read<int>(message.Body[4..]),
            Name(Find(message.Body[LinkLength..], InterfaceName))),
        NewAddress or DeleteAddress when message.Body.Length >= AddressLength => new LinkNews(
            message.Type == NewAddress ? LinkNewsKind.Address : LinkNewsKind.AddressGone,
            MemoryMarshal.Read<int>(message.Body[4..]),
            Address: NetlinkFrame.Address(Find(message.Body[AddressLength..], Own)) ?? NetlinkFrame.Address(Find(message.Body[AddressLength..], PeerOrOwn))),
        NewRoute or DeleteRoute when message.Body.Length >= RouteLength => new LinkNews(
            message.Type == NewRoute ? LinkNewsKind.Route : LinkNewsKind.RouteGone,
            Find(message.Body[RouteLength..], OutInterface) is { Length: sizeof(int) } index ? MemoryMarshal.Read<int>(index) : 0),
        NewRule or DeleteRule => new LinkNews(LinkNewsKind.Rule, 0),
        NewLink or DeleteLink or NewAddress or DeleteAddress or NewRoute or DeleteRoute => null,
        _ => default(LinkNews),
    };

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> rest, int wanted)
    {
        while (NetlinkFrame.TryAttribute(ref rest, out var type, out var value))
        {
            if (type == wanted)
            {
                return value;
            }
        }

        return default;
    }

    private static string? Name(ReadOnlySpan<byte> value)
    {
        var end = value.IndexOf((byte)0);
        var name = end < 0 ? value : value[..end];
        return name.Length is > 0 and <= LongestName && name.IndexOfAnyExceptInRange((byte)'!', (byte)'~') < 0 ? Encoding.ASCII.GetString(name) : null;
    }
}
