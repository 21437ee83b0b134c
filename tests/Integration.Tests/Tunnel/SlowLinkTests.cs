using System.Net;
using System.Net.Sockets;
using InternalHost.Tunnel;
using Testing;

namespace Integration.Tests.Tunnel;

/// <summary>A copy fills a slow uplink while the loop probe runs: late echoes are no death.</summary>
/// <remarks>The promise is 60 MB at 1, 2 and 5 Mbit/s: BASTION_COPY_MB=60 BASTION_COPY_MBITS=1, and so on. It takes minutes.</remarks>
public sealed class SlowLinkTests
{
    private static readonly int Rate = FromEnvironment("BASTION_COPY_MBITS", 1) * 125_000;
    private static readonly int Copied = FromEnvironment("BASTION_COPY_MB", 3) * 1_000_000;

    [NeedsTheory(Need.Ssh | Need.Sshd)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Copy_over_a_full_uplink_never_breaks_the_tunnel(bool outOfHome)
    {
        await using var sshd = await TestSshd.StartAsync();
        await using var relay = new Relay(new(sshd.Address, sshd.Port));
        using var service = new TcpListener(IPAddress.Loopback, 0);
        service.Start();
        var forward = new RemoteForward("copy", sshd.FirstForwardPort, $"127.0.0.1:{((IPEndPoint)service.LocalEndpoint).Port}");
        await using var harness = await Harness.StartAsync(sshd, sshd.Options with { Ports = [relay.Port] }, [forward],
            TunnelPolicy.Default with { ProbeEvery = TimeSpan.FromSeconds(1) });
        await harness.NextAsync<TunnelNews.Verified>();
        await harness.UntilAsync(s => s.Forwards[0].TargetDown is false);
        using var looked = await service.AcceptTcpClientAsync().WaitAsync(Harness.Patience);
        relay.Rate = Rate;

        using var outside = new TcpClient();
        await outside.ConnectAsync(IPAddress.Loopback, forward.BastionPort);
        using var inside = await service.AcceptTcpClientAsync().WaitAsync(Harness.Patience);
        var busy = harness.UntilAsync(s => s.Busy, TimeSpan.FromSeconds(60));
        await CopyAsync(outOfHome ? inside : outside, outOfHome ? outside : inside).WaitAsync(TimeSpan.FromSeconds(60 + (1.5 * Copied / Rate)));

        Assert.Equal(1, (await busy).Run);
        Assert.Equal(1, harness.Service.Snapshot.Run);
        Assert.True(harness.Service.Snapshot.IsUp);
        Assert.Empty(harness.Others);
    }

    private static int FromEnvironment(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), out var value) ? value : otherwise;

    private static async Task CopyAsync(TcpClient from, TcpClient to)
    {
        var sending = Task.Run(async () =>
        {
            await from.GetStream().WriteAsync(new byte[Copied]);
            from.Client.Shutdown(SocketShutdown.Send);
        });
        var (block, got) = (new byte[64 * 1024], 0);
        while (await to.GetStream().ReadAsync(block) is var read and > 0)
        {
            got += read;
        }

        await sending;
        Assert.Equal(Copied, got);
    }
}
