using System.Globalization;
using System.Text;
using Common.Text;

namespace Common.Tests.Text;

public sealed class SafeTextTests
{
    [Theory]
    [InlineData("alice", "alice")]
    [InlineData("", "")]
    [InlineData("a\nb", @"a\x0Ab")]
    [InlineData("root\r\nAccepted publickey for bob", @"root\x0D\x0AAccepted publickey for bob")]
    [InlineData("\u001b[2J\u001b]0;owned\u0007", @"\x1B[2J\x1B]0;owned\x07")]
    [InlineData("a\tb\0c\u007f", @"a\x09b\x00c\x7F")]
    [InlineData("\u0085\u009b31m", @"\u{85}\u{9B}31m")]
    [InlineData("a\u2028b\u2029c", @"a\u{2028}b\u{2029}c")]
    [InlineData("ali\u202Eec", @"ali\u{202E}ec")]
    [InlineData("\u2066x\u2069\u061C\u200E", @"\u{2066}x\u{2069}\u{61C}\u{200E}")]
    [InlineData("al\u200Bi\u200Dce\uFEFF", @"al\u{200B}i\u{200D}ce\u{FEFF}")]
    [InlineData("x\U000E0041\U000E007F", @"x\u{E0041}\u{E007F}")]
    [InlineData("a\u00A0b\u3000c", @"a\u{A0}b\u{3000}c")]
    [InlineData("\u3164\u2800", @"\u{3164}\u{2800}")]
    [InlineData("Jiří Ødegård", "Jiří Ødegård")]
    [InlineData("дмитрий 日本 😀", "дмитрий 日本 😀")]
    [InlineData("e\u0301", "e\u0301")]
    [InlineData("e\u0301\u0302\u0303\u0304", "e\u0301\u0302\\u{303}\\u{304}")]
    [InlineData("\u0301x", @"\u{301}x")]
    public void Hostile_text_comes_out_visible_and_on_one_line(string raw, string shown)
    {
        Assert.Equal(shown, SafeText.Clean(raw));
        Assert.Equal(shown, SafeText.Clean(Encoding.UTF8.GetBytes(raw)));
    }

    [Theory]
    [InlineData(new byte[] { 0x61, 0xFF, 0x62 }, @"a\xFFb")]
    [InlineData(new byte[] { 0xC0, 0xAF }, @"\xC0\xAF")]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 }, @"\xED\xA0\x80")]
    [InlineData(new byte[] { 0xE2, 0x82 }, @"\xE2\x82")]
    [InlineData(new byte[] { 0xF4, 0x90, 0x80, 0x80 }, @"\xF4\x90\x80\x80")]
    public void Bytes_that_are_not_UTF8_show_as_hexadecimal(byte[] raw, string shown) => Assert.Equal(shown, SafeText.Clean(raw));

    [Fact]
    public void Lone_surrogate_shows_as_escape() => Assert.Equal(@"a\u{D800}b\u{DFFF}", SafeText.Clean("a\uD800b\uDFFF"));

    [Fact]
    public void Long_text_is_cut_between_units_and_says_so()
    {
        Assert.Equal("abcdefg...", SafeText.Clean("abcdefghijklmn", 10));
        Assert.Equal("abcdefghij", SafeText.Clean("abcdefghij", 10));
        Assert.Equal("abcd...", SafeText.Clean("abcd\n\n\n\n", 10));
        Assert.Equal("😀😀😀...", SafeText.Clean("😀😀😀😀😀😀", 10));
    }

    [Fact]
    public void A_huge_name_costs_no_more_than_its_cap()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();

        var shown = SafeText.Clean(new string('\n', 10_000_000), 32);

        Assert.True(shown.Length <= 32);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 25_000_000, "only the input itself is large");
    }

    [Theory]
    [InlineData("alice", false, false)]
    [InlineData("\u0430lice", true, false)] // Cyrillic a
    [InlineData("al\u0131ce", true, false)] // dotless i
    [InlineData("ali\nce", false, true)]
    [InlineData("ali\u202Ece", true, true)]
    [InlineData(null, false, false)]
    public void Name_that_is_not_what_it_looks_like_is_flagged(string? raw, bool nonAscii, bool altered)
    {
        var name = SafeText.Name(raw);

        Assert.Equal((nonAscii, altered, nonAscii || altered), (name.NonAscii, name.Altered, name.Odd));
    }

    [Fact]
    public void Whatever_goes_in_the_promise_holds()
    {
        var random = new Random(20261);
        for (var i = 0; i < 20_000; i++)
        {
            var cap = random.Next(8, 80);
            var shown = i % 2 == 0 ? SafeText.Clean(Bytes(random), cap) : SafeText.Clean(Characters(random), cap);

            Assert.True(shown.Length <= cap, shown);
            Assert.Equal(shown, SafeText.Clean(shown, cap));
            Assert.False(shown.EnumerateRunes().Any(rune => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse), shown);
            Assert.DoesNotContain('\uFFFD', shown);
        }
    }

    private static byte[] Bytes(Random random)
    {
        var bytes = new byte[random.Next(0, 60)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static string Characters(Random random)
    {
        string[] menu = ["a", "\n", "\u001b[", "\u202E", "\u0301", "\u200B", "\uD800", "\uDC00", "😀", "\U000E0001", "ř", "я", "\\x0A", "\u2028", " ", "\uE000"];
        return string.Concat(Enumerable.Range(0, random.Next(0, 40)).Select(_ => menu[random.Next(menu.Length)]));
    }
}
