using System.Diagnostics;
using System.Text.Json.Nodes;
using Common.Journal;
using Common.Processes;
using InternalHost.Control;
using InternalHost.Wan.Detection;
using Lab.Demo;
using Lab.World;
using Testing;
using Xunit.Abstractions;

namespace Integration.Tests.Running;

/// <summary>
/// The whole site with real programs; the daemon is killed (SIGKILL) at random instants in each of its states and started again. The
/// provider's own record must show one launch and one stop an outage, and the gateway each alert once.
/// </summary>
/// <remarks>BASTION_KILLS: kills in each state, 1 unless given; the promise is 20.</remarks>
public sealed class KillTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly string[] Phases = ["Standby", "Starting", "Connecting", "Serving", "Draining", "Stopping"];
    private static readonly int Wanted = int.TryParse(Environment.GetEnvironmentVariable("BASTION_KILLS"), out var n) ? n : 1;

    /// <summary>Kills in one state of one outage: more, and a short state never ends.</summary>
    private const int PerVisit = 4;

    private readonly RunFolder _folder = RunFolder.Make(keep: false);
    private readonly Random _random = new(20);
    private readonly Dictionary<string, int> _kills = Phases.ToDictionary(p => p, _ => 0, StringComparer.Ordinal);
    private LoopbackDemoWorld _world = null!;
    private Cast _cast = null!;
    private DemoSite _site = null!;
    private StatusWatch _status = null!;
    private ProviderWatch _provider = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Need.Ssh | Need.Sshd) is not null)
        {
            return;
        }

        var launcher = new SystemProcessLauncher(TimeProvider.System);
        _world = await LoopbackDemoWorld.StartAsync(DemoPorts.Bastion, launcher, TimeProvider.System);
        var account = new TwilioAccount();
        _cast = await Cast.StartAsync(_world, _folder, account, TimeProvider.System);
        var times = DemoTimes.Default with { Stop = TimeSpan.FromSeconds(4) };
        _site = await DemoSite.PrepareAsync(_folder, _world, DemoPorts.Find(), account, times, launcher, default);
        await QuickenAsync();
        _status = new StatusWatch(_site.ControlSocket, TimeProvider.System);
        _provider = new ProviderWatch(Path.Combine(_site.CloudFolder, "provider.log"), TimeProvider.System);
        await _cast.StartHomeAsync(_site, _world, TimeProvider.System, default);
        await _cast.StartCloudAsync(_site, _world, default);
        _cast.StartDaemon(_site, _world);
    }

    public async Task DisposeAsync()
    {
        if (_cast is not null)
        {
            await _cast.DisposeAsync();
            await _world.DisposeAsync();
        }

        _folder.Dispose();
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Killed_in_every_state_it_comes_back_starts_once_stops_once_and_tells_once()
    {
        var outages = 0;
        while (Phases.Any(p => _kills[p] < Wanted) && outages < Wanted + 3)
        {
            outages++;
            await UntilAsync("Standby", s => s.Uplinks is { Primary.State: UplinkState.Up, Backup.Usable: Usable.Yes });
            await KillSomeAsync("Standby");
            await UntilAsync("Standby", s => s.Uplinks is { Primary.State: UplinkState.Up, Backup.Usable: Usable.Yes });
            await _world.CutPrimaryAsync(default);
            foreach (var phase in (string[])["Starting", "Connecting", "Serving"])
            {
                await KillSomeAsync(phase);
            }

            await UntilAsync("Serving", s => s.Tunnel.VerifiedAgeS is not null && s.Alerts.Pending == 0);
            await _world.RestorePrimaryAsync(default);
            await KillSomeAsync("Draining");
            await KillSomeAsync("Stopping");
            await UntilAsync("Standby", s => s.Controller.Outage is null);
            // The last alert is raised after the step to Standby: only then can it be pending, or not.
            await UntilAsync("Standby", _ => Raised().Count(r => r.Kind == "closed") == outages);
            await UntilAsync("Standby", s => s.Alerts.Pending == 0 && _cast.Messages.Count >= Raised().Count);
            output.WriteLine($"outage {outages}: kills {string.Join(", ", _kills.Select(k => $"{k.Key} {k.Value}"))}");
        }

        Assert.All(Phases, p => Assert.True(_kills[p] >= Wanted, $"{p}: killed {_kills[p]} times of {Wanted}"));
        Assert.Equal(outages, _provider.All.Count(e => e.Event == "launch"));
        Assert.Equal(outages, _provider.All.Count(e => e.Event == "stopped"));
        AssertToldOnce(outages);
    }

    /// <summary>Ids at the gateway equal ids raised, each once.</summary>
    private void AssertToldOnce(int outages)
    {
        var raised = Raised();
        var arrived = _cast.Messages.Select(m => m.Body[(m.Body.LastIndexOf('#') + 1)..]).Order(StringComparer.Ordinal);

        Assert.Equal(raised.Select(r => r.Id), arrived);
        Assert.Equal(outages, raised.Count(r => r.Kind == "open"));
        Assert.Equal(outages, raised.Count(r => r.Kind == "closed"));
    }

    private List<(string Id, string Kind)> Raised()
    {
        using var state = Database.Peek(Path.Combine(_folder.Path, "state", "state.db"));
        return [.. state.Sql("SELECT id, kind FROM alerts ORDER BY id").List(r => (r.GetString(0), r.GetString(1)))];
    }

    private async Task KillSomeAsync(string phase)
    {
        for (var i = 0; i < PerVisit && _kills[phase] < Wanted; i++)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            var now = await _status.UntilAsync(s => s.Controller.State == phase || Later(s.Controller.State, phase), limit.Token);
            if (now.Controller.State != phase)
            {
                return;
            }

            await Task.Delay(_random.Next(500));
            await KillAsync();
        }
    }

    private async Task KillAsync()
    {
        using (var daemon = Process.GetProcessById(_cast.Daemon.Pid))
        {
            daemon.Kill();
        }

        await _cast.Daemon.Exited;
        _kills[JournalledPhase()]++;
        _cast.StartDaemon(_site, _world);
    }

    /// <summary>In which state it really was when it died.</summary>
    private string JournalledPhase()
    {
        using var state = Database.Peek(Path.Combine(_folder.Path, "state", "state.db"));
        var last = state.Sql("SELECT state FROM failover ORDER BY seq DESC LIMIT 1").List(r => r.GetString(0)).SingleOrDefault();
        var phase = last is null ? "standby" : (string)JsonNode.Parse(last)!["phase"]!["phase"]!;
        return char.ToUpperInvariant(phase[0]) + phase[1..];
    }

    private static bool Later(string state, string than) => state != "Standby" && Array.IndexOf(Phases, state) > Array.IndexOf(Phases, than);

    private async Task UntilAsync(string phase, Func<StatusReport, bool> satisfied)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        try
        {
            await _status.UntilAsync(s => s.Controller.State == phase && satisfied(s), limit.Token);
        }
        catch (OperationCanceledException)
        {
            output.WriteLine($"last status: {_status.Last}");
            output.WriteLine(_cast.LastLines("internalhost.log"));
            throw;
        }
    }

    /// <summary>The product's own numbers would make a night of this; and the address comes late, so that Starting lasts.</summary>
    private async Task QuickenAsync()
    {
        var yaml = await File.ReadAllTextAsync(_site.ConfigurationFile);
        await File.WriteAllTextAsync(_site.ConfigurationFile, yaml.Replace("outage:\n", "outage:\n  confirm_after: 3s\n  recover_after: 3s\n", StringComparison.Ordinal));
        var file = Path.Combine(_site.CloudFolder, "cloud.json");
        var cloud = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        cloud["modes"]!["address_late_seconds"] = 3;
        await File.WriteAllTextAsync(file, cloud.ToJsonString());
    }
}
