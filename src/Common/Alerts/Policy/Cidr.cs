using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Common.Configuration;

namespace Common.Alerts.Policy;

/// <summary>A network by its first address and prefix length. IPv4 written as IPv6 (<c>::ffff:192.0.2.0/120</c>) is IPv4.</summary>
[PureCore]
public sealed record Cidr
{
    private const int MappedPrefix = 96;
    private readonly byte[] _bytes;

    private Cidr(IPAddress first, int length) => (First, Length, _bytes) = (first, length, first.GetAddressBytes());

    public IPAddress First { get; }

    public int Length { get; }

    public bool IsV4 => First.AddressFamily == AddressFamily.InterNetwork;

    /// <summary><c>198.51.100.0/24</c>, <c>2001:db8:1::/48</c>, or one address. Bits of the host are a mistake: which network was meant?</summary>
    public static Reading<Cidr> Parse(string text)
    {
        var slash = text.IndexOf('/');
        var address = NetworkValues.Address(slash < 0 ? text : text[..slash]);
        if (address.Problem is not null || address.Value is not { } ip)
        {
            return Reading.Bad("must be a network such as 198.51.100.0/24 or 2001:db8:1::/48, or one address");
        }

        var bits = ip.GetAddressBytes().Length * 8;
        var length = slash < 0 ? bits : Prefix(text[(slash + 1)..], bits);
        if (length < 0)
        {
            return Reading.Bad($"has no such prefix length: 0 to {bits} behind the slash");
        }

        var mapped = ip.IsIPv4MappedToIPv6;
        return mapped && length < MappedPrefix ? Reading.Bad($"is IPv4 written as IPv6: its prefix length is {MappedPrefix} to 128 then")
            : Make(mapped ? ip.MapToIPv4() : ip, mapped ? length - MappedPrefix : length);
    }

    public bool Contains(IPAddress address)
    {
        var ip = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return ip.AddressFamily == First.AddressFamily && SameBits(ip.GetAddressBytes());
    }

    /// <summary>Have they an address in common? Then one holds the other.</summary>
    public bool Overlaps(Cidr other) => Length <= other.Length ? Contains(other.First) : other.Contains(First);

    public bool Equals(Cidr? other) => other is not null && Length == other.Length && First.Equals(other.First);

    public override int GetHashCode() => HashCode.Combine(First, Length);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{First}/{Length}");

    private static Reading<Cidr> Make(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        var first = Cleared(bytes, length);
        return bytes.AsSpan().SequenceEqual(first)
            ? new Cidr(address, length)
            : Reading.Bad($"has bits of a host set: {new IPAddress(first)}/{length} is the network that it lies in");
    }

    private static int Prefix(string text, int bits) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length <= bits ? length : -1;

    private static byte[] Cleared(byte[] bytes, int length) =>
        [.. bytes.Select((b, i) => (byte)(b & Mask(length, i)))];

    private bool SameBits(byte[] bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            if (((bytes[i] ^ _bytes[i]) & Mask(Length, i)) != 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The part of the prefix that falls into byte <paramref name="index"/>.</summary>
    private static int Mask(int length, int index) => (0xFF00 >> Math.Clamp(length - (index * 8), 0, 8)) & 0xFF;
}
