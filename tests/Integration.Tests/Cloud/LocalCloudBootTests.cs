using System.Net.Sockets;
using InternalHost.Cloud;
using InternalHost.Cloud.Local;
using Testing;
using static Integration.Tests.Cloud.CloudSight;

namespace Integration.Tests.Cloud;

/// <summary>An instance that is on its way: its ports, its sshd and its address as they are before it serves.</summary>
public sealed class LocalCloudBootTests
{
    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Booting_instance_refuses()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "boot_seconds": 1, "boot_port": "refuse" }""");

        await cloud.Cloud.StartAsync(cloud.Soon);
        var refused = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1)));

        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        await ServesAsync(cloud);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Booting_instance_drops_syns()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "boot_seconds": 1.6, "boot_port": "drop" }""");

        await cloud.Cloud.StartAsync(cloud.Soon);
        var tries = Enumerable.Range(0, 4).Select(n => ConnectAsync(cloud.Place.EndPoint(n % 2 == 0 ? OwnCloud.Port : OwnCloud.OtherPort), TimeSpan.FromSeconds(1)));
        var outcomes = await Task.WhenAll(tries.Select(t => Assert.ThrowsAnyAsync<OperationCanceledException>(() => t)));

        Assert.Equal(4, outcomes.Length);
        Assert.Equal(0, cloud.Count("booted"));
        await ServesAsync(cloud);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Booting_instance_accepts_and_is_silent()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "boot_seconds": 1.2, "boot_port": "silent" }""");

        await cloud.Cloud.StartAsync(cloud.Soon);
        using var socket = await ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1));
        using var half = new CancellationTokenSource(TimeSpan.FromSeconds(0.5));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await socket.ReceiveAsync(new byte[16], half.Token));

        await ServesAsync(cloud);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Ports_can_be_held_again_after_sessions()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "boot_seconds": 0.3, "boot_port": "drop" }""");

        for (var launch = 0; launch < 2; launch++)
        {
            await cloud.StartInstanceAsync();
            await using var session = cloud.Ssh.Start(cloud.Server, [], _ => { }, "sleep", "60");
            await BannerAsync(cloud.Server);
            await cloud.StopInstanceAsync();
        }

        Assert.Equal((0, 2), (cloud.Count("boot_failed"), cloud.Count("booted")));
    }

    [NeedsTheory(Need.Ssh | Need.Sshd)]
    [InlineData("after_banner")]
    [InlineData("after_login")]
    public async Task Sshd_restarts_once(string when)
    {
        await using var cloud = await OwnCloud.StartAsync($$"""{ "restart_once": "{{when}}", "restart_seconds": 0.5 }""");
        await cloud.StartInstanceAsync();

        if (when == "after_banner")
        {
            using var first = await ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1));
            Assert.StartsWith("SSH-2.0-", await ReceiveAsync(first, cloud.Soon), StringComparison.Ordinal);
            Assert.Equal("", await ReceiveAsync(first, cloud.Soon));
        }
        else
        {
            Assert.Equal(255, (await cloud.Ssh.RunAsync(cloud.Server, "sleep", "20")).Exit.Code);
        }

        _ = await cloud.LoggedAsync("sshd_ended");
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1)));
        await ServesAsync(cloud);
        Assert.Equal((1, 1), (cloud.Count("sshd_ended"), cloud.Count("launch")));
    }

    [NeedsFact(Need.Sshd)]
    public async Task Stop_while_booting_ends_the_launch()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "boot_seconds": 60, "boot_port": "silent", "stop_seconds": 0.5 }""");

        await cloud.Cloud.StartAsync(cloud.Soon);
        await cloud.Cloud.StopAsync(cloud.Soon);
        var early = await Assert.ThrowsAsync<CloudException>(() => cloud.Cloud.StartAsync(cloud.Soon));
        var stopped = await cloud.UntilAsync(InstanceState.Stopped);

        Assert.Equal(CloudFailure.Transient, early.Failure);
        Assert.Empty(stopped.Addresses);
        Assert.InRange((await cloud.LoggedAsync("stopped")).T - (await cloud.LoggedAsync("stopping")).T, 0.45, 60);
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1)));
    }

    [NeedsFact(Need.Sshd)]
    public async Task Running_instance_tells_its_address_late()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "address_late_seconds": 0.7, "address_changes": true }""");

        await cloud.Cloud.StartAsync(cloud.Soon);
        var early = await cloud.UntilAsync(InstanceState.Running);
        while ((await cloud.SeeAsync()).Addresses.IsEmpty)
        {
            await Task.Delay(20, cloud.Soon);
        }

        await cloud.StopInstanceAsync();
        await cloud.Client.SetModeAsync("""{ "address_late_seconds": 0 }""", cloud.Soon);
        await cloud.StartInstanceAsync();

        Assert.Empty(early.Addresses);
        Assert.Equal(cloud.Place.Address(1), Assert.Single((await cloud.SeeAsync()).Addresses));
    }
}
