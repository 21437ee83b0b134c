using System.Globalization;
using System.Net;
using Common.Processes;
using InternalHost.Cloud.Local;
using InternalHost.Control;
using InternalHost.Wan.Detection;
using Lab.World;

namespace Lab.Demo;

/// <summary>One outage from cut to all-clear. Every step checks what really happened, and the next one begins only then.</summary>
internal sealed class Story(IDemoWorld world, RunFolder folder, Timeline timeline, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    /// <summary>By which uplink the primary leaves is proven once a minute.</summary>
    private static readonly TimeSpan EgressPatience = TimeSpan.FromSeconds(100);

    /// <summary>A Python program that loads slowly.</summary>
    private static readonly TimeSpan MotoPatience = TimeSpan.FromMinutes(10);

    private readonly TwilioAccount _account = new();
    private readonly DemoTimes _times = DemoTimes.Default;
    private readonly Moments _moments = new();
    private readonly StepLedger _steps = new(
        timeline,
        "ready", "primary_down", "vm_running", "tunnel_verified", "owner_told", "login", "login_told",
        "primary_up", "vm_stopped", "all_clear_told", "one_start_one_stop", "ended");

    private DemoEc2? _ec2;
    private Cast? _cast;
    private DemoSite _site = null!;
    private StatusWatch _status = null!;
    private ProviderWatch _provider = null!;

    /// <summary>The provider is moto's EC2.</summary>
    public bool OnEc2 { get; init; }

    /// <returns>True when every step was verified.</returns>
    public async Task<bool> PlayAsync(CancellationToken ct)
    {
        try
        {
            await GetReadyAsync(ct);
            await FallAsync(ct);
            await GetInAsync(ct);
            await ComeBackAsync(ct);
            await EndAsync(ct);
        }
        catch (StoryEndedException)
        {
            Explain();
        }

        Summary.Print(_steps.Results, _moments);
        timeline.Event(
            "summary",
            _steps.AllOk ? "every step was verified" : "NOT every step was verified",
            ("ok", _steps.AllOk),
            ("steps", _steps.Results.Select(s => new { name = s.Name, ok = s.Ok, seconds = s.Seconds is { } seconds ? Math.Round(seconds, 3) : (double?)null })));
        return _steps.AllOk;
    }

    public async ValueTask DisposeAsync()
    {
        if (_cast is not null)
        {
            await _cast.DisposeAsync();
        }

        if (_ec2 is not null)
        {
            await _ec2.DisposeAsync();
        }
    }

    /// <summary>The site's configuration names EC2, and what moto accepts happens to the VM.</summary>
    private async Task MoveToEc2Async(CancellationToken ct)
    {
        _ec2 = await DemoEc2.StartAsync(folder, world, ct);
        var yaml = await File.ReadAllTextAsync(_site.ConfigurationFile, ct);
        var (from, to) = (yaml.IndexOf("  cloud: local", StringComparison.Ordinal), yaml.IndexOf("  ports: [", StringComparison.Ordinal));
        await File.WriteAllTextAsync(_site.ConfigurationFile, yaml[..from] + _ec2.Yaml + yaml[to..], ct);
        timeline.Say("the provider is an EC2 of somebody else's (moto_server), which checks each signature and the daemon's policy");
    }

    private Task GetReadyAsync(CancellationToken ct) => _steps.RunAsync("ready", "both uplinks up", OnEc2 ? MotoPatience : Patience, async limit =>
    {
        _cast = await Cast.StartAsync(world, folder, _account, time);
        _site = await DemoSite.PrepareAsync(folder, world, DemoPorts.Find(), _account, _times, new SystemProcessLauncher(time), limit);
        _status = new StatusWatch(_site.ControlSocket, time);
        _provider = new ProviderWatch(Path.Combine(_site.CloudFolder, "provider.log"), time);
        if (OnEc2)
        {
            await MoveToEc2Async(limit);
        }

        await _cast.StartHomeAsync(_site, world, time, limit);
        await _cast.StartCloudAsync(_site, world, limit);
        _ec2?.Embody(new LocalCloudClient(Path.Combine(_site.CloudFolder, LocalCloudServer.SocketName), time));
        _cast.StartDaemon(_site, world);
        await StatusAsync(s => s is { Uplinks: { Primary.State: UplinkState.Up, Backup.State: UplinkState.Up }, Controller.State: "Standby" }, limit);
        timeline.Event("ready", "both uplinks are up, the VM is stopped");
    }, ct);

    private async Task FallAsync(CancellationToken ct)
    {
        await world.CutPrimaryAsync(ct);
        _moments.Cut = timeline.Event("primary_cut", "the primary is cut: nothing comes back, the carrier stays");
        if (world.FallsOver)
        {
            timeline.Say("the router notices, and sends its traffic by the backup: everything answers, from the wrong address");
        }

        await _steps.RunAsync("primary_down", "verdict on the primary", world.FallsOver ? EgressPatience : Patience, async limit =>
        {
            var status = await StatusAsync(s => s.Uplinks.Primary.State == UplinkState.Down, limit);
            var at = timeline.Now - (status.Uplinks.Primary.SinceS ?? 0);
            _moments.Down = timeline.Event(at, "primary_down", $"internalhost says: down ({status.Uplinks.Primary.Reason})", ("reason", status.Uplinks.Primary.Reason));
            Check(!world.FallsOver || status.Uplinks.Primary.Reason == Reasons.Egress, "the router fell over, and that was not the reason");
        }, ct);
        await _steps.RunAsync("vm_running", "the VM boots", Patience, async limit =>
        {
            var call = await _provider.UntilAsync(e => e is { Event: "call", Op: "start" }, limit);
            _moments.StartCall = timeline.Event(timeline.At(call.T), "vm_start", "start call at the provider");
            var running = await _provider.UntilAsync(e => e.Event == "running", limit);
            timeline.Event(timeline.At(running.T), "vm_running", "the provider says: running", ("address", $"{world.Places.Bastion}"));
            _moments.Booted = timeline.At((await _provider.UntilAsync(e => e.Event == "booted", limit)).T);
            timeline.Say(string.Create(CultureInfo.InvariantCulture, $"the VM's sshd listens since {_moments.Booted:F2} s"));
        }, ct);
        await _steps.RunAsync("tunnel_verified", "the tunnel", Patience, async limit =>
        {
            var status = await StatusAsync(s => s.Tunnel is { State: "verified" or "busy", VerifiedAgeS: not null }, limit);
            _moments.Verified = timeline.Event("tunnel_verified", "a nonce has gone through the bastion and back", ("address", status.Tunnel.Address));
        }, ct);
    }

    private async Task GetInAsync(CancellationToken ct)
    {
        var command = await _steps.RunAsync("owner_told", "a text message", Patience, async limit =>
        {
            var sms = await ArrivedAsync("open", limit);
            _moments.Told = timeline.At(sms.Message.At);
            Check(sms.Text.StartsWith(DemoSite.Name + ":", StringComparison.Ordinal), $"the text does not begin with the site: {sms.Text}");
            Check(sms.Message.To == DemoSite.OwnerNumber, "the text went to another number");
            Check(_cast!.Gateway.Connections.Any(from => from.Address.Equals(world.BackupSeen)), "the message did not come by the backup");
            var typed = OwnerLogin.CommandIn(sms.Text) ?? throw new StepFailedException($"the text has no command to type: {sms.Text}");
            Check(typed.Any(w => w.Contains($"@{world.Places.Bastion}:", StringComparison.Ordinal)), $"the text names another address than the VM's: {sms.Text}");
            return typed;
        }, ct);
        await _steps.RunAsync("login", "the owner logs in", Patience, async limit =>
        {
            var owner = new OwnerLogin(await _site.ClientConfigurationAsync(world.Home, limit), world.Away);
            var said = await owner.RunAsync(command, ["cat", _site.InsideFile], limit);
            Check(said == _site.Proof, $"another machine answered: {said}");
            var seen = BastionLogin.LastIn(_site.BastionLogFile, _site.OwnerFingerprint) ?? throw new StepFailedException("the VM's sshd has no record of this login");
            _moments.Login = timeline.Event(
                timeline.Now - (time.GetUtcNow() - seen.At).TotalSeconds,
                "login",
                $"the owner is in, by: ssh {string.Join(' ', command)}",
                ("id", "1"), ("host", "bastion"), ("user", seen.User), ("from", seen.From));
        }, ct);
        await _steps.RunAsync("login_told", "a text message", Patience, async limit =>
        {
            var sms = await ArrivedAsync("login", limit, ("login_id", "1"));
            _moments.LoginTold = timeline.At(sms.Message.At);
            Check(sms.Text.Contains(DemoSite.Person, StringComparison.Ordinal), $"the text does not name who: {sms.Text}");
        }, ct);
    }

    private async Task ComeBackAsync(CancellationToken ct)
    {
        await world.RestorePrimaryAsync(ct);
        _moments.Restored = timeline.Event("primary_restored", "the primary is restored");
        await _steps.RunAsync("primary_up", "20 s of good rounds", world.FallsOver ? EgressPatience : Patience, async limit =>
        {
            await StatusAsync(s => s.Uplinks.Primary.State == UplinkState.Up, limit);
            _moments.Up = timeline.Event("primary_up", "internalhost says: up");
        }, ct);
        await _steps.RunAsync("vm_stopped", "nobody is there any more; the VM stops", Patience, async limit =>
        {
            var stopped = await _provider.UntilAsync(e => e.Event == "stopped", limit);
            _moments.Stopped = timeline.Event(timeline.At(stopped.T), "vm_stopped", "the provider confirms: stopped");
            await StatusAsync(s => s.Controller.State == "Standby", limit);
        }, ct);
        await _steps.RunAsync("all_clear_told", "a text message", Patience, limit => ArrivedAsync("closed", limit), ct);
    }

    private async Task EndAsync(CancellationToken ct)
    {
        await _steps.RunAsync("one_start_one_stop", "the provider's own record", Patience, async limit =>
        {
            var log = _provider.All;
            Check(log.Count(e => e.Event == "launch") == 1, $"{log.Count(e => e.Event == "launch")} launches in the provider's log");
            Check(log.Count(e => e.Event == "stopped") == 1, $"{log.Count(e => e.Event == "stopped")} stops in the provider's log");
            if (_ec2 is not null && await _ec2.ComplaintAsync(world, limit) is { } complaint)
            {
                throw new StepFailedException(complaint);
            }
        }, ct);
        _moments.Bytes = await world.BackupBytesAsync(ct);
        await _steps.RunAsync("ended", "the programs end", Patience, _ => _cast!.EndAsync(), ct);
    }

    private async Task<StatusReport> StatusAsync(Func<StatusReport, bool> satisfied, CancellationToken ct)
    {
        var waiting = _status.UntilAsync(satisfied, ct);
        return await Task.WhenAny(waiting, _cast!.Daemon.Exited) == waiting
            ? await waiting
            : throw new StepFailedException($"internalhost has ended by itself (exit status {(await _cast.Daemon.Exited).Code})");
    }

    private async Task<Sms> ArrivedAsync(string kind, CancellationToken ct, params (string Key, object? Value)[] more)
    {
        var sms = await _cast!.Phone.UntilAsync(kind, ct);
        timeline.Event(timeline.At(sms.Message.At), "sms_sent", $"SMS: {sms.Text}", [("kind", kind), ("to", sms.Message.To), ("text", sms.Text), .. more]);
        return sms;
    }

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new StepFailedException(otherwise);
        }
    }

    /// <summary>What a reader needs who has only this screen.</summary>
    private void Explain()
    {
        if (_cast is null)
        {
            return;
        }

        timeline.Say("what internalhost said last:\n" + _cast.LastLines("internalhost.log"));
        timeline.Say("what the VM's agent said last:\n" + _cast.LastLines("cloud/agent.log"));
        timeline.Say("what the VM's sshd said last:\n" + _cast.LastLines("cloud/sshd/sshd.log"));
    }
}
