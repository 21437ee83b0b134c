using System.Net;
using InternalHost.Wan.Links;

namespace InternalHost.Tests.Wan;

public class LinkMessageTests
{
    private static readonly Dictionary<string, byte[]> Samples = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Wan", "samples", "netlink.txt"))
        .Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split(": "))
        .ToDictionary(l => l[0], l => Convert.FromHexString(l[1]), StringComparer.Ordinal);

    public static TheoryData<string> Names => [.. Samples.Keys];

    [Fact]
    public void Changes_are_told_apart()
    {
        Assert.Equal(new LinkNews(LinkNewsKind.Link, 3, "wx0"), Only("link-up"));
        Assert.Equal(new LinkNews(LinkNewsKind.LinkGone, 3, "wx0"), Only("link-gone"));
        Assert.Equal(new LinkNews(LinkNewsKind.Address, 3, Address: IPAddress.Parse("192.0.2.5")), Only("address-added"));
        Assert.Equal(new LinkNews(LinkNewsKind.AddressGone, 3, Address: IPAddress.Parse("192.0.2.5")), Only("address-removed"));
        Assert.Equal(IPAddress.Parse("fe80::5896:7dff:fe07:36ac"), Only("address6-added").Address);
        Assert.Equal(new LinkNews(LinkNewsKind.Route, 3), Only("route-added"));
        Assert.Equal(new LinkNews(LinkNewsKind.RouteGone, 3), Only("route-removed"));
        Assert.Equal(new LinkNews(LinkNewsKind.Rule, 0), Only("rule-added"));
    }

    [Fact]
    public void Several_messages_of_one_datagram_are_all_read()
    {
        var news = new List<LinkNews>();

        Assert.True(LinkMessage.TryReadNews([.. Samples["route-removed"], .. Samples["address-removed"], .. Samples["hostile-unknown-type"]], news));

        Assert.Equal([LinkNewsKind.RouteGone, LinkNewsKind.AddressGone], news.Select(n => n.Kind));
    }

    [Fact]
    public void What_was_read_before_a_broken_end_stays_and_the_end_is_told()
    {
        var news = new List<LinkNews>();

        Assert.False(LinkMessage.TryReadNews([.. Samples["route-removed"], .. Samples["link-gone"].AsSpan(0, 40)], news));

        Assert.Equal(LinkNewsKind.RouteGone, Assert.Single(news).Kind);
    }

    [Theory]
    [InlineData("hostile-empty-message")]
    [InlineData("hostile-length-zero")]
    [InlineData("hostile-length-huge")]
    [InlineData("hostile-length-below-header")]
    [InlineData("hostile-tail")]
    public void Broken_datagrams_are_told(string sample) => Assert.False(LinkMessage.TryReadNews(Samples[sample], new List<LinkNews>()));

    [Theory]
    [InlineData("hostile-attribute-length-zero", null)]
    [InlineData("hostile-attribute-length-beyond", null)]
    [InlineData("hostile-name-not-text", null)]
    [InlineData("hostile-name-endless", null)]
    [InlineData("hostile-unknown-attributes", "eth0")]
    public void Name_is_text_or_left_out(string sample, string? name) => Assert.Equal(new LinkNews(LinkNewsKind.Link, 3, name), Only(sample));

    [Theory]
    [InlineData(6, 0x1003, true)]      // IF_OPER_UP
    [InlineData(0, 0x1_1003, true)]    // unknown, IFF_LOWER_UP: loopback, tunnels
    [InlineData(0, 0x3_1003, false)]   // unknown and IFF_DORMANT: waits for 802.1X
    [InlineData(0, 0x1003, false)]     // unknown, no carrier
    [InlineData(2, 0x1_1003, false)]   // down
    [InlineData(5, 0x1_1003, false)]   // dormant
    public void Carrier_is_the_operational_state_or_the_lower_layers(byte state, uint flags, bool expected)
    {
        var link = NetlinkFrame.Request(16, 7, [0, 0, 1, 0, 3, 0, 0, 0, .. BitConverter.GetBytes(flags), 0, 0, 0, 0], (16, [state]));

        Assert.True(LinkMessage.TryParse(link, 7, out var answer));
        Assert.Equal(new LinkAnswer(0, 3, expected), answer);
    }

    [Fact]
    public void Answers_are_read_as_the_kernel_gave_them()
    {
        Assert.True(LinkMessage.TryParse(Samples["answer-link"], 7, out var link));
        Assert.True(LinkMessage.TryParse(Samples["answer-no-such-link"], 7, out var none));
        Assert.False(LinkMessage.TryParse(Samples["answer-link"], 8, out _));
        Assert.True(LinkMessage.TryParse(Samples["hostile-errno-smallest"], 7, out var smallest));

        Assert.Equal((0, 3, false), (link.Error, link.Interface, link.HasCarrier));
        Assert.Equal(19, none.Error);
        Assert.Equal(int.MaxValue, smallest.Error);
    }

    [Fact]
    public void Query_asks_for_one_link_by_name() => Assert.Equal(
        "28000000 1200 0100 07000000 00000000 00000000000000000000000000000000 08000300 77783000".Replace(" ", "", StringComparison.Ordinal),
        Convert.ToHexString(LinkMessage.Query(7, "wx0")));

    [Theory]
    [MemberData(nameof(Names))]
    public void Any_bytes_and_any_cut_are_survived(string sample)
    {
        var random = new Random(sample.Length);
        var whole = Samples[sample];
        for (var i = 0; i < 4000; i++)
        {
            var bytes = whole.ToArray();
            for (var n = random.Next(0, 6); n > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var cut = bytes.AsSpan(0, random.Next(bytes.Length + 1));
            var news = new List<LinkNews>();
            _ = LinkMessage.TryReadNews(cut, news);
            _ = LinkMessage.TryParse(cut, 7, out var answer);
            _ = RouteMessage.TryParse(cut, 7, out var route);

            Assert.True(answer.Error >= 0 && route.Error >= 0);
            Assert.All(news, one => Assert.True(one.Kind != LinkNewsKind.Unknown && one.Name is not { Length: 0 or > 15 }));
        }
    }

    private static LinkNews Only(string sample)
    {
        var news = new List<LinkNews>();
        Assert.True(LinkMessage.TryReadNews(Samples[sample], news));
        return Assert.Single(news);
    }
}
