using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Common.Processes;
using Common.Sync;
using InternalHost.Control;
using InternalHost.Wan.Detection;
using Lab.Demo;
using Lab.Net;
using Lab.World;
using Testing;

namespace Integration.Tests.Packages;

/// <summary>
/// Both programs in one outage: the daemon at home, and a bastion as its package and <c>bastion install</c> make it, with its accounts, its
/// hook, its firewall and its agent. Between them nothing is played but the line.
/// </summary>
[Collection(nameof(InstalledBox))]
public sealed class WholeOutageTests(InstalledBox world) : HardenedTests(world)
{
    private const int Port = 49022;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [NeedsFact(InstalledBox.Needed)]
    public async Task Person_comes_in_is_told_of_outlives_a_killed_daemon_and_keeps_the_way_open()
    {
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        using var folder = RunFolder.Make(keep: false);
        await using var lines = await LoopbackDemoWorld.StartAsync([], launcher, TimeProvider.System);
        await using var door = new Door(new IPEndPoint(lines.Places.BastionBehind, Port), Box.Away, IPEndPoint.Parse($"{HardenedBox.Address}:{Port}"));
        var account = new TwilioAccount();
        await using var cast = await Cast.StartAsync(lines, folder, account, TimeProvider.System);
        var site = await DemoSite.PrepareAsync(folder, lines, DemoPorts.Find(), account, DemoTimes.Default, launcher, default);
        folder.Secret("secrets/telegram_token", HardenedBox.Token + "\n");
        await ConfigureAsync(site, lines);
        await cast.StartHomeAsync(site, lines, TimeProvider.System, default);
        var told = await Host.NewAgentAsync();
        cast.StartDaemon(site, lines);
        var status = new StatusWatch(site.ControlSocket, TimeProvider.System);
        await UntilAsync(s => s is { Controller.State: "Standby", Uplinks: { Primary.State: UplinkState.Up, Backup.Usable: Usable.Yes } });

        await lines.CutPrimaryAsync(default);
        var served = await UntilAsync(s => s is { Controller.State: "Serving", Tunnel.VerifiedAgeS: not null, People: { Bundle: not null, Refusal: null } });
        Assert.Contains(served.Tunnel.Forwards, f => f is { Name: "ssh", Port: 22001, State: "open" });

        var config = await ClientAsync(site, folder, launcher);
        Assert.Equal(site.Proof, await ReadAsync(config, site));
        await Host.ToldAsync(told, "alice");
        // Who comes from the site's own account is known by its key, so nobody hears of the tunnel.
        Assert.DoesNotContain(Host.Chat.Requests.Skip(told), r => r.Body.Contains("site-home", StringComparison.Ordinal));

        var alice = Box.StayAway("ssh", "-F", config, "-o", "BatchMode=yes", DemoSite.Name, "sleep", "1000");
        await UntilAsync(s => s.Sessions.Count == 1);

        // Its ports are still held by a connection that nobody ended: the newest login wins.
        using (var daemon = Process.GetProcessById(cast.Daemon.Pid))
        {
            daemon.Kill();
        }

        await cast.Daemon.Exited;
        cast.StartDaemon(site, lines);
        status = new StatusWatch(site.ControlSocket, TimeProvider.System);   // nothing of what the dead one said
        await UntilAsync(s => s is { Controller.State: "Serving", Tunnel.VerifiedAgeS: not null, People: { Bundle: not null, Refusal: null } });
        await alice.StopAsync();
        Assert.Equal(site.Proof, await ReadAsync(config, site));

        // The primary is back, and somebody is in.
        alice = Box.StayAway("ssh", "-F", config, "-o", "BatchMode=yes", DemoSite.Name, "sleep", "1000");
        await UntilAsync(s => s.Sessions.Count == 1);
        await lines.RestorePrimaryAsync(default);
        await UntilAsync(s => s is { Controller.State: "Draining", Uplinks.Primary.State: UplinkState.Up, Sessions.Count: 1 });
        await Task.Delay(DemoTimes.Default.StopAfter * 2);
        var kept = await UntilAsync(_ => true);
        Assert.Equal("Draining", kept.Controller.State);
        await alice.StopAsync();
        await UntilAsync(s => s is { Controller: { State: "Standby", Outage: null } });
        Assert.False((await Box.AwayAsync("ssh", "-F", config, "-o", "BatchMode=yes", DemoSite.Name, "true")).Ok);
        await cast.Daemon.StopAsync(Patience);

        Assert.Contains("\"ok\":true", await Host.PushAsync(new Bundle(Bundle.CurrentFormat, "home", kept.People!.Bundle!.Value + 1)), StringComparison.Ordinal);
        await NothingToChangeAsync();

        async Task<StatusReport> UntilAsync(Func<StatusReport, bool> satisfied)
        {
            using var limit = new CancellationTokenSource(Patience);
            try
            {
                return await status.UntilAsync(satisfied, limit.Token);
            }
            catch (OperationCanceledException e)
            {
                var agent = await Box.TryAsync("journalctl", "-b", "-n", "60", "--no-pager");
                throw new TimeoutException($"last status: {status.Last}\n{status.Last?.Tunnel}\n{status.Last?.People}\n{cast.LastLines("internalhost.log")}\n{agent.Output}", e);
            }
        }
    }

    /// <summary>As docs/host.md says it is done for a bastion that always runs.</summary>
    private async Task ConfigureAsync(DemoSite site, LoopbackDemoWorld lines)
    {
        var yaml = await File.ReadAllTextAsync(site.ConfigurationFile);
        var (from, to) = (yaml.IndexOf("bastion:\n", StringComparison.Ordinal), yaml.IndexOf("services:\n", StringComparison.Ordinal));
        var hostKey = (await Box.RunAsync("cat", "/etc/ssh/ssh_host_ed25519_key.pub")).Trim();
        yaml = $$"""
            {{yaml[..from]}}bastion:
              cloud: static
              address: {{lines.Places.BastionBehind}}
              ports: [{{Port}}]
              key: {{Host.KeyFile("site")}}
              host_keys: ["{{hostKey}}"]

            {{yaml[to..]}}
            """;
        yaml = yaml.Replace($"people:\n  {DemoSite.Person}:\n", "people:\n  alice:\n", StringComparison.Ordinal)
            .Replace("messages:\n", $"messages:\n  order: [telegram, sms]\n  telegram: {{chat: 42, base_url: \"http://{HardenedBox.ChatAt}\", secret: telegram_token}}\n", StringComparison.Ordinal)
            .Replace("outage:\n", "outage:\n  confirm_after: 3s\n  recover_after: 3s\n", StringComparison.Ordinal);
        await File.WriteAllTextAsync(site.ConfigurationFile, yaml);
    }

    private static async Task<string> ClientAsync(DemoSite site, RunFolder folder, IProcessLauncher launcher)
    {
        var owner = folder.Folder("owner");
        var result = await launcher.RunAsync(
            Programs.InternalHost("ssh-config", "alice", "--config", site.ConfigurationFile, "--address", HardenedBox.Address, "--identity", site.OwnerKey, "--out", owner), default);
        Assert.True(result.Ok, result.Error);
        return Path.Combine(owner, $"{DemoSite.Name}.conf");
    }

    private async Task<string> ReadAsync(string config, DemoSite site)
    {
        var result = await Box.AwayAsync("ssh", "-F", config, "-o", "BatchMode=yes", DemoSite.Name, "cat", site.InsideFile);
        return result.Ok ? result.Output.Trim() : throw new InvalidOperationException($"{result.Error}\n{await Box.RunAsync("journalctl", "-b", "-n", "60", "--no-pager")}");
    }

    /// <summary>The line between the two networks: accepts in this one, connects in the other.</summary>
    private sealed class Door(IPEndPoint at, string network, IPEndPoint target) : IAsyncDisposable
    {
        private readonly TcpLoop _loop = new(
            async (near, ct) =>
            {
                using var socket = await NetworkNamespace.RunAsync(network, () =>
                {
                    var made = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                    made.Connect(target);
                    return made;
                });
                await using var far = new NetworkStream(socket);
                await Task.WhenAny(near.CopyToAsync(far, ct), far.CopyToAsync(near, ct));
            },
            at);

        public ValueTask DisposeAsync() => _loop.DisposeAsync();
    }
}
