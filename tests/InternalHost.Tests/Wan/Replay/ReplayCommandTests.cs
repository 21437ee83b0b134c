using System.Text.Json;
using InternalHost.Cli;
using InternalHost.Wan.Replay;

namespace InternalHost.Tests.Wan.Replay;

public sealed class ReplayCommandTests : IDisposable
{
    private const string Night = """
        t_s,target,loss,rtt_ms
        0,tls,0,25
        60.25,isp_dns,1,
        60.25,dns_a,1,
        60.25,dns_b,1,
        60.25,tls,1,
        100,tls,1,
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("replay-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Json_is_one_object_a_line_from_the_start_state_on()
    {
        var (code, output, errors) = await Run(Write(Night), "--json");

        Assert.Equal((0, ""), (code, errors));
        var lines = output.TrimEnd('\n').Split('\n').Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal("Unknown Up Suspect Down", string.Join(' ', lines.Select(l => l.GetProperty("state").GetString())));
        Assert.Equal("unknown yes yes no", string.Join(' ', lines.Select(l => l.GetProperty("usable").GetString())));
        Assert.Equal("start", lines[0].GetProperty("reason").GetString());
        Assert.Equal(0, lines[0].GetProperty("t").GetDecimal());
        Assert.All(lines, l => Assert.Equal(["t", "state", "usable", "reason"], l.EnumerateObject().Select(p => p.Name)));
    }

    [Fact]
    public async Task Text_has_the_same_in_columns()
    {
        var (code, output, _) = await Run(Write(Night));

        Assert.Equal(0, code);
        var lines = output.TrimEnd('\n').Split('\n');
        Assert.Equal("         0.000  Unknown     unknown  start", lines[0]);
        Assert.Equal(4, lines.Length);
        Assert.All(lines, l => Assert.Equal(lines[0].IndexOf("Unknown", StringComparison.Ordinal), l.IndexOf("  ", 10, StringComparison.Ordinal) + 2));
    }

    [Fact]
    public async Task Same_seed_same_bytes()
    {
        var file = Write(Night + "\n100,tls,0,\n100,dns_a,0,\n100,dns_b,0.5,\n2000,dns_b,0.5,\n");

        Assert.Equal(await Run(file, "--json"), await Run(file, "--json", "--seed", "1"));
        Assert.NotEqual(await Run(file, "--json"), await Run(file, "--json", "--seed", "2"));
    }

    [Fact]
    public async Task Bad_row_is_exit_2_with_its_line_and_nothing_is_played()
    {
        var (code, output, errors) = await Run(Write(Night + "\n101,tls,1.5,\n99,dns_a,0,\n"));

        Assert.Equal((2, ""), (code, output));
        Assert.Contains("line 8: loss \"1.5\": must be a probability from 0 to 1", errors, StringComparison.Ordinal);
        Assert.Contains("line 9: t_s \"99\": goes back in time", errors, StringComparison.Ordinal);
        Assert.Contains("Nothing was played", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--preset", "slow")]
    [InlineData("--seed", "-1")]
    [InlineData("--seed", "x")]
    public async Task Bad_option_is_exit_2(string option, string value)
    {
        var (code, output, errors) = await Run(Write(Night), option, value);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(value, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_that_is_not_there_or_a_folder_is_exit_2()
    {
        var missing = await Run(Path.Combine(_folder, "none.csv"));
        var folder = await Run(_folder);

        Assert.Equal((2, 2), (missing.Code, folder.Code));
        Assert.Contains("there is no such file", missing.Errors, StringComparison.Ordinal);
        Assert.Contains("is a folder", folder.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Standard_input_is_read_once_and_played_the_same()
    {
        var file = TraceFile.Open(Write(Night), TextReader.Null, CancellationToken.None);

        var piped = TraceFile.Open("-", new StringReader(Night), CancellationToken.None);

        Assert.Equal(file.Outline, piped.Outline);
        Assert.Equal(file.Rows(default).ToList(), piped.Rows(default).ToList());
        Assert.Equal(6, piped.Rows(default).Count());
    }

    [Fact]
    public async Task Help_teaches_by_an_example_that_plays()
    {
        var (code, help, _) = await Run("--help");

        var example = help.Split('\n').Select(l => l.Trim()).SkipWhile(l => !l.StartsWith("t_s,", StringComparison.Ordinal)).TakeWhile(l => l.Split(',').Length == 4);
        var played = await Run(Write(string.Join('\n', example)));
        Assert.Equal((0, 0), (code, played.Code));
        Assert.Contains("Down        no       dark", played.Output, StringComparison.Ordinal);
    }

    private string Write(string text)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.csv");
        File.WriteAllText(path, text);
        return path;
    }

    private static async Task<(int Code, string Output, string Errors)> Run(params string[] args)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var code = await CommandTree.RunAsync(["replay", .. args], output, errors);
        return (code, output.ToString(), errors.ToString());
    }
}
