using System.Collections.Concurrent;
using Common.Processes;
using Common.Time;
using InternalHost.Control;
using InternalHost.Wan.Detection;
using Lab.Demo;
using Lab.World;

namespace Bench.Detection;

/// <summary>A site in a network of its own, and the daemon that watches it; no VM stands behind it.</summary>
internal sealed class DetectionWorld : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>After the fibre is back a router that fell over needs a moment to return.</summary>
    private static readonly TimeSpan RouterReturns = TimeSpan.FromSeconds(3);

    private readonly NamespaceDemoWorld _world;
    private readonly RunFolder _folder;
    private readonly DemoSite _site;
    private readonly TimeProvider _time;
    private readonly ConcurrentQueue<string> _said = new();
    private IChildProcess? _daemon;

    private DetectionWorld(NamespaceDemoWorld world, RunFolder folder, DemoSite site, TimeProvider time) =>
        (_world, _folder, _site, _time) = (world, folder, site, time);

    public static string Version { get; } = $"internalhost {typeof(ControlClient).Assembly.GetName().Version}";

    /// <summary>The states of the primary in this run, in order.</summary>
    public string Seen { get; private set; } = "";

    public static async Task<DetectionWorld> StartAsync(char wiring, bool fallsOver, IProcessLauncher launcher, TimeProvider time, CancellationToken ct)
    {
        var world = await NamespaceDemoWorld.StartAsync(wiring, fallsOver, launcher, time, ct);
        var folder = RunFolder.Make(keep: false);
        try
        {
            var times = DemoTimes.Default with { TellAfter = TimeSpan.FromMinutes(5) };
            var site = await DemoSite.PrepareAsync(folder, world, DemoPorts.Find(), new TwilioAccount(), times, launcher, ct);
            return new DetectionWorld(world, folder, site, time);
        }
        catch
        {
            folder.Dispose();
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>A daemon that remembers nothing, until it knows both uplinks to be Up.</summary>
    public async Task StartDaemonAsync(CancellationToken ct)
    {
        Seen = "";
        _said.Clear();
        var state = _folder.File("state");
        if (Directory.Exists(state))
        {
            Directory.Delete(state, recursive: true);
        }

        _daemon = _world.Home.Start(Programs.InternalHost("run", "--config", _site.ConfigurationFile), (_, line) => _said.Enqueue(line));
        if (await UntilAsync(s => s.Uplinks is { Primary.State: UplinkState.Up, Backup.State: UplinkState.Up }, ReadyWithin, ct) is null)
        {
            throw new InvalidOperationException($"the uplinks were not Up within {ReadyWithin.TotalSeconds} s ({Seen}); internalhost said:\n{Words}");
        }
    }

    /// <summary>Ends it, and takes every fault away.</summary>
    public async Task EndDaemonAsync(CancellationToken ct)
    {
        if (_daemon is not null)
        {
            await _daemon.StopAsync(Grace);
            await _daemon.DisposeAsync();
            _daemon = null;
        }

        await _world.ClearAsync("all", ct);
        if (_world.FallsOver)
        {
            await Task.Delay(RouterReturns, _time, ct);
        }
    }

    public Task FaultAsync(CancellationToken ct, params string[] words) => _world.FaultAsync(ct, words);

    /// <summary>When the status first satisfied, by our clock; null: not within the limit.</summary>
    /// <exception cref="InvalidOperationException">The daemon has ended by itself.</exception>
    public async Task<Instant?> UntilAsync(Func<StatusReport, bool> satisfied, TimeSpan limit, CancellationToken ct)
    {
        var end = Instant.Now(_time) + limit;
        while (Instant.Now(_time) < end)
        {
            if (await AskAsync(ct) is { } status)
            {
                var at = Instant.Now(_time);
                Note($"{status.Uplinks.Primary.State} ({status.Uplinks.Primary.Reason})");
                if (satisfied(status))
                {
                    return at;
                }
            }

            if (_daemon!.Exited.IsCompleted)
            {
                throw new InvalidOperationException("internalhost has ended by itself:\n" + Words);
            }

            await Task.Delay(Look, _time, ct);
        }

        return null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null)
        {
            await _daemon.StopAsync(Grace);
            await _daemon.DisposeAsync();
        }

        await _world.DisposeAsync();
        _folder.Dispose();
    }

    private string Words => string.Join('\n', _said.TakeLast(20).Select(l => "  " + l));

    private void Note(string state)
    {
        if (!Seen.EndsWith(state, StringComparison.Ordinal))
        {
            Seen += Seen.Length == 0 ? state : " -> " + state;
        }
    }

    private async Task<StatusReport?> AskAsync(CancellationToken ct)
    {
        try
        {
            return (await ControlClient.AskAsync(_site.ControlSocket, new ControlRequest.Status(), _time, ct)).Status;
        }
        catch (ControlUnreachableException)
        {
            // Not up yet, or gone: whoever waits has a limit.
            return null;
        }
    }
}
