using Common.Configuration;

namespace Common.Tests.Configuration;

public sealed class YamlTreeTests
{
    [Fact]
    public void Parse_good_file_keeps_lines_and_text()
    {
        var errors = new ConfigurationErrors();

        var map = YamlTree.Parse("site: home\n\nports: [49022, 443]\nsection:\n  number: 010\n  quoted: \"+1\"\n", errors);

        Assert.False(errors.Any);
        Assert.Equal(["site", "ports", "section"], map!.Entries.Select(e => e.Key));
        Assert.Equal([1, 3, 4], map.Entries.Select(e => e.Line));
        Assert.Equal(2, Assert.IsType<ConfigurationNode.List>(map.Entries[1].Value).Items.Length);
        var section = Assert.IsType<ConfigurationNode.Map>(map.Entries[2].Value);
        Assert.Equal("010", section.Entries[0].Value.Shown);
        Assert.Equal("+1", section.Entries[1].Value.Shown);
    }

    [Theory]
    [InlineData("", "is empty", 0)]
    [InlineData("# only words\n", "is empty", 0)]
    [InlineData("---\n", "is empty", 2)]
    [InlineData("- a\n- b\n", "not a list", 1)]
    [InlineData("word\n", "not a value", 1)]
    [InlineData("a: 1\n\tb: 2\n", "tab", 2)]
    [InlineData("a:\n  - 1\n \t- 2\n", "tab", 3)]
    [InlineData("a: 1\nb: \u0007\n", "control character", 2)]
    [InlineData("a: 1\nb: 2\na: 3\n", "stands twice, first in line 1", 3)]
    [InlineData("a: &x [1]\nb: *x\n", "anchors", 1)]
    [InlineData("b: *x\n", "aliases", 1)]
    [InlineData("a: !!python/object 1\n", "tags", 1)]
    [InlineData("a: !thing 1\n", "tags", 1)]
    [InlineData("a: 1\n---\nb: 2\n", "second document", 2)]
    [InlineData("a: 'unclosed\nb: 2\n", "quote", 0)]
    [InlineData("a: [1, 2\nb: 3\n", "", 2)]
    [InlineData("a: [1 2\n", "is not closed", 0)]
    [InlineData("a: {x: 1\nb: 3\n", "", 0)]
    [InlineData("a: b: c\n", "second `:`", 1)]
    [InlineData("a:\n    b: 1\n  c: 2\n", "", 0)]
    [InlineData("a: 1\nword\nb: 2\n", "", 0)]
    [InlineData("a: @home\n", "reserves", 1)]
    [InlineData("? [a, b]\n: 1\n", "one word", 1)]
    public void Parse_mistake_is_told_with_its_line(string text, string reason, int line)
    {
        var errors = new ConfigurationErrors();

        YamlTree.Parse(text, errors);

        var all = string.Join('\n', errors.All.Select(e => e.ToLine()));
        Assert.True(errors.All.Count(e => e.Reason.Contains(reason, StringComparison.Ordinal)) == 1, all);
        var error = Assert.Single(errors.All, e => e.Reason.Contains(reason, StringComparison.Ordinal));
        Assert.True(line == 0 || error.Line == line, $"line {error.Line}: {error.Reason}");
    }

    [Fact]
    public void Parse_all_surface_mistakes_at_once()
    {
        var errors = new ConfigurationErrors();

        Assert.Null(YamlTree.Parse("a: 1\n\tb: 1\n\tc: 1\nd: \u0001\n", errors));

        Assert.Equal([2, 3, 4], errors.All.Select(e => e.Line));
    }

    [Fact]
    public void Parse_alias_bomb_is_refused_without_growing()
    {
        var bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + string.Concat(
            Enumerable.Range(1, 20).Select(i => $"{(char)('a' + i)}: &{(char)('a' + i)} [{string.Join(',', Enumerable.Repeat($"*{(char)('a' + i - 1)}", 9))}]\n"));
        var errors = new ConfigurationErrors();

        YamlTree.Parse(bomb, errors);

        Assert.Equal(21, errors.All.Count);
        Assert.All(errors.All, e => Assert.Contains("anchors", e.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_huge_file_is_refused()
    {
        var errors = new ConfigurationErrors();

        Assert.Null(YamlTree.Parse(new string('a', YamlTree.MaxCharacters + 1), errors));

        Assert.Contains("256 KiB", Assert.Single(errors.All).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    [InlineData('-')]
    public void Parse_deep_nesting_is_refused_in_bounded_stack(char open)
    {
        var text = open == '-' ? "a: " + string.Concat(Enumerable.Repeat("- ", 5_000)) + "x" : "a: " + new string(open, 20_000);
        var errors = new ConfigurationErrors();

        YamlTree.Parse(text, errors);

        Assert.True(errors.Any);
    }

    [Fact]
    public void Parse_too_many_values_is_refused()
    {
        var errors = new ConfigurationErrors();

        Assert.Null(YamlTree.Parse("a: [" + string.Concat(Enumerable.Repeat("1,", 11_000)) + "1]", errors));

        Assert.Contains("too many values", Assert.Single(errors.All).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_syntax_error_never_repeats_the_file()
    {
        var errors = new ConfigurationErrors();

        YamlTree.Parse("messages:\n  sms:\n    secret: \"hunter2 is my password\n", errors);

        Assert.All(errors.All, e => Assert.DoesNotContain("hunter2", e.ToLine(), StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_any_bytes_never_throws()
    {
        const string Seeds = "site: home\nuplinks:\n  primary: {interface: eth0, address: 192.168.1.5}\nports: [49022, 443]\n- &a *b !c 'x' \"y\" | > % @ ` ? : # \t---\n...\n\\u00e9";
        var random = new Random(20260101);

        for (var round = 0; round < 20_000; round++)
        {
            var text = new char[random.Next(1, 120)];
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = random.Next(20) == 0 ? (char)random.Next(0, 0x2100) : Seeds[random.Next(Seeds.Length)];
            }

            var errors = new ConfigurationErrors();
            var map = YamlTree.Parse(new string(text), errors);
            Assert.True(map is not null || errors.Any);
        }
    }

    [Fact]
    public void Parse_good_file_with_one_slip_never_throws()
    {
        const string Good = "site: home\nuplinks:\n  primary: {interface: eth0, address: 192.168.1.5}\n  backup:\n    interface: eth0\nbastion:\n  ports: [49022, 443]\n  key: \"/a b\"\n";
        const string Slips = "\t\n :-[]{}'\"&*!|>%@`#?,\0";
        var random = new Random(7);

        for (var round = 0; round < 10_000; round++)
        {
            var at = random.Next(Good.Length);
            var text = Good.Remove(at, random.Next(0, 3) % (Good.Length - at)).Insert(at, Slips[random.Next(Slips.Length)].ToString());
            var errors = new ConfigurationErrors();
            var map = YamlTree.Parse(text, errors);
            Assert.True(map is not null || errors.Any);
        }
    }
}
