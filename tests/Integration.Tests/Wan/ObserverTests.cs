using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;
using InternalHost.Wan.Observing;
using Lab.World;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.Wan;

/// <summary>Wiring C with real children, a real SOCKS box and real TLS behind it.</summary>
public sealed class ObserverTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(15);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("eyes");
    private readonly CancellationTokenSource _giveUp = new(TimeSpan.FromSeconds(60));
    private LoopbackWorld _world = null!;
    private WitnessOptions _witnesses = null!;

    public async Task InitializeAsync()
    {
        _world = await LoopbackWorld.StartAsync(TimeProvider.System);
        var ca = Path.Combine(_folder.FullName, "ca.pem");
        _world.WriteRoot(ca);
        var servers = _world.Servers;
        _witnesses = new WitnessOptions(
            [], [servers.DnsA], [servers.DnsB], new TlsWitness(WorldServers.NameA, [servers.TlsA], ca), new TlsWitness(WorldServers.NameB, [servers.TlsB], ca),
            [servers.DnsA], [servers.Time], WorldServers.ProbeName);
    }

    public async Task DisposeAsync()
    {
        await _world.DisposeAsync();
        _folder.Delete(recursive: true);
        _giveUp.Dispose();
    }

    [Theory]
    [InlineData("echo up 3 203.0.113.7", "Answered")]
    [InlineData("echo down", "Refuted")]
    [InlineData("echo up 31", "Lost")]
    [InlineData("echo up; exit 3", "Lost")]
    [InlineData("echo hello", "Lost")]
    [InlineData("yes up | head -200000", "Lost")]
    public async Task Router_is_what_its_command_says(string script, string expected)
    {
        var router = Router("/bin/sh", "-c", script);

        Assert.Equal(expected, (await router.AskAsync(_giveUp.Token)).ToString());
        Assert.Equal(script.Contains("203", StringComparison.Ordinal) ? IPAddress.Parse("203.0.113.7") : null, router.Address?.Address);
    }

    [Fact]
    public async Task Command_is_no_shell_line_and_what_is_wrong_with_it_is_told_once()
    {
        var log = new Lines();
        var router = new RouterObserver(["/bin/echo", "up;", "echo", "down"], new SystemProcessLauncher(TimeProvider.System), TimeProvider.System, log);
        var missing = new RouterObserver(["/nonexistent/ask"], new SystemProcessLauncher(TimeProvider.System), TimeProvider.System, log);

        Assert.Equal(ProbeOutcome.Lost, await router.AskAsync(_giveUp.Token));
        Assert.Equal(ProbeOutcome.Lost, await router.AskAsync(_giveUp.Token));
        Assert.Equal(ProbeOutcome.Lost, await missing.AskAsync(_giveUp.Token));

        Assert.Equal(2, log.Told.Count);
        Assert.Contains("its first word is not up, down or unknown", log.Told[0], StringComparison.Ordinal);
        Assert.Contains("/nonexistent/ask", log.Told[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_that_hangs_is_ended()
    {
        var mark = Path.Combine(_folder.FullName, "pid");

        Assert.Equal(ProbeOutcome.Lost, await Router("/bin/sh", "-c", $"echo $$ > {mark}; exec sleep 1000").AskAsync(_giveUp.Token));

        var pid = (await File.ReadAllTextAsync(mark)).Trim();
        Assert.False(File.Exists($"/proc/{pid}/cmdline") && (await File.ReadAllTextAsync($"/proc/{pid}/cmdline")).Contains("sleep", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Box_that_reaches_the_world_proves_it()
    {
        await using var box = new SocksBox(BoxMode.Relays);

        Assert.Equal(ProbeOutcome.Authenticated, await Lan(box).AskAsync(Generous, _giveUp.Token));
    }

    [Theory]
    [InlineData("Refuses")]
    [InlineData("Hangs")]
    [InlineData("HangsUp")]
    [InlineData("Impostor")]
    public async Task Box_that_answers_and_does_not_reach_the_world_refutes_it(string mode)
    {
        await using var box = new SocksBox(Enum.Parse<BoxMode>(mode));

        Assert.Equal(ProbeOutcome.Refuted, await Lan(box).AskAsync(TimeSpan.FromSeconds(2), _giveUp.Token));
    }

    [Theory]
    [InlineData("WantsPassword")]
    [InlineData("Silent")]
    [InlineData("Forbids")]
    [InlineData("NoSocks")]
    public async Task Box_that_does_not_serve_us_says_nothing(string mode)
    {
        await using var box = new SocksBox(Enum.Parse<BoxMode>(mode));

        Assert.Equal(ProbeOutcome.Lost, await Lan(box).AskAsync(TimeSpan.FromSeconds(2), _giveUp.Token));
    }

    [Fact]
    public async Task Box_that_is_gone_says_nothing() =>
        Assert.Equal(ProbeOutcome.Lost, await new LanObserver(new IPEndPoint(IPAddress.Loopback, 1), _witnesses, Trusted(), TimeProvider.System).AskAsync(Generous, _giveUp.Token));

    [Fact]
    public async Task One_dead_witness_is_not_the_primary()
    {
        await using var box = new SocksBox(BoxMode.Relays);
        var halfDead = _witnesses with { TlsA = _witnesses.TlsA with { Addresses = [new IPEndPoint(IPAddress.Loopback, 1)] } };
        var lan = new LanObserver(box.EndPoint, halfDead, Trusted(), TimeProvider.System);

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(ProbeOutcome.Authenticated, await lan.AskAsync(Generous, _giveUp.Token));
        }
    }

    [Fact]
    public async Task Outside_a_refusal_is_an_answer_and_nobody_to_ask_says_nothing()
    {
        var backup = new UplinkOptions(UplinkName.Backup, "lo");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        Assert.Equal(ProbeOutcome.Answered, await Outside(IPAddress.Loopback, port, null));
        Assert.Equal(ProbeOutcome.Answered, await Outside(null, 1, IPAddress.Loopback));
        Assert.Equal(ProbeOutcome.Unknown, await Outside(null, 1, null));
        // By the loopback interface nobody is there.
        Assert.Equal(ProbeOutcome.Lost, await Outside(IPAddress.Parse("198.51.100.9"), 443, null));

        Task<ProbeOutcome> Outside(IPAddress? address, int at, IPAddress? learnt) =>
            new OutsideObserver(backup, new OutsideTarget(address, at), () => learnt, TimeProvider.System).AskAsync(_giveUp.Token);
    }

    [Fact]
    public async Task Backup_is_woken_while_it_is_needed()
    {
        var mark = Path.Combine(_folder.FullName, "woken");
        using var bringUp = new BringUp(
            ["/bin/touch", mark], () => !File.Exists(mark), new SystemProcessLauncher(TimeProvider.System), TimeProvider.System, NullLogger<BringUp>.Instance);
        await bringUp.StartAsync(default);
        using var limit = new CancellationTokenSource(Limit);
        while (!File.Exists(mark))
        {
            await Task.Delay(20, limit.Token);
        }

        await bringUp.StopAsync(default);
        Assert.False(bringUp.ExecuteTask!.IsFaulted);
    }

    private static RouterObserver Router(params ImmutableArray<string> command) =>
        new(command, new SystemProcessLauncher(TimeProvider.System), TimeProvider.System, NullLogger<RouterObserver>.Instance);

    private LanObserver Lan(SocksBox box) => new(box.EndPoint, _witnesses, Trusted(), TimeProvider.System);

    private static TrustedTime Trusted() => new(new KernelClock(), TimeProvider.System, null, TrustedTime.BuildDate);

    private sealed class Lines : ILogger<RouterObserver>
    {
        public List<string> Told { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Told.Add(formatter(state, exception));
    }
}
