using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Common.Processes;
using Common.Time;
using InternalHost.Control;
using InternalHost.Wan.Detection;
using Lab.Demo;
using Lab.World;

namespace Bench.Recovery;

/// <summary>
/// A site in a network of its own whose primary is dead, with a bastion that always runs: a real sshd with PAM and our hook. The daemon and the rivals
/// hold a tunnel to it over the backup.
/// </summary>
internal sealed class RecoveryWorld : IAsyncDisposable
{
    private const int Service = 2222;
    private const int RivalTarget = 2223;
    private const int FirstRivalPort = 33001;
    private const int MostLines = 40;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly NamespaceDemoWorld _world;
    private readonly TimeProvider _time;
    private readonly RoundTrip _roundTrip;
    private readonly RunFolder _folder = RunFolder.Make(keep: false);

    /// <summary>Searchable for the accounts there, unlike the run's own.</summary>
    private readonly DirectoryInfo _bastionFolder = Directory.CreateTempSubdirectory("rec-");

    private readonly ConcurrentQueue<(Instant At, string Line)> _said = new();
    private readonly Dictionary<string, (int Port, IChildProcess Child)> _rivals = new(StringComparer.Ordinal);
    private readonly Stack<IAsyncDisposable> _parts = new();
    private DemoSite _site = null!;
    private PamHost _bastion = null!;
    private IChildProcess? _daemon;
    private Instant _mended;
    private int _ourPort;
    private int _rivalPort = FirstRivalPort;

    private RecoveryWorld(NamespaceDemoWorld world, TimeProvider time) => (_world, _time, _roundTrip) = (world, time, new RoundTrip(world, time));

    public static string Version { get; } = $"internalhost {typeof(ControlClient).Assembly.GetName().Version}";

    public static async Task<RecoveryWorld> StartAsync(IProcessLauncher launcher, TimeProvider time, CancellationToken ct)
    {
        var world = new RecoveryWorld(await NamespaceDemoWorld.StartAsync('A', fallsOver: false, launcher, time, ct), time);
        try
        {
            await world.SetUpAsync(launcher, ct);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    public Task FaultAsync(CancellationToken ct, params string[] words) => _world.FaultAsync(ct, words);

    /// <summary>Whatever is not on stays so.</summary>
    public Task ClearAsync(string name, CancellationToken ct) => _world.ClearAsync(name, ct);

    /// <summary>Until a line goes round through everybody's tunnel. Each rival begins anew, on a port that no dead session of it holds.</summary>
    public async Task ReadyAsync(bool withRivals, CancellationToken ct)
    {
        await EndRivalsAsync();
        foreach (var rival in withRivals ? Autossh.All : [])
        {
            var port = _rivalPort++;
            var command = rival.Command(new IPEndPoint(_world.Places.Bastion, DemoPorts.Bastion[0]), _world.Places.Backup.Address, _bastion.Key, KnownHosts, port, RivalTarget);
            _rivals[rival.Name] = (port, _world.Home.Start(command, (_, line) => Hear($"{rival.Name}: {line}")));
        }

        foreach (var port in Everybody.Values)
        {
            if (await _roundTrip.FirstAsync(port, ReadyWithin, ct) is null)
            {
                throw new InvalidOperationException($"no tunnel on port {port} within {ReadyWithin.TotalSeconds} s:\n{Words}");
            }
        }
    }

    /// <summary>Seconds from before the mending until the first line went round; null: not within the limit.</summary>
    public async Task<IReadOnlyDictionary<string, double?>> MeasureAsync(Func<CancellationToken, Task> mend, TimeSpan limit, CancellationToken ct)
    {
        var began = _mended = Instant.Now(_time);
        var looks = Everybody.ToDictionary(e => e.Key, e => _roundTrip.FirstAsync(e.Value, limit, ct), StringComparer.Ordinal);
        await mend(ct);
        await Task.WhenAll(looks.Values);
        return looks.ToDictionary(l => l.Key, l => l.Value.Result is { } at ? (at - began).TotalSeconds : (double?)null, StringComparer.Ordinal);
    }

    /// <summary>What the programs said last, in seconds since the last mending.</summary>
    public string Words => string.Join('\n', _said.Select(l => string.Create(CultureInfo.InvariantCulture, $"  {(l.At - _mended).TotalSeconds,8:F3} {l.Line}")));

    public async ValueTask DisposeAsync()
    {
        await EndRivalsAsync();
        if (_daemon is not null)
        {
            await _daemon.StopAsync(Grace);
            await _daemon.DisposeAsync();
        }

        while (_parts.TryPop(out var part))
        {
            await part.DisposeAsync();
        }

        await _world.DisposeAsync();
        _bastionFolder.Delete(recursive: true);
        _folder.Dispose();
    }

    private void Hear(string line)
    {
        _said.Enqueue((Instant.Now(_time), line));
        while (_said.Count > MostLines && _said.TryDequeue(out _))
        {
            // Only the last ones are of use.
        }
    }

    private string KnownHosts => _folder.File("rival-hosts");

    private Dictionary<string, int> Everybody =>
        _rivals.Select(r => KeyValuePair.Create(r.Key, r.Value.Port)).Prepend(new(Recover.Ours, _ourPort)).ToDictionary(StringComparer.Ordinal);

    private async Task SetUpAsync(IProcessLauncher launcher, CancellationToken ct)
    {
        var ports = DemoPorts.Find();
        _ourPort = ports.FirstForward;
        _site = await DemoSite.PrepareAsync(_folder, _world, ports, new TwilioAccount(), DemoTimes.Default with { TellAfter = TimeSpan.FromHours(1) }, launcher, ct);
        _bastion = await PamHost.StartAsync(_bastionFolder.FullName, _world.Cloud, ct, new IPEndPoint(_world.Places.BastionBehind, DemoPorts.Bastion[0]));
        _parts.Push(_bastion);
        await File.WriteAllTextAsync(_site.ConfigurationFile, Static(await File.ReadAllTextAsync(_site.ConfigurationFile, ct)), ct);
        await File.WriteAllTextAsync(KnownHosts, $"[{_world.Places.Bastion}]:{DemoPorts.Bastion[0]} {_bastion.HostKey}\n", ct);
        _parts.Push(await _world.AtHomeAsync(() => new Echo(new IPEndPoint(_world.Places.HomeLoopback, Service))));
        _parts.Push(await _world.AtHomeAsync(() => new Echo(new IPEndPoint(IPAddress.Loopback, RivalTarget))));
        await RouteBackupAsync(ct);
        _daemon = _world.Home.Start(Programs.InternalHost("run", "--config", _site.ConfigurationFile), (_, line) => Hear(line));
        await KnowsBothUpAsync(ct);
        // From here on, and for as long as this world lives: an outage.
        await _world.CutPrimaryAsync(ct);
    }

    /// <summary>ssh binds to an address and not to an interface: what comes from the backup's address has to leave by it. Our own sockets need no route.</summary>
    private async Task RouteBackupAsync(CancellationToken ct)
    {
        const string Script = """ip route add $(ip route show default dev "$1") dev "$1" table 101 && ip rule add pref 101 from "$2" lookup 101""";
        var result = await _world.Home.RunAsync(new ProcessSpec("sh", ["-c", Script, "sh", _world.Places.Backup.Interface, $"{_world.Places.Backup.Address}"]), ct);
        if (!result.Ok)
        {
            throw new InvalidOperationException($"no route for what comes from the backup's address: {result.Error}");
        }
    }

    /// <summary>The demo's site with the VM that always runs in place of the one that is started.</summary>
    private string Static(string yaml)
    {
        var lines = yaml.Split('\n').Where(l => !l.StartsWith("  socket:", StringComparison.Ordinal) && !l.StartsWith("  agent_port:", StringComparison.Ordinal));
        return string.Join('\n', lines.Select(l => l switch
        {
            "  cloud: local" => $"  cloud: static\n  address: {_world.Places.Bastion}\n  agent_port: none",
            _ when l.StartsWith("  ports:", StringComparison.Ordinal) => $"  ports: [{DemoPorts.Bastion[0]}]",
            _ when l.StartsWith("  user:", StringComparison.Ordinal) => "  user: site-home",
            _ when l.StartsWith("  key:", StringComparison.Ordinal) => $"  key: {_bastion.Key}",
            _ when l.StartsWith("  host_keys:", StringComparison.Ordinal) => $"  host_keys: [\"{_bastion.HostKey}\"]",
            _ => l,
        }));
    }

    private async Task KnowsBothUpAsync(CancellationToken ct)
    {
        for (var end = Instant.Now(_time) + ReadyWithin; Instant.Now(_time) < end && !_daemon!.Exited.IsCompleted; await Task.Delay(Look, _time, ct))
        {
            try
            {
                var status = (await ControlClient.AskAsync(_site.ControlSocket, new ControlRequest.Status(), _time, ct)).Status;
                if (status is { Uplinks: { Primary.State: UplinkState.Up, Backup.State: UplinkState.Up } })
                {
                    return;
                }
            }
            catch (ControlUnreachableException)
            {
                // Not up yet.
            }
        }

        throw new InvalidOperationException($"internalhost did not find both uplinks Up:\n{Words}");
    }

    private async Task EndRivalsAsync()
    {
        foreach (var (_, child) in _rivals.Values)
        {
            await child.StopAsync(Grace);
            await child.DisposeAsync();
        }

        _rivals.Clear();
    }
}
