using InternalHost.Wan.Probes;

namespace InternalHost.Tests.Wan;

public sealed class DnsMessageTests
{
    // A reply as a recursive resolver sends it: www.example.com CNAME edge.example.net, two A records, names compressed.
    private const string Sample =
        "1234 8180 0001 0003 0000 0000" +
        "03777777 076578616d706c65 03636f6d 00 0001 0001" +
        "c00c 0005 0001 0000012c 0012 0465646765 076578616d706c65 036e6574 00" +
        "c02d 0001 0001 0000003c 0004 c0000201" +
        "c02d 0001 0001 0000003c 0004 c0000202";

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", ""));

    private static DnsReply Parse(string hex)
    {
        Assert.True(DnsMessage.TryParse(Hex(hex), out var reply));
        return reply;
    }

    [Fact]
    public void Query_has_the_bytes_of_rfc_1035()
    {
        var packet = DnsMessage.Query("example.com", DnsType.Aaaa, 0xbeef);

        Assert.Equal(Hex("beef 0100 0001 0000 0000 0000 076578616d706c65 03636f6d 00 001c 0001"), packet);
    }

    [Fact]
    public void Query_cases_its_letters_and_adds_edns()
    {
        var packet = DnsMessage.Query("ab.c.", DnsType.Txt, 1, caseBits: 0b1010, edns: true);

        Assert.Equal(Hex("0001 0100 0001 0000 0000 0001 026142 0143 00 0010 0001 00 0029 04d0 00000000 0000"), packet);
    }

    [Theory]
    [InlineData("example.com", true)]
    [InlineData("_a.b-c.example.", true)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("a..b", false)]
    [InlineData(".a", false)]
    [InlineData("a b", false)]
    [InlineData("münchen.example", false)]
    [InlineData("a\n.example", false)]
    public void Name_is_checked_before_it_is_sent(string name, bool good)
    {
        Assert.Equal(good, DnsMessage.IsName(name));
        if (!good)
        {
            Assert.Throws<ArgumentException>(() => DnsMessage.Query(name, DnsType.A, 1));
        }
    }

    [Fact]
    public void Lengths_end_at_63_and_253()
    {
        var label = new string('a', 63);
        var longest = $"{label}.{label}.{label}.{new string('b', 61)}";

        Assert.Equal(253, longest.Length);
        Assert.True(DnsMessage.IsName(longest));
        Assert.True(DnsMessage.IsName(longest + "."));
        Assert.False(DnsMessage.IsName(longest + "b"));
        Assert.False(DnsMessage.IsName(label + "a.com"));
    }

    [Fact]
    public void Reply_is_read_through_its_alias()
    {
        var reply = Parse(Sample);

        Assert.Equal((0x1234, DnsRcode.NoError, false), (reply.Id, reply.Rcode, reply.Truncated));
        Assert.Equal(new DnsQuestion("www.example.com", DnsType.A, 1), reply.Question);
        Assert.Equal("edge.example.net", reply.Answers[0].Target);
        Assert.Equal(TimeSpan.FromMinutes(5), reply.Answers[0].Ttl);
        Assert.Equal(["192.0.2.1", "192.0.2.2"], reply.Addresses().Select(a => a.ToString()));
    }

    [Fact]
    public void Record_about_another_name_is_not_believed()
    {
        var reply = Parse("1234 8180 0001 0001 0000 0000 0161 00 0001 0001 0162 00 0001 0001 0000003c 0004 c0000201");

        Assert.Single(reply.Answers);
        Assert.Empty(reply.Addresses());
    }

    [Fact]
    public void Alias_that_leads_to_itself_ends()
    {
        var reply = Parse("1234 8180 0001 0001 0000 0000 0161 00 0001 0001 c00c 0005 0001 0000003c 0002 c00c");

        Assert.Empty(reply.Addresses());
    }

    [Fact]
    public void Name_error_has_its_code()
    {
        Assert.Equal(DnsRcode.NameError, Parse("1234 8183 0001 0000 0000 0000 0161 00 0001 0001").Rcode);
    }

    [Fact]
    public void Text_is_joined()
    {
        Assert.Equal("hi you", Parse("1234 8180 0001 0001 0000 0000 0161 00 0010 0001 c00c 0010 0001 00000000 0008 026869 0420796f75").Answers[0].Text);
    }

    [Fact]
    public void Truncated_reply_gives_what_is_whole()
    {
        var packet = Hex(Sample)[..^3];
        Assert.False(DnsMessage.TryParse(packet, out _));

        packet[2] |= 0x02;

        Assert.True(DnsMessage.TryParse(packet, out var reply));
        Assert.True(reply.Truncated);
        Assert.Equal(2, reply.Answers.Length);
    }

    [Theory]
    [InlineData("", "nothing")]
    [InlineData("1234 8180 0001 0000 0000", "half a header")]
    [InlineData("1234 0100 0001 0000 0000 0000 0161 00 0001 0001", "a query")]
    [InlineData("1234 8180 0001 0000 0000 0000", "question claimed, none there")]
    [InlineData("1234 8180 0002 0000 0000 0000 0161 00 0001 0001 0161 00 0001 0001", "two questions")]
    [InlineData("1234 8180 0001 0005 0000 0000 0161 00 0001 0001", "answers claimed, none there")]
    [InlineData("1234 8180 0001 0000 0000 0000 c00c 0001 0001", "pointer to itself")]
    [InlineData("1234 8180 0001 0000 0000 0000 0161 c00c 0001 0001", "pointer back to its own label")]
    [InlineData("1234 8180 0001 0000 0000 0000 0161 c020 0001 0001", "pointer forward")]
    [InlineData("1234 8180 0001 0000 0000 0000 4161 00 0001 0001", "label type 01")]
    [InlineData("1234 8180 0001 0000 0000 0000 8161 00 0001 0001", "label type 10")]
    [InlineData("1234 8180 0001 0000 0000 0000 3f61 00 0001 0001", "label past the end")]
    [InlineData("1234 8180 0001 0001 0000 0000 0161 00 0001 0001 c00c 0001 0001 0000003c 0005 c000020100", "A of five bytes")]
    [InlineData("1234 8180 0001 0001 0000 0000 0161 00 0001 0001 c00c 001c 0001 0000003c 0004 c0000201", "AAAA of four bytes")]
    [InlineData("1234 8180 0001 0001 0000 0000 0161 00 0001 0001 c00c 0001 0001 0000003c 0040 c0000201", "data past the end")]
    [InlineData("1234 8180 0001 0001 0000 0000 0161 00 0001 0001 c00c 0010 0001 0000003c 0002 0561", "text past its record")]
    [InlineData("1234 8180 0001 0001 0000 0000 0161 00 0001 0001 c00c 0005 0001 0000003c 0003 016200", null)] // an honest alias, for contrast
    public void Reply_is_refused_where_its_lengths_lie(string hex, string? what)
    {
        Assert.Equal(what is null, DnsMessage.TryParse(Hex(hex), out _));
    }

    [Fact]
    public void Name_longer_than_255_is_refused()
    {
        var labels = string.Concat(Enumerable.Repeat("3f" + string.Concat(Enumerable.Repeat("61", 63)), 4));

        Assert.False(DnsMessage.TryParse(Hex("1234 8180 0001 0000 0000 0000" + labels + "00 0001 0001"), out _));
    }

    [Fact]
    public void Dots_and_control_characters_in_labels_are_escaped()
    {
        Assert.Equal("\\046\\010\\027.b", Parse("1234 8180 0001 0000 0000 0000 032e0a1b 0162 00 0001 0001").Question!.Name);
    }

    [Fact]
    public void Query_is_answered_only_by_its_own_id_type_and_case()
    {
        var query = DnsQuery.Create("www.example.com", DnsType.A);
        var reply = Parse(Sample) with { Id = query.Id, Question = new DnsQuestion(query.Name, DnsType.A, 1) };

        Assert.True(query.IsAnsweredBy(reply));
        Assert.False(query.IsAnsweredBy(reply with { Id = (ushort)(query.Id + 1) }));
        Assert.False(query.IsAnsweredBy(reply with { Question = reply.Question! with { Type = DnsType.Aaaa } }));
        Assert.False(query.IsAnsweredBy(reply with { Question = null }));
        var swapped = string.Concat(query.Name.Select(c => char.IsUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c)));
        Assert.False(query.IsAnsweredBy(reply with { Question = reply.Question! with { Name = swapped } }));
        Assert.True(query.IsAnsweredBy(reply with { Question = reply.Question! with { Name = swapped } }, sameCase: false));
    }

    [Fact]
    public void Queries_are_not_guessable()
    {
        var queries = Enumerable.Range(0, 200).Select(_ => DnsQuery.Create("www.example.com", DnsType.A)).ToList();

        Assert.True(queries.Select(q => q.Id).Distinct().Count() > 190);
        Assert.True(queries.Select(q => q.Name).Distinct().Count() > 150);
    }

    [Fact]
    public void Two_hundred_thousand_mutated_replies_never_throw()
    {
        var random = new Random(20260101);
        byte[][] seeds =
        [
            Hex(Sample),
            Hex("1234 8180 0001 0001 0000 0000 0161 00 0010 0001 c00c 0010 0001 00000000 0008 026869 0420796f75"),
            Hex("1234 8180 0001 0001 0000 0000 0161 00 001c 0001 c00c 001c 0001 0000003c 0010 20010db8000000000000000000000001"),
        ];
        var (good, bad) = (0, 0);

        for (var i = 0; i < 200_000; i++)
        {
            var packet = Mutate(seeds[i % seeds.Length], random);
            if (DnsMessage.TryParse(packet, out var reply))
            {
                good++;
                _ = reply.Addresses();
                Assert.All(reply.Answers, a => Assert.True(a.IsWellFormed && a.Name.Length <= 4 * 255 && a.Text?.Length != -1));
            }
            else
            {
                bad++;
            }
        }

        // Both ways out were really taken, often.
        Assert.True(good > 10_000 && bad > 10_000, $"{good} read, {bad} refused");
    }

    [Fact]
    public void Largest_reply_made_of_pointers_is_read_quickly()
    {
        var packet = new List<byte>(Hex("1234 8180 0001 ffff 0000 0000"));
        for (var i = 0; i < 3; i++)
        {
            packet.Add(63);
            packet.AddRange(Enumerable.Repeat((byte)'a', 63));
        }

        packet.AddRange(Hex("00 0001 0001"));
        while (packet.Count < 65_000)
        {
            packet.AddRange(Hex("c00c 0001 0001 0000003c 0004 c0000201"));
        }

        Assert.True(DnsMessage.TryParse([.. packet], out var reply));
        Assert.Equal(128, reply.Answers.Length);
    }

    private static byte[] Mutate(byte[] seed, Random random)
    {
        var packet = (byte[])seed.Clone();
        for (var n = random.Next(1, 5); n > 0; n--)
        {
            var at = random.Next(packet.Length);
            packet[at] = random.Next(4) switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)(packet[at] ^ 1 << random.Next(8)),
                2 => 0xc0,
                _ => (byte)random.Next(64),
            };
        }

        return random.Next(4) switch
        {
            0 => packet[..random.Next(packet.Length + 1)],
            1 => [.. packet, .. packet[random.Next(packet.Length)..]],
            _ => packet,
        };
    }
}
