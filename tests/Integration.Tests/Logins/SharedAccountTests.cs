using System.Net.Sockets;
using System.Threading.Channels;
using Common.Processes;
using Common.Time;
using Integration.Tests.Cloud;
using InternalHost.Configuration;
using InternalHost.Tunnel;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Integration.Tests.Logins;

/// <summary>Two machines with one site's key, on a real sshd with PAM and the hook: the newest login wins, again and again, and nobody yields.</summary>
public sealed class SharedAccountTests
{
    private const Need Needed = Need.Root | Need.Sshd | Need.Ssh;
    private const string TakenOver = "site-home was taken over 3 times in 5 min: another machine has its key";

    /// <summary>The product's pace, fifteen times as fast.</summary>
    private static readonly TunnelPolicy Policy = new()
    {
        StableAfter = TimeSpan.FromSeconds(2),
        EvictionPace = TimeSpan.FromSeconds(2),
        EvictedWithin = TimeSpan.FromSeconds(30),
        RefusalFloor = TimeSpan.FromSeconds(1),
    };

    [NeedsFact(Needed)]
    public async Task Two_machines_that_share_an_account_are_paced_and_told_and_who_is_left_stays()
    {
        await using var world = await PamWorld.StartAsync();
        var block = OwnPlace.FreePort();
        await using var one = await Machine.StartAsync(world, "a", block);
        await one.UntilAsync(s => s.IsUp, "the first is up");
        await using var other = await Machine.StartAsync(world, "b", block);

        await one.ToldAsync(TunnelReason.Evicted);
        await other.ToldAsync(TunnelReason.Evicted);
        var waiting = await one.UntilAsync(s => s is { State: "BackingOff", Last.Reason: TunnelReason.Evicted }, "it waits");
        await world.UntilAsync(() => world.Gateway.Messages.Any(m => m.Body.Contains(TakenOver, StringComparison.Ordinal)), "the bastion tells");

        Assert.Equal(Policy.EvictionPace, waiting.NextTry - waiting.Since);
        Assert.Single(world.Gateway.Messages, m => m.Body.Contains(TakenOver, StringComparison.Ordinal));

        other.Service.Unwant();
        await one.UntilAsync(s => s.IsUp && Instant.Now(TimeProvider.System) - s.Since > 3 * Policy.EvictionPace, "the other stays");
        Assert.Single(world.Gateway.Messages, m => m.Body.Contains(TakenOver, StringComparison.Ordinal));
    }

    private sealed class Machine : IAsyncDisposable
    {
        private readonly Channel<TunnelNews> _news = Channel.CreateUnbounded<TunnelNews>();
        private readonly PamWorld _world;

        private Machine(PamWorld world, string name, int block)
        {
            _world = world;
            var bastion = new BastionOptions(
                CloudKind.Static, [world.Server.Port], "site-home", world.File("key"), [string.Join(' ', File.ReadAllText(world.File("host.pub")).Split(' ').Take(2)).Trim()],
                "bastion-home", block - BastionOptions.ForwardPortCount + 1, null, null, null, null, TunnelProfile.Serving);
            var folder = world.File(name);
            Service = new TunnelService(
                new OpenSshTransport(new SystemProcessLauncher(TimeProvider.System), bastion, folder, TimeProvider.System),
                new BannerDialler(a => new Socket(a.AddressFamily, SocketType.Stream, ProtocolType.Tcp), bastion.Ports, TimeProvider.System),
                bastion, [], folder, TimeProvider.System, NullLogger<TunnelService>.Instance, news => _news.Writer.TryWrite(news), Policy);
        }

        public TunnelService Service { get; }

        public static async Task<Machine> StartAsync(PamWorld world, string name, int block)
        {
            var machine = new Machine(world, name, block);
            await machine.Service.StartAsync(CancellationToken.None);
            machine.Service.Want([world.Server.Address]);
            return machine;
        }

        public async Task ToldAsync(TunnelReason reason)
        {
            using var limit = new CancellationTokenSource(2 * PamWorld.Patience);
            while (await _news.Reader.ReadAsync(limit.Token) is not TunnelNews.Trouble { Failure.Reason: var told } || told != reason)
            {
                // other news
            }
        }

        public async Task<TunnelSnapshot> UntilAsync(Func<TunnelSnapshot, bool> fits, string what)
        {
            var found = Service.Snapshot;
            await _world.UntilAsync(() => fits(found = Service.Snapshot), $"{what}; the tunnel is {Service.Snapshot}");
            return found;
        }

        public async ValueTask DisposeAsync()
        {
            await Service.StopAsync(CancellationToken.None);
            Service.Dispose();
        }
    }
}
