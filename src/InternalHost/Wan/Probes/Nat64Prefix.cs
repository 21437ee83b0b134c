using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Common;

namespace InternalHost.Wan.Probes;

/// <summary>
/// The prefix under which an IPv6-only network shows the IPv4 world (RFC 6052): <c>64:ff9b::/96</c> and 192.0.2.1 are
/// <c>64:ff9b::c000:201</c>. With prefixes shorter than 96 bits the address goes around bits 64 to 71, which stay zero.
/// </summary>
/// <param name="Length">32, 40, 48, 56, 64 or 96 bits.</param>
[PureCore]
internal sealed record Nat64Prefix(IPAddress Address, int Length)
{
    /// <summary>Answered only with these two addresses (RFC 7050 section 2.2); an AAAA record for it is a NAT64's doing.</summary>
    public const string DiscoveryName = "ipv4only.arpa";

    public static readonly Nat64Prefix WellKnown = new(IPAddress.Parse("64:ff9b::"), 96);

    /// <summary>Longest first: the well-known address is looked for where most networks have it.</summary>
    public static readonly ImmutableArray<int> Lengths = [96, 64, 56, 48, 40, 32];

    private const int Reserved = 8;   // the octet of bits 64 to 71
    private const int V4Bytes = 4;
    private const int V6Bytes = 16;

    private static readonly ImmutableArray<IPAddress> DiscoveryAddresses = [IPAddress.Parse("192.0.0.170"), IPAddress.Parse("192.0.0.171")];

    /// <summary>The IPv6 address by which <paramref name="v4"/> is reached.</summary>
    /// <exception cref="ArgumentException">Not an IPv4 address.</exception>
    public IPAddress Synthesize(IPAddress v4)
    {
        if (v4.AddressFamily != AddressFamily.InterNetwork)
        {
            throw new ArgumentException($"{v4} is not an IPv4 address", nameof(v4));
        }

        var bytes = Cut(Address, Length);
        var (from, at) = (v4.GetAddressBytes(), Length / 8);
        foreach (var b in from)
        {
            at += at == Reserved ? 1 : 0;
            bytes[at++] = b;
        }

        return new IPAddress(bytes);
    }

    /// <summary>The IPv4 address that stands in <paramref name="v6"/>; null: it is not under this prefix.</summary>
    public IPAddress? Extract(IPAddress v6)
    {
        if (v6.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return null;
        }

        var v4 = EmbeddedIn(v6, Length);
        return v4 is not null && Synthesize(v4).Equals(v6) ? v4 : null;
    }

    /// <summary>The prefix that the answers for <see cref="DiscoveryName"/> show; null: none does.</summary>
    public static Nat64Prefix? Discover(IEnumerable<IPAddress> answers)
    {
        foreach (var answer in answers.Where(a => a.AddressFamily == AddressFamily.InterNetworkV6))
        {
            foreach (var length in Lengths)
            {
                var prefix = new Nat64Prefix(new IPAddress(Cut(answer, length)), length);
                if (prefix.Extract(answer) is { } found && DiscoveryAddresses.Contains(found))
                {
                    return prefix;
                }
            }
        }

        return null;
    }

    private static IPAddress? EmbeddedIn(IPAddress v6, int length)
    {
        var bytes = v6.GetAddressBytes();
        var v4 = new byte[V4Bytes];
        var at = length / 8;
        for (var i = 0; i < V4Bytes; i++)
        {
            at += at == Reserved ? 1 : 0;
            if (at >= V6Bytes)
            {
                return null;
            }

            v4[i] = bytes[at++];
        }

        return new IPAddress(v4);
    }

    private static byte[] Cut(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(length / 8).Clear();
        return bytes;
    }
}
