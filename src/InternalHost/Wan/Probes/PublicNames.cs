using System.Net;
using System.Net.Sockets;
using Common;

namespace InternalHost.Wan.Probes;

/// <summary>Tells an answer that cannot be true: a public name at an address that only exists inside somebody's network.</summary>
[PureCore]
internal static class PublicNames
{
    /// <summary>Names that only mean something inside (RFC 6761, 6762, 8375 and what routers use).</summary>
    private static readonly string[] Inside = ["localhost", "local", "test", "invalid", "internal", "lan", "home", "home.arpa"];

    /// <summary>IPv4 ranges nobody on the public network has (RFC 6890), as first address and prefix length.</summary>
    private static readonly (uint First, int Length)[] NotPublic =
    [
        (0x00000000, 8), (0x0a000000, 8), (0x64400000, 10), (0x7f000000, 8), (0xa9fe0000, 16), (0xac100000, 12), (0xc0a80000, 16), (0xe0000000, 3),
    ];

    public static bool IsHijack(string name, IPAddress address) => !IsInside(name) && !IsPublic(address);

    private static bool IsInside(string name) =>
        Array.Exists(Inside, end => name.Equals(end, StringComparison.OrdinalIgnoreCase) || name.EndsWith("." + end, StringComparison.OrdinalIgnoreCase));

    private static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return IsPublic(address.MapToIPv4());
        }

        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return !(IPAddress.IsLoopback(address) || address.Equals(IPAddress.IPv6Any) || address.IsIPv6LinkLocal
                || address.IsIPv6UniqueLocal || address.IsIPv6SiteLocal || address.IsIPv6Multicast);
        }

        var bytes = address.GetAddressBytes();
        var number = (uint)bytes[0] << 24 | (uint)bytes[1] << 16 | (uint)bytes[2] << 8 | bytes[3];
        return !Array.Exists(NotPublic, range => number >> (32 - range.Length) == range.First >> (32 - range.Length));
    }
}
