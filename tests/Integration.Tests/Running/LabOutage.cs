using System.Net;
using Common.Processes;
using Integration.Tests.Cloud;
using InternalHost.Control;
using InternalHost.Wan.Detection;
using Lab.Demo;
using Lab.World;
using Testing;

namespace Integration.Tests.Running;

/// <summary>
/// A whole site with the real programs in a lab network of its own, and what every outage must show. The product's own times would make
/// minutes of it: they are shortened.
/// </summary>
internal sealed class LabOutage : IAsyncDisposable
{
    public const Need Needed = Need.Ssh | Need.Sshd | Need.Root | Need.NetworkNamespaces | Need.Nft;

    /// <summary>For each thing that must come, however busy the machine is.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private const int InnerPort = 22;

    private static readonly DemoTimes Times = new(
        Pending: TimeSpan.FromSeconds(0.5), Boot: TimeSpan.FromSeconds(1), Stop: TimeSpan.FromSeconds(0.5), TellAfter: TimeSpan.Zero, StopAfter: TimeSpan.FromSeconds(2));

    private readonly RunFolder _folder = RunFolder.Make(keep: false);
    private readonly NamespaceDemoWorld _world;
    private readonly OwnPlace _place = new();
    private PamHost? _inner;
    private Cast _cast = null!;
    private DemoSite _site = null!;
    private StatusWatch _status = null!;
    private ProviderWatch _provider = null!;

    private LabOutage(NamespaceDemoWorld world) => _world = world;

    public Places Places => _world.Places;

    /// <summary>Both uplinks are Up, and nothing runs in the cloud.</summary>
    /// <param name="withLogins">The inside has an sshd on its LAN whose logins the daemon reads.</param>
    public static async Task<LabOutage> StartAsync(char wiring, BackupFamily backup, bool withLogins = false)
    {
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        var outage = new LabOutage(await NamespaceDemoWorld.StartAsync(wiring, fallsOver: false, launcher, TimeProvider.System, default, backup));
        try
        {
            await outage.SetUpAsync(launcher, withLogins);
            return outage;
        }
        catch
        {
            await outage.DisposeAsync();
            throw;
        }
    }

    /// <summary>The primary dies; returns when the owner has been told of a proven way in.</summary>
    public async Task<(StatusReport Status, string Told)> FallAsync(string reason)
    {
        await _world.CutPrimaryAsync(default);
        var down = await UntilAsync(s => s.Uplinks.Primary.State == UplinkState.Down);
        Assert.Equal(reason, down.Uplinks.Primary.Reason);
        var verified = await UntilAsync(s => s is { Controller.State: "Serving", Tunnel: { State: "verified" or "busy", VerifiedAgeS: not null } });
        using var limit = new CancellationTokenSource(Patience);
        var sms = await _cast.Phone.UntilAsync("open", limit.Token);
        Assert.Contains(_cast.Gateway.Connections, from => from.Address.Equals(_world.BackupSeen));
        return (verified, sms.Text);
    }

    /// <summary>The owner, elsewhere, types what the message says, and reads a file that is only inside.</summary>
    public async Task LogInAsync(string told)
    {
        using var limit = new CancellationTokenSource(Patience);
        var owner = new OwnerLogin(await _site.ClientConfigurationAsync(_world.Home, limit.Token), _world.Away);
        Assert.Equal(_site.Proof, await owner.RunAsync(OwnerLogin.CommandIn(told)!, ["cat", _site.InsideFile], limit.Token));
    }

    /// <summary>Somebody of the LAN comes to the inside itself; returns what is told of it.</summary>
    public async Task<string> LogInFromLanAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        var login = await _world.Lan.RunAsync(new ProcessSpec("ssh", [.. _inner!.SshOptions, $"alice@{_inner.Server.Address}", "true"]), limit.Token);
        Assert.True(login.Ok, login.Error);
        return (await _cast.Phone.UntilAsync("login", limit.Token)).Text;
    }

    /// <summary>The primary is back; returns when the provider has confirmed that the VM is stopped and the owner knows.</summary>
    public async Task ComeBackAsync()
    {
        await _world.RestorePrimaryAsync(default);
        await UntilAsync(s => s.Uplinks.Primary.State == UplinkState.Up);
        await UntilAsync(s => s is { Controller: { State: "Standby", Outage: null }, Alerts.Pending: 0 });
        using var limit = new CancellationTokenSource(Patience);
        await _cast.Phone.UntilAsync("closed", limit.Token);
        var life = _provider.All.Where(e => e.Event is "launch" or "stopped").Select(e => e.Event).ToList();
        Assert.Equal(Enumerable.Range(0, life.Count).Select(i => i % 2 == 0 ? "launch" : "stopped"), life);
        Assert.Equal("stopped", life[^1]);
        await _cast.EndAsync();
    }

    /// <summary>What <c>internalhost VERB --config</c> says, at home.</summary>
    public Task<ProcessResult> AtHomeAsync(params string[] words) =>
        _world.Home.RunAsync(Programs.InternalHost([.. words, "--config", _site.ConfigurationFile]), default);

    /// <summary>Any other fault of the lab.</summary>
    public Task FaultAsync(params string[] words) => _world.FaultAsync(default, words);

    public async Task<StatusReport> UntilAsync(Func<StatusReport, bool> satisfied)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            return await _status.UntilAsync(satisfied, limit.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"last status: {_status.Last}\n{_status.Last?.Uplinks}\n{_cast.LastLines("internalhost.log")}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_cast is not null)
        {
            await _cast.DisposeAsync();
        }

        if (_inner is not null)
        {
            await _inner.DisposeAsync();
        }

        await _world.DisposeAsync();
        _folder.Dispose();
        _place.Dispose();
    }

    private async Task SetUpAsync(IProcessLauncher launcher, bool withLogins)
    {
        var account = new TwilioAccount();
        _cast = await Cast.StartAsync(_world, _folder, account, TimeProvider.System);
        _site = await DemoSite.PrepareAsync(_folder, _world, DemoPorts.Find(), account, Times, launcher, default);
        var yaml = await File.ReadAllTextAsync(_site.ConfigurationFile);
        yaml = yaml.Replace("outage:\n", "outage:\n  confirm_after: 3s\n  recover_after: 3s\n", StringComparison.Ordinal);
        if (withLogins)
        {
            _inner = await PamHost.StartAsync(_place.Folder, _world.Home, new CancellationTokenSource(Patience).Token, new IPEndPoint(Places.Backup.Address!, InnerPort));
            yaml = yaml.Replace("logins: {log: none, spool: none}", $"logins: {{log: {_inner.LogFile}, spool: {_place.File("spool/bastion")}}}", StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(_site.ConfigurationFile, yaml);
        _status = new StatusWatch(_site.ControlSocket, TimeProvider.System);
        _provider = new ProviderWatch(Path.Combine(_site.CloudFolder, "provider.log"), TimeProvider.System);
        await _cast.StartHomeAsync(_site, _world, TimeProvider.System, default);
        await _cast.StartCloudAsync(_site, _world, default);
        _cast.StartDaemon(_site, _world);
        await UntilAsync(s => s is { Uplinks: { Primary.State: UplinkState.Up, Backup.State: UplinkState.Up }, Controller.State: "Standby" });
    }
}
