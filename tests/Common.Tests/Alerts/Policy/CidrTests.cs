using System.Net;
using System.Numerics;
using Common.Alerts.Policy;

namespace Common.Tests.Alerts.Policy;

public sealed class CidrTests
{
    [Theory]
    [InlineData("10.0.0.1/33", "0 to 32")]
    [InlineData("2001:db8::/129", "0 to 128")]
    [InlineData("10.0.0.0/-1", "0 to 32")]
    [InlineData("10.0.0.0/ 8", "0 to 32")]
    [InlineData("10.0.0.0/+8", "0 to 32")]
    [InlineData("10.0.0.0/", "0 to 32")]
    [InlineData("1.2.3.4/24", "1.2.3.0/24")]
    [InlineData("2001:db8::1/64", "2001:db8::/64")]
    [InlineData("::ffff:1.2.3.4/120", "1.2.3.0/24")]
    [InlineData("::ffff:1.2.3.0/24", "96 to 128")]
    [InlineData("010.0.0.0/8", "must be a network")]
    [InlineData("10.0.0/24", "must be a network")]
    [InlineData("fe80::1%eth0/64", "must be a network")]
    [InlineData("example.net/24", "must be a network")]
    [InlineData("", "must be a network")]
    public void Bad_network_is_refused_with_the_reason(string text, string reason)
    {
        var read = Cidr.Parse(text);

        Assert.Null(read.Value);
        Assert.Contains(reason, read.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("198.51.100.0/24", "198.51.100.0/24")]
    [InlineData("::ffff:198.51.100.0/120", "198.51.100.0/24")]
    [InlineData("198.51.100.7", "198.51.100.7/32")]
    [InlineData("2001:DB8:1::/48", "2001:db8:1::/48")]
    public void Network_has_one_spelling(string text, string spelling) => Assert.Equal(spelling, Cidr.Parse(text).Value!.ToString());

    [Fact]
    public void Ipv4_login_written_as_ipv6_is_the_same_login() => Assert.True(Cidr.Parse("198.51.100.0/24").Value!.Contains(IPAddress.Parse("::ffff:198.51.100.7")));

    /// <summary>Against arithmetic on whole numbers: an address is inside if it has the network's number in its leading bits.</summary>
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Contains_and_overlaps_are_what_the_numbers_say(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 2000; round++)
        {
            var size = random.Next(2) == 0 ? 4 : 16;
            var (a, b) = (Random(random, size, null), Random(random, size, null));
            var (cidr, other) = (Network(a, random.Next(1, (size * 8) + 1)), Network(random.Next(2) == 0 ? Near(random, a) : b, random.Next(1, (size * 8) + 1)));
            var address = random.Next(2) == 0 ? Near(random, a) : b;

            Assert.Equal(Number(cidr.First) == Number(address) >> (Bits(cidr) - cidr.Length) << (Bits(cidr) - cidr.Length), cidr.Contains(address));
            Assert.Equal(Low(cidr) <= High(other) && Low(other) <= High(cidr), cidr.Overlaps(other));
            Assert.Equal(cidr.Overlaps(other), other.Overlaps(cidr));
            Assert.Equal(cidr, Cidr.Parse(cidr.ToString()).Value);
        }
    }

    private static int Bits(Cidr cidr) => cidr.IsV4 ? 32 : 128;

    private static BigInteger Low(Cidr cidr) => Number(cidr.First);

    private static BigInteger High(Cidr cidr) => Low(cidr) + (BigInteger.One << (Bits(cidr) - cidr.Length)) - 1;

    private static BigInteger Number(IPAddress address) => new(address.GetAddressBytes(), isUnsigned: true, isBigEndian: true);

    private static Cidr Network(IPAddress address, int length)
    {
        var bits = address.GetAddressBytes().Length * 8;
        var first = Number(address) >> (bits - length) << (bits - length);
        var bytes = first.ToByteArray(isUnsigned: true, isBigEndian: true);
        return Cidr.Parse($"{new IPAddress([.. new byte[(bits / 8) - bytes.Length], .. bytes])}/{length}").Value!;
    }

    /// <summary>The same with one bit turned, anywhere.</summary>
    private static IPAddress Near(Random random, IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        return bytes.Length == 16 && new IPAddress(bytes).IsIPv4MappedToIPv6 ? address : new IPAddress(bytes);
    }

    private static IPAddress Random(Random random, int size, byte[]? bytes)
    {
        bytes = new byte[size];
        random.NextBytes(bytes);
        bytes[0] |= 1;
        return new IPAddress(bytes);
    }
}
