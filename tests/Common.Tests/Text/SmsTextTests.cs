using Common.Text;

namespace Common.Tests.Text;

public sealed class SmsTextTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("abc #7F3K", 9)]
    [InlineData("@£_é", 4)]
    [InlineData("[x]", 5)]
    [InlineData("{}\\~^|€", 14)]
    public void Septets_count_the_extension_table_twice(string text, int septets) => Assert.Equal(septets, SmsText.Septets(text));

    [Theory]
    [InlineData("ř")]
    [InlineData("`")]
    [InlineData("a\nb")]
    [InlineData("😀")]
    public void Septets_of_a_character_outside_the_alphabet_are_refused(string text) => Assert.Throws<ArgumentException>(() => SmsText.Septets(text));

    [Theory]
    [InlineData("café", "café")]
    [InlineData("Jiří Dvořák", "Jiri Dvorak")]
    [InlineData("Łódź", "Lodz")]
    [InlineData("Ödegård", "Ödegård")]
    [InlineData("Nguyễn", "Nguyen")]
    [InlineData("Œuvre Þór", "OEuvre Thor")]
    [InlineData("Дмитрий", "???????")]
    [InlineData("日本", "??")]
    [InlineData("😀", "?")]
    [InlineData("“it’s” – so…", "\"it's\" - so...")]
    [InlineData("`id`", "'id'")]
    public void Letters_outside_the_alphabet_become_their_nearest(string text, string sent) => Assert.Equal(sent, SmsText.ToGsm7(text));

    [Theory]
    [InlineData("alice", 11, "alice")]
    [InlineData("administrator", 11, "administra.")]
    [InlineData("a[b]{c}\\~^|`", 20, "a(b)(c)/--/'")]
    [InlineData("bob\nroot", 20, "bob/x0Aroot")]
    [InlineData(null, 5, "")]
    public void Field_is_sane_cheap_and_short(string? raw, int limit, string sent) => Assert.Equal(sent, SmsText.Field(raw, limit));

    [Theory]
    [InlineData("http://evil.com/pay", 40, "http: //evil. com/pay")]
    [InlineData("www.evil.com", 40, "www. evil. com")]
    [InlineData("bit.ly/x", 40, "bit. ly/x")]
    [InlineData("evil\uFF0Ecom", 40, "evil?com")]
    [InlineData("evil\u200B.com", 60, "evil/u(200B). com")]
    [InlineData("1.2.3.4", 40, "1.2.3.4")]
    [InlineData("alice", 11, "alice")]
    [InlineData("evil.company", 8, "evil. c.")]
    public void Name_makes_no_link(string raw, int limit, string sent) => Assert.Equal(sent, SmsText.Name(raw, limit));

    [Fact]
    public void Optional_parts_fall_away_lowest_order_first()
    {
        var filler = new string('x', 130);

        Assert.Equal($"{filler} one two #7F3K", SmsText.Fit("7F3K", filler, SmsPart.Optional(2, " one"), SmsPart.Optional(1, " two")));
        Assert.Equal($"{filler}1234567890 one two2 #7F3K", SmsText.Fit("7F3K", filler + "1234567890", SmsPart.Optional(2, " one"), SmsPart.Optional(1, " two1234"), SmsPart.Optional(3, " two2")));
    }

    [Fact]
    public void Id_is_never_lost_even_when_nothing_fits()
    {
        var text = SmsText.Fit("7F3K", new string('[', 300));

        Assert.EndsWith(" #7F3K", text);
        Assert.Equal(160, SmsText.Septets(text));
    }

    [Fact]
    public void Whatever_goes_in_it_is_one_segment_with_its_id()
    {
        var random = new Random(7);
        for (var i = 0; i < 5_000; i++)
        {
            var words = Enumerable.Range(0, random.Next(1, 8)).Select(_ => SmsPart.Optional(random.Next(0, 4), Word(random))).ToArray();

            var text = SmsText.Fit("7F3K2A", words);

            Assert.InRange(SmsText.Septets(text), 8, 160);
            Assert.EndsWith(" #7F3K2A", text);
        }
    }

    private static string Word(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(0, 60)).Select(_ => char.ConvertFromUtf32(random.Next(4) == 0 ? random.Next(0x10000, 0x10FFFF) : random.Next(0x20, 0xD7FF))));
}
