using System.Collections.Concurrent;
using System.Net;
using Common.Processes;
using InternalHost.Cloud.Local;
using InternalHost.Control;
using InternalHost.Wan.Detection;
using Lab.Demo;
using Lab.World;
using Testing;

namespace Integration.Tests.Running;

public sealed class AlwaysOnTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>Issue 3: nobody ever asked it.</summary>
    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Bastion_that_always_runs_is_asked_by_the_daemon_to_prove_itself_and_no_login_is_tried()
    {
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        using var folder = RunFolder.Make(keep: false);
        await using var world = await LoopbackDemoWorld.StartAsync([], launcher, TimeProvider.System);
        var account = new TwilioAccount();
        await using var cast = await Cast.StartAsync(world, folder, account, TimeProvider.System);
        var site = await DemoSite.PrepareAsync(folder, world, DemoPorts.Find(), account, DemoTimes.Default, launcher, default);
        var yaml = await File.ReadAllTextAsync(site.ConfigurationFile);
        var (from, to) = (yaml.IndexOf("  cloud: local", StringComparison.Ordinal), yaml.IndexOf("  ports: [", StringComparison.Ordinal));
        await File.WriteAllTextAsync(site.ConfigurationFile, $"{yaml[..from]}  cloud: static\n  sync: none\n  address: {world.Places.Bastion}\n{yaml[to..]}");
        var said = new ConcurrentQueue<string>();
        var options = new PrivateSshdOptions(
            Path.Combine(site.CloudFolder, "sshd"), [.. DemoPorts.Bastion.Select(p => new IPEndPoint(world.Places.BastionBehind, p))], [])
        { OnLogLine = said.Enqueue };
        await using var sshd = await PrivateSshd.StartAsync(options, launcher, TimeProvider.System, default);

        cast.StartDaemon(site, world);

        using var limit = new CancellationTokenSource(Patience);
        await new StatusWatch(site.ControlSocket, TimeProvider.System).UntilAsync(s => s.Uplinks.Primary.State == UplinkState.Up, limit.Token);
        while (!said.Any(l => l.Contains($" {world.Places.Primary!.Address} ", StringComparison.Ordinal) && l.Contains("[preauth]", StringComparison.Ordinal)))
        {
            await Task.Delay(50, limit.Token);
        }

        Assert.DoesNotContain(said, l => l.Contains("Accepted", StringComparison.Ordinal));
        await cast.Daemon.StopAsync(Patience);
    }
}
