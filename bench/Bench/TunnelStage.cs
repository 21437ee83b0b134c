using System.Net;
using Common.Processes;
using Common.Time;
using InternalHost.Cloud.Local;
using InternalHost.Control;
using InternalHost.Wan.Detection;
using Lab.Demo;
using Lab.World;

namespace Bench;

/// <param name="Ours">Seconds from the VM's sshd listening to the verified tunnel.</param>
/// <param name="Rivals">The same for each rival; null: not within the limit.</param>
internal sealed record TunnelRunResult(double Ours, IReadOnlyDictionary<string, double?> Rivals);

/// <summary>A daemon, a local cloud and rivals that are called again and again.</summary>
internal sealed class TunnelStage : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RivalLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private readonly Cast _cast;
    private readonly DemoSite _site;
    private readonly LocalCloudClient _cloud;
    private readonly IReadOnlyList<Rival> _rivals;
    private readonly IPEndPoint _sshd;
    private readonly TimeProvider _time;

    private TunnelStage(Cast cast, DemoSite site, LocalCloudClient cloud, IReadOnlyList<Rival> rivals, IPEndPoint sshd, TimeProvider time) =>
        (_cast, _site, _cloud, _rivals, _sshd, _time) = (cast, site, cloud, rivals, sshd, time);

    public string OurVersion { get; private init; } = "";

    public string SshVersion { get; private init; } = "";

    public static async Task<TunnelStage> SetAsync(
        LoopbackDemoWorld world, RunFolder folder, DemoTimes times, IProcessLauncher launcher, TimeProvider time, CancellationToken ct)
    {
        var account = new TwilioAccount();
        var cast = await Cast.StartAsync(world, folder, account, time);
        try
        {
            var sshd = new IPEndPoint(world.Places.Bastion, DemoPorts.Bastion[0]);
            var rivals = await Rival.AllAsync(folder, sshd, launcher, time, ct);
            var site = await DemoSite.PrepareAsync(folder, world, DemoPorts.Find(), account, times, launcher, ct, [.. rivals.Select(r => r.AuthorizedKey)]);
            rivals = [.. rivals.Select(r => r.Pinned(site.HostKey))];
            await cast.StartHomeAsync(site, world, time, ct);
            await cast.StartCloudAsync(site, world, ct);
            cast.StartDaemon(site, world);
            var cloud = new LocalCloudClient(Path.Combine(site.CloudFolder, "cloud.sock"), time);
            var version = await launcher.RunAsync(new ProcessSpec("ssh", ["-V"]), ct);
            var stage = new TunnelStage(cast, site, cloud, rivals, sshd, time)
            {
                OurVersion = $"internalhost {typeof(ControlClient).Assembly.GetName().Version}",
                SshVersion = version.Error.Trim(),
            };
            await stage.StatusAsync(s => s.Uplinks.Backup.State == UplinkState.Up && s.Uplinks.Primary.State == UplinkState.Up, ct);
            return stage;
        }
        catch
        {
            await cast.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the VM in this mode, waits for everybody's tunnel, stops it.</summary>
    public async Task<TunnelRunResult> PlayAsync(string modes, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Limit);
        try
        {
            return await PlayAsync(modes, limit, ct);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new InvalidOperationException($"not within {Limit.TotalSeconds} s in mode {modes}; internalhost said:\n{_cast.LastLines("internalhost.log")}", e);
        }
    }

    private async Task<TunnelRunResult> PlayAsync(string modes, CancellationTokenSource limit, CancellationToken ct)
    {
        await _cloud.SetModeAsync(modes, limit.Token);
        var seen = (await LogAsync(limit.Token)).Count;
        await AskAsync(new ControlRequest.Open(TimeSpan.FromMinutes(30)), limit.Token);
        await EntryAsync(seen, e => e.Event == "launch", limit.Token);
        using var rivalry = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var rivals = _rivals.Select(r => r.RunAsync(rivalry.Token)).ToList();
        var ours = await OursAsync(seen, modes.Contains("after_", StringComparison.Ordinal), limit.Token);
        rivalry.CancelAfter(RivalLimit);
        var reached = await Task.WhenAll(rivals);
        await AskAsync(new ControlRequest.Close(), limit.Token);
        await EntryAsync(seen, e => e.Event == "stopped", limit.Token);
        await StatusAsync(s => s.Controller.State == "Standby", limit.Token);
        return new TunnelRunResult(
            (ours.Verified - ours.Listens).TotalSeconds,
            _rivals.Zip(reached).ToDictionary(p => p.First.Name, p => p.Second is { } at ? (at - ours.Listens).TotalSeconds : (double?)null, StringComparer.Ordinal));
    }

    public ValueTask DisposeAsync() => _cast.DisposeAsync();

    /// <summary>When the VM's sshd listened for good, and when the daemon first said "verified" after that.</summary>
    private async Task<(Instant Listens, Instant Verified)> OursAsync(int seen, bool restarts, CancellationToken ct)
    {
        var booted = await EntryAsync(seen, e => e.Event == "booted", ct);
        var listens = FromSeconds(booted.T);
        if (restarts)
        {
            // Whoever comes first makes it restart; what was verified before that does not count.
            await EntryAsync(seen, e => e.Event == "sshd_ended", ct);
            await WhileAsync(() => ListeningSockets.Has(_sshd), ct);
            await WhileAsync(() => !ListeningSockets.Has(_sshd), ct);
            listens = Instant.Now(_time);
        }

        while (true)
        {
            var status = await StatusAsync(s => s.Tunnel is { State: "verified" or "busy", VerifiedAgeS: not null }, ct);
            var proven = Instant.Now(_time) - TimeSpan.FromSeconds(status.Tunnel.VerifiedAgeS!.Value);
            if (proven + TimeSpan.FromSeconds(0.1) > listens)
            {
                return (listens, Instant.Now(_time));
            }

            await Task.Delay(Look, _time, ct);
        }
    }

    private async Task WhileAsync(Func<bool> so, CancellationToken ct)
    {
        while (so())
        {
            await Task.Delay(Look, _time, ct);
        }
    }

    private async Task<IReadOnlyList<ProviderLogEntry>> LogAsync(CancellationToken ct) => (await _cloud.CallAsync(new("log"), ct)).Log ?? [];

    private async Task<ProviderLogEntry> EntryAsync(int after, Func<ProviderLogEntry, bool> satisfies, CancellationToken ct)
    {
        while (true)
        {
            if ((await LogAsync(ct)).Skip(after).FirstOrDefault(satisfies) is { } found)
            {
                return found;
            }

            await Task.Delay(Look, _time, ct);
        }
    }

    private async Task<StatusReport> StatusAsync(Func<StatusReport, bool> satisfied, CancellationToken ct)
    {
        while (true)
        {
            if (await StatusOnceAsync(ct) is { } status && satisfied(status))
            {
                return status;
            }

            if (_cast.Daemon.Exited.IsCompleted)
            {
                throw new InvalidOperationException("internalhost has ended by itself:\n" + _cast.LastLines("internalhost.log"));
            }

            await Task.Delay(Look, _time, ct);
        }
    }

    private async Task<StatusReport?> StatusOnceAsync(CancellationToken ct)
    {
        try
        {
            return (await ControlClient.AskAsync(_site.ControlSocket, new ControlRequest.Status(), _time, ct)).Status;
        }
        catch (ControlUnreachableException)
        {
            return null;
        }
    }

    private async Task AskAsync(ControlRequest request, CancellationToken ct)
    {
        var reply = await ControlClient.AskAsync(_site.ControlSocket, request, _time, ct);
        if (!reply.Ok)
        {
            throw new InvalidOperationException($"internalhost refused {request}: {reply.Error}");
        }
    }

    private static Instant FromSeconds(double monotonic) => new(TimeSpan.FromSeconds(monotonic).Ticks);
}
