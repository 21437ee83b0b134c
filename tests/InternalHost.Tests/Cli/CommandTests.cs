using System.Text.Json;
using Common.Alerts;
using InternalHost.Cli;
using InternalHost.Control;
using InternalHost.Tests.Configuration;
using InternalHost.Tests.Control;
using Microsoft.Extensions.Logging.Abstractions;

namespace InternalHost.Tests.Cli;

public sealed class CommandTests : IDisposable
{
    private readonly SiteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Check_config_good_says_what_was_understood()
    {
        var (code, output, errors) = await Run("check-config", _folder.Write("a.yaml", _folder.Good));

        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("B: one wire (eth0)", output, StringComparison.Ordinal);
        Assert.Contains("kvm        22002 -> 192.168.1.21:443; for alice", output, StringComparison.Ordinal);
        Assert.Contains("sms to 1 number by api.twilio.com", output, StringComparison.Ordinal);
        Assert.Contains("Next: internalhost doctor", output, StringComparison.Ordinal);
        Assert.DoesNotContain("+1555", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_config_mistakes_are_lines_of_three_fields_and_exit_2()
    {
        var (code, output, _) = await Run("check-config", _folder.Write("a.yaml", _folder.Good.Replace("site: home", "sute: home", StringComparison.Ordinal)));

        Assert.Equal(2, code);
        var lines = output.TrimEnd('\n').Split('\n');
        Assert.Contains("sute\thome\tis not a key that is known: did you mean site? (line 1)", lines);
        Assert.All(lines, line => Assert.Equal(3, line.Split('\t').Length));
    }

    [Fact]
    public async Task Check_config_json_is_an_array()
    {
        var (bad, array, _) = await Run("check-config", _folder.Write("a.yaml", "site: 1\nsite: 2\n"), "--json");
        var (good, empty, _) = await Run("check-config", _folder.Write("b.yaml", _folder.Good), "--json");

        Assert.Equal((2, 0, "[]"), (bad, good, empty.Trim()));
        var error = JsonDocument.Parse(array).RootElement.EnumerateArray().First(e => e.GetProperty("line").GetInt32() == 2);
        Assert.Equal("site", error.GetProperty("key").GetString());
        Assert.Contains("twice", error.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_config_example_of_the_repository_passes()
    {
        var folder = Path.GetDirectoryName(_folder.At("x"))!;
        var example = (await File.ReadAllTextAsync(Path.Combine(Repository(), "infra/internalhost/internalhost.example.yaml")))
            .Replace("/etc/internalhost", folder, StringComparison.Ordinal);
        var smallest = string.Join('\n', example.Split('\n').SkipWhile(l => !l.Contains("smallest form:", StringComparison.Ordinal)).Skip(2).Select(l => l.Length > 4 ? l[4..] : ""));
        var named = $"\nsecrets_directory: {folder}/secrets\n";

        var (whole, _, _) = await Run("check-config", _folder.Write("whole.yaml", example + named));
        var (small, output, _) = await Run("check-config", _folder.Write("small.yaml", $"{smallest.Replace("host_keys:", $"key: {folder}/keys/bastion\n  host_keys:", StringComparison.Ordinal)}{named}"));

        Assert.Equal((0, 0), (whole, small));
        Assert.Contains("A: an interface for each uplink", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new string[0], "Required command")]
    [InlineData(new[] { "explode" }, "explode")]
    [InlineData(new[] { "open", "--for", "soon" }, "'soon' must be a time")]
    [InlineData(new[] { "pause", "--for", "4h" }, "--why")]
    [InlineData(new[] { "pause", "--why", "x" }, "--for")]
    [InlineData(new[] { "status", "--jsno" }, "--jsno")]
    public async Task Bad_usage_is_exit_2_and_names_it(string[] args, string names)
    {
        var (code, output, errors) = await Run(args);

        Assert.Equal((2, ""), (code, output));
        Assert.Contains(names, errors, StringComparison.Ordinal);
        Assert.Contains("--help", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "internalhost doctor")]
    [InlineData("open", "internalhost open --for 2h")]
    [InlineData("pause", "--why \"new router\"")]
    [InlineData("status", "--watch")]
    [InlineData("run", "SIGHUP")]
    [InlineData("check-config", "--json")]
    public async Task Help_teaches_by_example(string verb, string example)
    {
        var (code, output, _) = await Run(verb.Length == 0 ? ["--help"] : [verb, "--help"]);

        Assert.Equal(0, code);
        Assert.Contains(example, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_with_mistakes_is_exit_2_with_every_one()
    {
        var (code, _, errors) = await Run("run", "-c", _folder.Write("a.yaml", "site: home\nnonsense: 1\n"));

        Assert.Equal(2, code);
        Assert.Contains("nonsense\t1\tis not a key", errors, StringComparison.Ordinal);
        Assert.Contains("bastion.cloud\t\tis missing", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_daemon_the_socket_and_next_step_are_named()
    {
        var config = _folder.Write("a.yaml", $"runtime_directory: {_folder.At("run")}\n");

        var (code, _, errors) = await Run("status", "-c", config);

        Assert.Equal(1, code);
        Assert.Contains(_folder.At("run/control.sock"), errors, StringComparison.Ordinal);
        Assert.Contains("systemctl start internalhost", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Orders_reach_the_daemon_and_its_answer_is_printed()
    {
        await using var daemon = await FakeDaemon.StartAsync(_folder);

        Assert.Equal((0, "ok 1\n", ""), await Run("open", "--for", "90m", "-c", daemon.Config));
        Assert.Equal((0, "ok 2\n", ""), await Run("close", "-c", daemon.Config));
        Assert.Equal((0, "ok 3\n", ""), await Run("pause", "--for", "4h", "--why", "new router", "-c", daemon.Config));
        Assert.Equal((1, "", "internalhost: not now\n"), await Run("reload", "-c", daemon.Config));
        Assert.Equal(
            [new ControlRequest.Open(TimeSpan.FromMinutes(90)), new ControlRequest.Close(), new ControlRequest.Pause(TimeSpan.FromHours(4), "new router"), new ControlRequest.Reload()],
            daemon.Asked);
    }

    [Fact]
    public async Task Status_is_a_table_or_one_line_of_json()
    {
        await using var daemon = await FakeDaemon.StartAsync(_folder);

        var (code, text, _) = await Run("status", "-c", daemon.Config);
        var (_, json, _) = await Run("status", "--json", "-c", daemon.Config);

        Assert.Equal(0, code);
        Assert.Equal(StatusText.Render(Reports.Serving), text);
        Assert.Equal(22001, JsonDocument.Parse(json).RootElement.GetProperty("tunnel").GetProperty("forwards")[0].GetProperty("port").GetInt32());
        Assert.Single(json.TrimEnd('\n').Split('\n'));
    }

    private static async Task<(int Code, string Output, string Errors)> Run(params string[] args)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var code = await CommandTree.RunAsync(args, output, errors);
        return (code, output.ToString(), errors.ToString());
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Bastion.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }

    [Fact]
    public async Task Alerts_are_listed_and_explained()
    {
        await using var daemon = await FakeDaemon.StartAsync(_folder);

        var list = await Run("alerts", "list", "-c", daemon.Config);
        var explained = await Run("alerts", "explain", "#7f3k", "-c", daemon.Config);
        var json = await Run("alerts", "explain", "7F3K", "--json", "-c", daemon.Config);

        Assert.Equal((0, 0, 0), (list.Code, explained.Code, json.Code));
        Assert.Matches("^#7F3K   2026-0[67]-.* high      dead        home: primary down", list.Output);
        Assert.Contains("by sms         ...0001: will not arrive (21610 opted out)", explained.Output, StringComparison.Ordinal);
        Assert.Equal("dead", JsonDocument.Parse(json.Output).RootElement.GetProperty("deliveries")[0].GetProperty("state").GetString());
        Assert.Equal(2, (await Run("alerts", "explain", "no id", "-c", daemon.Config)).Code);
        Assert.Empty(daemon.Asked);
    }

    private static readonly AlertView Alert = new(
        "7F3K", "open", "high", new DateTimeOffset(2026, 7, 1, 2, 14, 0, TimeSpan.Zero), "home: primary down 02:14 #7F3K", true, null, [],
        [new DeliveryView("sms", "...0001", "dead", "will not arrive", "21610", "opted out", null)]);

    private sealed class FakeDaemon(SiteFolder folder) : IControlHandler, IAsyncDisposable
    {
        private ControlServer? _server;

        public List<ControlRequest> Asked { get; } = [];

        public string Config { get; } = folder.Write("daemon.yaml", $"runtime_directory: {folder.At("run")}\n");

        public static async Task<FakeDaemon> StartAsync(SiteFolder folder)
        {
            var daemon = new FakeDaemon(folder);
            daemon._server = new ControlServer(folder.At("run/control.sock"), daemon, TimeProvider.System, NullLogger<ControlServer>.Instance);
            await daemon._server.StartAsync(CancellationToken.None);
            return daemon;
        }

        public Task<ControlReply> HandleAsync(ControlRequest request, CancellationToken ct)
        {
            if (request is ControlRequest.Status)
            {
                return Task.FromResult(new ControlReply(Ok: true, Status: Reports.Serving));
            }

            if (request is ControlRequest.Alerts or ControlRequest.Explain { Id: "7F3K" })
            {
                return Task.FromResult(new ControlReply(Ok: true, Alerts: [Alert]));
            }

            Asked.Add(request);
            return Task.FromResult(request is ControlRequest.Reload ? ControlReply.Failed("not now") : ControlReply.Done($"ok {Asked.Count}"));
        }

        public async ValueTask DisposeAsync()
        {
            await _server!.StopAsync(CancellationToken.None);
            _server.Dispose();
        }
    }
}
