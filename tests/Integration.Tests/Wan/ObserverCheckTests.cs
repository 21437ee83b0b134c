using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Doctor;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Observing;
using Lab.World;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.Wan;

/// <summary>What <c>internalhost doctor</c> says of the eyes of wiring C, with a real command, a real SOCKS box and real ports.</summary>
public sealed class ObserverCheckTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("look");
    private LoopbackWorld _world = null!;

    public async Task InitializeAsync()
    {
        _world = await LoopbackWorld.StartAsync(TimeProvider.System);
        _world.WriteRoot(Path.Combine(_folder.FullName, "ca.pem"));
    }

    public async Task DisposeAsync()
    {
        await _world.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("echo up 1 127.0.0.9", "Ok", "says up, the primary's address is 127.0.0.9")]
    [InlineData("echo down", "Ok", "says down")]
    [InlineData("echo unknown", "Warn", "does not know")]
    [InlineData("echo up 40", "Fail", "is 40 s old")]
    [InlineData("echo login:", "Fail", "its first word is not up, down or unknown")]
    [InlineData("exit 7", "Fail", "/bin/sh tells nothing")]
    public async Task Command_is_told_as_it_speaks(string script, string verdict, string detail)
    {
        var finding = Assert.Single(await LookAsync(new PrimaryObservation(["/bin/sh", "-c", script])));

        Assert.Equal(("router command", verdict), (finding.Check, $"{finding.Verdict}"));
        Assert.Contains(detail, finding.Detail, StringComparison.Ordinal);
        Assert.Equal(verdict == "Ok", finding.Next is null);
    }

    [Theory]
    [InlineData("Relays", "Ok", "proves its name")]
    [InlineData("Refuses", "Warn", "does not reach the world")]
    [InlineData("WantsPassword", "Fail", "does not serve SOCKS 5 without a password")]
    public async Task Relay_is_told_by_what_it_reaches(string mode, string verdict, string detail)
    {
        await using var box = new SocksBox(Enum.Parse<BoxMode>(mode));

        var finding = Assert.Single(await LookAsync(new PrimaryObservation([], box.EndPoint)));

        Assert.Equal(("lan relay", verdict), (finding.Check, $"{finding.Verdict}"));
        Assert.Contains(detail, finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outside_is_asked_where_the_command_says_and_a_refusal_is_good()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var learnt = await LookAsync(new PrimaryObservation(["/bin/sh", "-c", "echo up 0 127.0.0.1"], Outside: new OutsideTarget(null, port)));
        var nobody = await LookAsync(new PrimaryObservation(["/bin/sh", "-c", "echo up"], Outside: new OutsideTarget(null, port)));
        var dark = await LookAsync(new PrimaryObservation(["/bin/sh", "-c", "echo up"], Outside: new OutsideTarget(IPAddress.Parse("198.51.100.9"), port)));

        Assert.Equal((Health.Ok, Health.Warn, Health.Warn), (Outside(learnt).Verdict, Outside(nobody).Verdict, Outside(dark).Verdict));
        Assert.Contains("the command prints none", Outside(nobody).Detail, StringComparison.Ordinal);
        Assert.Contains("nobody answers", Outside(dark).Detail, StringComparison.Ordinal);

        static Finding Outside(ImmutableArray<Finding> findings) => findings.Single(f => f.Check == "outside");
    }

    private async Task<ImmutableArray<Finding>> LookAsync(PrimaryObservation observe)
    {
        var ca = Path.Combine(_folder.FullName, "ca.pem");
        var servers = _world.Servers;
        var witnesses = new WitnessOptions(
            [], [], [], new TlsWitness(WorldServers.NameA, [servers.TlsA], ca), new TlsWitness(WorldServers.NameB, [servers.TlsB], ca), [], [], WorldServers.ProbeName);
        var trusted = new TrustedTime(new KernelClock(), TimeProvider.System, null, TrustedTime.BuildDate);
        var router = observe.Command.IsEmpty ? null
            : new RouterObserver(observe.Command, new SystemProcessLauncher(TimeProvider.System), TimeProvider.System, NullLogger<RouterObserver>.Instance);
        var observers = new Observers(
            router,
            observe.Lan is { } box ? new LanObserver(box, witnesses, trusted, TimeProvider.System) : null,
            observe.Outside is { } outside ? new OutsideObserver(new UplinkOptions(UplinkName.Backup, "lo"), outside, () => router?.Address?.Address, TimeProvider.System) : null);
        return await new ObserverCheck(observe, observers).RunAsync(default);
    }
}
