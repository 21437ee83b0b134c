using System.Net;
using InternalHost.Wan.Probes;

namespace InternalHost.Tests.Wan;

public sealed class StunMessageTests
{
    // The transaction and the addresses of RFC 5769 (192.0.2.1:32853, 2001:db8:1234:5678:11:2233:4455:6677 port 32853), its XOR-MAPPED-ADDRESS values.
    private const string Transaction = "b7e7a701bc34d686fa87dfae";
    private const string Header = "2112a442" + Transaction;
    private const string Software = "8022000b 74657374 20766563 746f7220";
    private const string XorV4 = "00200008 0001a147 e112a643";
    private const string XorV6 = "00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9";
    private const string PlainV4 = "00010008 00018055 c0000201";

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));

    private static byte[] Response(string attributes, string type = "0101")
    {
        var body = Hex(attributes);
        return [.. Hex(type), (byte)(body.Length >> 8), (byte)body.Length, .. Hex(Header), .. body];
    }

    private static StunReading Read(byte[] packet) => StunMessage.Read(packet, Hex(Transaction));

    [Fact]
    public void Request_is_twenty_bytes()
    {
        Assert.Equal(Hex("0001 0000 " + Header), StunMessage.Request(Hex(Transaction)));
        Assert.Throws<ArgumentException>(() => StunMessage.Request(new byte[11]));
    }

    [Theory]
    [InlineData(XorV4, "192.0.2.1:32853")]
    [InlineData(XorV6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    [InlineData(Software + XorV4, "192.0.2.1:32853")]
    [InlineData(PlainV4, "192.0.2.1:32853")]
    [InlineData("00010008 00018055 0a000001" + XorV4, "192.0.2.1:32853")] // a router has rewritten what it could read
    [InlineData(XorV4 + "00200008 0001a147 00000000", "192.0.2.1:32853")] // the first counts
    [InlineData("00040008 00010d96 c0000263 00050008 00010d97 c0000264" + PlainV4, "192.0.2.1:32853")] // RFC 3489's source and changed address
    public void Address_is_read(string attributes, string expected)
    {
        Assert.Equal(new StunReading(null, IPEndPoint.Parse(expected)), Read(Response(attributes)));
    }

    [Fact]
    public void Sample_responses_of_rfc_5769_are_read_with_their_fingerprints()
    {
        var v4 = Hex("0101003c" + Header + Software + XorV4 + "00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96");
        var v6 = Hex("01010048" + Header + Software + XorV6 + "00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c");

        Assert.Equal(IPEndPoint.Parse("192.0.2.1:32853"), Read(v4).Mapped);
        Assert.Equal(IPEndPoint.Parse("[2001:db8:1234:5678:11:2233:4455:6677]:32853"), Read(v6).Mapped);

        v4[40] ^= 1;
        Assert.Contains("fingerprint", Read(v4).Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "no mapped address")]
    [InlineData(Software, "no mapped address")]
    [InlineData("00200008 0001a147", "runs past the end")]
    [InlineData("0020ffff 0001a147 e112a643", "runs past the end")]
    [InlineData("00200000", "length or a family")]
    [InlineData("00200004 0001a147", "length or a family")]
    [InlineData("00200014 0001a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9", "length or a family")]
    [InlineData("00200008 0002a147 e112a643", "length or a family")]
    [InlineData("00200008 0003a147 e112a643", "length or a family")]
    [InlineData("00200008 0001a147 2112a442", "no address")] // 0.0.0.0
    [InlineData("00010008 00018055 00000000", "no address")]
    [InlineData("00770004 00000000" + XorV4, "must be understood")]
    [InlineData(XorV4 + "80280004 00000000", "fingerprint")]
    [InlineData("80280004 00000000" + XorV4, "fingerprint")]
    [InlineData(XorV4 + "80280000", "fingerprint")]
    public void Hostile_attributes_are_refused_with_a_reason(string attributes, string reason)
    {
        var reading = Read(Response(attributes));

        Assert.Null(reading.Mapped);
        Assert.Contains(reason, reading.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Refusal_has_its_code()
    {
        var reading = Read(Response("00090010 00000414 4261642052657175 65737400", "0111"));

        Assert.True(reading.IsRefusal);
        Assert.Equal("the server refused: error 420", reading.Problem);
        Assert.Contains("cut off", Read(Response("00090002 00000000", "0111")).Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "shorter")]
    [InlineData("0101000c 2112a442", "shorter")]
    [InlineData("81010000" + Header, "first two bits")]
    [InlineData("01010000 2112a443" + Transaction, "no magic cookie")]
    [InlineData("00010000" + Header, "type 0001")]
    [InlineData("01010000 2112a442 b7e7a701bc34d686fa87dfaf", "another request")]
    [InlineData("01010004" + Header, "claims 4 bytes")]
    [InlineData("01010002" + Header + "0000", "claims 2 bytes")]
    [InlineData("0101000c" + Header + XorV4 + "00000000", "claims 12 bytes")]
    public void Header_that_lies_is_refused_with_a_reason(string hex, string reason)
    {
        Assert.Contains(reason, Read(Hex(hex)).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        var whole = Response(Software + XorV6);

        for (var length = 0; length < whole.Length; length++)
        {
            Assert.NotNull(Read(whole[..length]).Problem);
        }
    }

    [Fact]
    public void Two_hundred_thousand_mutated_responses_never_throw()
    {
        var random = new Random(20260308);
        byte[][] seeds =
        [
            Response(XorV4), Response(Software + XorV6), Response(PlainV4 + XorV4), Response("00090010 00000414 4261642052657175 65737400", "0111"),
            Hex("0101003c" + Header + Software + XorV4 + "00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96"),
        ];
        var (good, bad) = (0, 0);

        for (var i = 0; i < 200_000; i++)
        {
            var reading = Read(Mutate(seeds[i % seeds.Length], random));
            Assert.True(reading.Mapped is null != reading.Problem is null);
            _ = reading.Mapped is null ? bad++ : good++;
        }

        // Both ways out were really taken, often.
        Assert.True(good > 10_000 && bad > 10_000, $"{good} read, {bad} refused");
    }

    private static byte[] Mutate(byte[] seed, Random random)
    {
        var packet = (byte[])seed.Clone();
        for (var n = random.Next(0, 4); n > 0; n--)
        {
            var at = random.Next(packet.Length);
            packet[at] = random.Next(3) switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)(packet[at] ^ 1 << random.Next(8)),
                _ => (byte)(random.Next(2) * 0xff),
            };
        }

        return random.Next(5) switch
        {
            0 => packet[..random.Next(packet.Length + 1)],
            1 => [.. packet, .. packet[random.Next(packet.Length)..]],
            _ => packet,
        };
    }
}
