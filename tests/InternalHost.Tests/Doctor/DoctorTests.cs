using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using InternalHost.Cli;
using InternalHost.Configuration;
using InternalHost.Doctor;
using InternalHost.Pins;
using InternalHost.Tests.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;
using Testing;

namespace InternalHost.Tests.Doctor;

public sealed class DoctorTests : IDisposable
{
    private readonly SiteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Route_of_an_address_is_a_table_and_a_rule()
    {
        var uplink = new UplinkOptions(UplinkName.Backup, "eth0", IPAddress.Parse("192.168.1.6"), IPAddress.Parse("192.168.1.1"));

        Assert.Equal(
            "ip route add default via 192.168.1.1 dev eth0 table 102 && ip rule add from 192.168.1.6 table 102 priority 102", RouteAdvice.ForHost(uplink));
    }

    [Fact]
    public void Route_of_an_interface_is_a_second_default()
    {
        Assert.Equal("ip route add default via GATEWAY dev wwan0 metric 300", RouteAdvice.ForHost(new UplinkOptions(UplinkName.Backup, "wwan0")));
    }

    [Fact]
    public async Task Missing_interface_and_address_are_told_apart()
    {
        var site = Site() with
        {
            Primary = new UplinkOptions(UplinkName.Primary, "nosuch0"),
            Backup = new UplinkOptions(UplinkName.Backup, "lo", IPAddress.Parse("192.0.2.1")),
        };

        var findings = await new InterfaceCheck(site).RunAsync(default);

        Assert.Equal([Health.Fail, Health.Fail], findings.Select(f => f.Verdict));
        Assert.Contains("nosuch0 does not exist; there are", findings[0].Detail, StringComparison.Ordinal);
        Assert.Contains("has not the address 192.0.2.1; it has 127.0.0.1", findings[1].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_route_prints_its_command()
    {
        var findings = await new RouteCheck(Site(), new ScriptedPaths(PathState.Absent)).RunAsync(default);

        Assert.Equal([Health.Fail, Health.Fail], findings.Select(f => f.Verdict));
        Assert.Contains("ip rule add from 192.168.1.6", findings[1].Next, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Banner_is_read_and_its_real_patience_told()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var site = Site();
        site = site with
        {
            Backup = new UplinkOptions(UplinkName.Backup, "lo"),
            Bastion = site.Bastion with { Address = IPAddress.Loopback, Ports = [port] },
        };
        var asked = new BastionCheck(site, TimeProvider.System).RunAsync(default);
        using var client = await listener.AcceptSocketAsync();
        client.Send("SSH-2.0-OpenSSH_9.2p1 Debian-2\u001b\r\nmore"u8);

        var finding = Assert.Single(await asked);

        Assert.Equal(Health.Ok, finding.Verdict);
        Assert.Contains("SSH-2.0-OpenSSH_9.2p1 Debian-2 by the backup; without our agent a dead connection keeps its ports for 120 s", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Closed_port_and_dead_service_are_warnings_with_a_next_step()
    {
        var site = Site();
        var dead = new IPEndPoint(IPAddress.Loopback, FreePort());
        site = site with
        {
            Backup = new UplinkOptions(UplinkName.Backup, "lo"),
            Bastion = site.Bastion with { Address = dead.Address, Ports = [dead.Port] },
            Services = [new ServiceOptions("ssh", "127.0.0.1", dead.Port, 22001)],
        };

        var bastion = Assert.Single(await new BastionCheck(site, TimeProvider.System).RunAsync(default));
        var service = Assert.Single(await new ServiceCheck(site, TimeProvider.System).RunAsync(default));

        Assert.Equal((Health.Warn, Health.Warn), (bastion.Verdict, service.Verdict));
        Assert.All([bastion, service], f => Assert.NotNull(f.Next));
    }

    [Fact]
    public async Task Check_that_faults_or_hangs_is_a_finding_and_the_rest_goes_on()
    {
        var time = new FakeTime();
        var run = CollectAsync(new DoctorRunner([new Broken(), new Hanging(), new Fine()], time));
        while (await Task.WhenAny(run, Task.Delay(5)) != run)
        {
            time.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Equal([Health.CannotTell, Health.CannotTell, Health.Ok], (await run).Select(f => f.Verdict));
    }

    [Fact]
    public void Fingerprint_is_as_ssh_keygen_shows_it()
    {
        // ssh-keygen -lf on this key.
        Assert.Equal("SHA256:hxIjPI6diyni9vqI2w58BK4t+4Y4J+xRv6dIAtpAorQ", HostKey.Fingerprint(SiteFolder.HostKey));
        Assert.Throws<FormatException>(() => HostKey.Fingerprint("nonsense"));
    }

    [NeedsFact(Need.Ssh)]
    public async Task Doctor_of_a_good_machine_speaks_json_lines_and_of_a_bad_file_exits_1()
    {
        var (code, lines) = await DoctorAsync(_folder.Write("bad.yaml", "site: home\n"));

        Assert.Equal(1, code);
        var findings = lines.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Contains(findings, f => f.GetProperty("check").GetString() == "configuration" && f.GetProperty("verdict").GetString() == "fail");
        Assert.Contains(findings, f => f.GetProperty("check").GetString() == "ssh client" && f.GetProperty("verdict").GetString() == "ok");
        Assert.All(findings, f => Assert.Contains(f.GetProperty("verdict").GetString(), new[] { "ok", "warn", "fail", "cannot-tell" }));
    }

    private static async Task<(int Code, string[] Lines)> DoctorAsync(string config)
    {
        var output = new StringWriter();
        var code = await CommandTree.RunAsync(["doctor", "--json", "-c", config], output, TextWriter.Null);
        return (code, output.ToString().TrimEnd('\n').Split('\n'));
    }

    private static async Task<List<Finding>> CollectAsync(DoctorRunner runner)
    {
        var findings = new List<Finding>();
        await foreach (var finding in runner.RunAsync(default))
        {
            findings.Add(finding);
        }

        return findings;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private SiteOptions Site() => _folder.Load(_folder.Good).OptionsOrThrow();

    private sealed class ScriptedPaths(PathState state) : IPathLookup
    {
        public PathSight Look(UplinkOptions uplink, ImmutableArray<IPAddress> targets) => state;
    }

    private sealed class Broken : IDoctorCheck
    {
        public string Name => "broken";

        public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct) => throw new InvalidOperationException("bug");
    }

    private sealed class Hanging : IDoctorCheck
    {
        public string Name => "hanging";

        public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct) => new TaskCompletionSource<ImmutableArray<Finding>>().Task;
    }

    private sealed class Fine : IDoctorCheck
    {
        public string Name => "fine";

        public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct) => Task.FromResult<ImmutableArray<Finding>>([Finding.Ok(Name, "good")]);
    }
}
