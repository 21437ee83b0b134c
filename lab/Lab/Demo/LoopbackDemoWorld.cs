using System.Net;
using Common.Processes;
using Lab.World;
using Microsoft.AspNetCore.Http;

namespace Lab.Demo;

/// <summary>For everybody: uplinks are source addresses on lo, and relays are the lines.</summary>
internal sealed class LoopbackDemoWorld(LoopbackWorld world, bool direct, IProcessLauncher launcher) : IDemoWorld
{
    private TlsServer? _gateway;

    public string Description => $"loopback {world.Block}: two source addresses behind relays";

    public Places Places { get; } = new(
        new UplinkPlace("lo", world.Block.Primary),
        new UplinkPlace("lo", world.Block.Backup),
        world.Servers,
        world.Gateway,
        direct ? world.BastionBehind : world.BastionAddress,
        world.BastionBehind,
        world.Block.Address(30));

    public IPAddress BackupSeen => world.Block.Backup;

    public IReadOnlyList<string> SshdConfiguration => [];

    public IProcessLauncher Home => launcher;

    public IProcessLauncher Cloud => launcher;

    public IProcessLauncher Away => launcher;

    /// <param name="bastionPorts">None: no relays stand before the VM, so that its ports do while it boots what they really do.</param>
    public static async Task<LoopbackDemoWorld> StartAsync(IReadOnlyList<int> bastionPorts, IProcessLauncher launcher, TimeProvider time)
    {
        var world = await LoopbackWorld.StartAsync(time);
        foreach (var port in bastionPorts)
        {
            world.Relay(new IPEndPoint(world.BastionAddress, port), followTarget: true);
        }

        return new LoopbackDemoWorld(world, bastionPorts.Count == 0, launcher);
    }

    public void WriteRoot(string path) => world.WriteRoot(path);

    public async Task<TlsServer> ServeGatewayAsync(RequestDelegate respond)
    {
        var certificate = world.Issue(WorldServers.GatewayName, $"{world.Gateway.Address}");
        _gateway = await TlsServer.StartAsync(world.Behind(world.Gateway), certificate, respond);
        world.Relay(world.Gateway);
        return _gateway;
    }

    public Task CutPrimaryAsync(CancellationToken ct)
    {
        world.Primary.Dark = true;
        return Task.CompletedTask;
    }

    public Task RestorePrimaryAsync(CancellationToken ct)
    {
        world.Primary.Dark = false;
        return Task.CompletedTask;
    }

    public Task<(long Up, long Down)> BackupBytesAsync(CancellationToken ct) => Task.FromResult((world.Backup.BytesUp, world.Backup.BytesDown));

    public async ValueTask DisposeAsync()
    {
        await world.DisposeAsync();
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }
    }
}
