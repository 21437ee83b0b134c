using Common.Configuration;

namespace Common.Tests.Configuration;

public sealed class ConfigurationSectionTests
{
    [Fact]
    public void Close_unknown_key_names_the_nearest()
    {
        var (section, errors) = Read("interfce: eth0\naddress: 1.2.3.4\n");
        _ = section.Get("interface", NetworkValues.Interface, "");
        _ = section.Has("address");

        section.Close();

        var error = Assert.Single(errors.All);
        Assert.Equal(("interfce", "eth0", 1), (error.Key, error.Value, error.Line));
        Assert.Contains("did you mean interface?", error.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pasword: hunter2")]
    [InlineData("secrt: hunter2")]
    [InlineData("telegram_token: hunter2")]
    [InlineData("ke: 9f86d081884c7d659a2feaa0c55ad015")]
    [InlineData("key: \"-----BEGIN OPENSSH PRIVATE KEY-----\"")]
    public void Close_unknown_key_never_shows_a_secret(string text)
    {
        var (section, errors) = Read(text);

        section.Close();

        Assert.Equal("***", Assert.Single(errors.All).Value);
    }

    [Fact]
    public void Reads_collect_every_mistake()
    {
        var (section, errors) = Read("a: x\nb: [1, y, 3]\nc:\nd: {e: 1}\n");

        _ = section.Get("a", NetworkValues.Port, 1);
        var list = section.List("b", NetworkValues.Port, []);
        _ = section.Get("c", NetworkValues.Port, 1);
        _ = section.Get("d", NetworkValues.Port, 1);
        _ = section.Need("f", NetworkValues.Port, "say where");
        section.Section("a").Close();

        Assert.Equal([1, 3], list.ToArray());
        Assert.Equal(["a", "a", "b[2]", "c", "d", "f"], errors.All.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => e.Key));
    }

    [Fact]
    public void ToLine_is_one_line_of_three_fields()
    {
        var line = new ConfigurationError("a\tb", "c\nd\u001b[31m\u202e", "e", 7).ToLine();

        Assert.Equal("a?b\tc?d?[31m?\te (line 7)", line);
    }

    [Theory]
    [InlineData("outage", "outages", 1)]
    [InlineData("ab", "ba", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    public void Distance_counts_slips(string a, string b, int slips) => Assert.Equal(slips, DidYouMean.Distance(a, b));

    private static (ConfigurationSection Section, ConfigurationErrors Errors) Read(string text)
    {
        var errors = new ConfigurationErrors();
        return (new ConfigurationSection("", YamlTree.Parse(text, errors), errors), errors);
    }
}
