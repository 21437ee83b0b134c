using System.Collections.Concurrent;
using Common.Processes;
using InternalHost.Cloud.Local;
using InternalHost.Control;
using InternalHost.Wan.Detection;
using Lab.Clouds;
using Lab.Demo;
using Lab.World;
using Testing;

namespace Integration.Tests.Cloud.Ec2;

/// <summary>The whole daemon lives an outage with EC2's stand-in as its cloud, and a real sshd and agent as the machine behind it.</summary>
public sealed class Ec2OutageTests
{
    /// <summary>For each thing that must come, however busy the machine is.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static readonly DemoTimes Times = new(
        Pending: TimeSpan.Zero, Boot: TimeSpan.FromSeconds(1), Stop: TimeSpan.Zero, TellAfter: TimeSpan.Zero, StopAfter: TimeSpan.FromSeconds(2));

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task From_cut_to_all_clear_one_machine_runs_and_is_stopped_in_the_end()
    {
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        using var folder = RunFolder.Make(keep: false);
        await using var world = await LoopbackDemoWorld.StartAsync([], launcher, TimeProvider.System);
        var account = new TwilioAccount();
        await using var cast = await Cast.StartAsync(world, folder, account, TimeProvider.System);
        var site = await DemoSite.PrepareAsync(folder, world, DemoPorts.Find(), account, Times, launcher, default);
        await using var ec2 = await Ec2StandIn.StartAsync();
        ec2.Behaviour = new Ec2Behaviour { AddressesOf = _ => [.. world.Places.BastionAddresses], PendingFor = TimeSpan.FromSeconds(0.5), StoppingFor = TimeSpan.FromSeconds(0.5) };
        var id = ec2.Make(DemoSite.Name);
        ec2.Trouble("StartInstances", new CloudTrouble.HalfReply());
        ec2.Trouble("StopInstances", new CloudTrouble.Error("RequestLimitExceeded", 503));
        await ConfigureAsync(site, folder, ec2.Url);
        await cast.StartHomeAsync(site, world, TimeProvider.System, default);
        await cast.StartCloudAsync(site, world, default);
        await using var hardware = new Hardware(ec2, new LocalCloudClient(Path.Combine(site.CloudFolder, LocalCloudServer.SocketName), TimeProvider.System));
        var status = new StatusWatch(site.ControlSocket, TimeProvider.System);

        cast.StartDaemon(site, world);
        await UntilAsync(s => s is { Uplinks: { Primary.State: UplinkState.Up, Backup.State: UplinkState.Up }, Controller.State: "Standby" });
        await world.CutPrimaryAsync(default);
        await UntilAsync(s => s is { Controller.State: "Serving", Tunnel.State: "verified" or "busy" });
        using var limit = new CancellationTokenSource(Patience);
        await cast.Phone.UntilAsync("open", limit.Token);
        var asked = ec2.Requests.Where(r => r.Action == "StartInstances").ToList();
        await world.RestorePrimaryAsync(default);
        await UntilAsync(s => s is { Controller: { State: "Standby", Outage: null }, Alerts.Pending: 0 });
        await cast.EndAsync();

        Assert.NotEmpty(asked);
        Assert.All(asked, r => Assert.Equal(world.BackupSeen, r.From));
        Assert.Equal(("stopped", 1, 1), (ec2.Machine(id).State, ec2.Made, ec2.MostRunning));
        Assert.Empty(hardware.Failures);

        async Task UntilAsync(Func<StatusReport, bool> satisfied)
        {
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                await status.UntilAsync(satisfied, patience.Token);
            }
            catch (OperationCanceledException e)
            {
                throw new TimeoutException($"last status: {status.Last}\n{cast.LastLines("internalhost.log")}\n{string.Join('\n', ec2.Requests.TakeLast(10))}", e);
            }
        }
    }

    private static async Task ConfigureAsync(DemoSite site, RunFolder folder, Uri endpoint)
    {
        folder.Secret("secrets/aws", $"[default]\naws_access_key_id = {Ec2StandIn.KeyId}\naws_secret_access_key = {Ec2StandIn.Secret}\n");
        var yaml = await File.ReadAllTextAsync(site.ConfigurationFile);
        var (from, to) = (yaml.IndexOf("  cloud: local", StringComparison.Ordinal), yaml.IndexOf("  ports: [", StringComparison.Ordinal));
        var ec2 = $"  cloud: ec2\n  region: {Ec2Desk.Region}\n  secret: aws\n  endpoint: {endpoint}\n  sync: none\n";
        await File.WriteAllTextAsync(
            site.ConfigurationFile, $"{yaml[..from]}{ec2}{yaml[to..]}".Replace("outage:\n", "outage:\n  confirm_after: 3s\n  recover_after: 3s\n", StringComparison.Ordinal));
    }

    /// <summary>What EC2 switches on and off: the VM of a local cloud, one order after the other.</summary>
    private sealed class Hardware : IAsyncDisposable
    {
        private readonly BlockingCollection<string> _orders = [];
        private readonly Task _working;

        public Hardware(Ec2StandIn ec2, LocalCloudClient machine)
        {
            ec2.Changed += m => Order(m.State);
            _working = Task.Run(async () =>
            {
                foreach (var order in _orders.GetConsumingEnumerable())
                {
                    try
                    {
                        await machine.InstanceAsync(order, CancellationToken.None);
                    }
                    catch (Exception e)
                    {
                        Failures.Enqueue(e);
                    }
                }
            });
        }

        public ConcurrentQueue<Exception> Failures { get; } = new();

        public async ValueTask DisposeAsync()
        {
            _orders.CompleteAdding();
            await _working;
            _orders.Dispose();
        }

        private void Order(string state)
        {
            if (state is "pending" or "stopping")
            {
                _orders.Add(state == "pending" ? "start" : "stop");
            }
        }
    }
}
