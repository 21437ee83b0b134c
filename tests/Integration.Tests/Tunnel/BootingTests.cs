using System.Net;
using System.Net.Sockets;
using InternalHost.Tunnel;
using Testing;

namespace Integration.Tests.Tunnel;

/// <summary>However the VM behaves while it boots, the tunnel is verified once its sshd really serves; how soon is measured by <c>bench/run start-to-tunnel</c>.</summary>
public sealed class BootingTests
{
    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Port_that_refuses_until_sshd_runs()
    {
        await using var sshd = await TestSshd.StartAsync();
        sshd.Kill(listener: true);
        await using var harness = await Harness.StartAsync(sshd);
        await Task.Delay(1700);

        await sshd.ListenAsync();

        await harness.NextAsync<TunnelNews.Verified>();
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Port_that_accepts_and_stays_silent_until_sshd_runs()
    {
        await using var sshd = await TestSshd.StartAsync();
        sshd.Kill(listener: true);
        var mute = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        mute.Bind(new IPEndPoint(sshd.Address, sshd.Port));
        mute.Listen();
        await using var harness = await Harness.StartAsync(sshd);
        await Task.Delay(1700);

        mute.Dispose();
        await sshd.ListenAsync();

        await harness.NextAsync<TunnelNews.Verified>();
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Sshd_that_ends_right_after_its_banner_and_starts_again()
    {
        await using var sshd = await TestSshd.StartAsync();
        sshd.Kill(listener: true);
        var mute = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        mute.Bind(new IPEndPoint(sshd.Address, sshd.Port));
        mute.Listen();
        await using var harness = await Harness.StartAsync(sshd);
        using (var caller = await mute.AcceptAsync().WaitAsync(Harness.Patience))
        {
            await caller.SendAsync("SSH-2.0-OpenSSH_9.2p1\r\n"u8.ToArray());
            await harness.UntilAsync(s => s.State == "Connecting");
        }

        mute.Dispose();
        await sshd.ListenAsync();

        await harness.NextAsync<TunnelNews.Verified>();
        Assert.NotEqual(1, harness.Service.Snapshot.Run);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Sshd_that_ends_right_after_the_login_and_starts_again()
    {
        await using var sshd = await TestSshd.StartAsync();
        await using var relay = new Relay(new(sshd.Address, sshd.Port));
        await using var harness = await Harness.StartAsync(sshd, sshd.Options with { Ports = [relay.Port] });
        await harness.UntilAsync(s => s.State is "Forwarding" or "Verifying" or "Up");

        sshd.Kill(listener: true);
        await harness.UntilAsync(s => s.Run > 1);
        await sshd.ListenAsync();

        await harness.UntilAsync(s => s is { IsUp: true, Run: > 1 });
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Second_port_is_used_when_the_first_is_dark()
    {
        await using var sshd = await TestSshd.StartAsync();
        using var mute = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        mute.Bind(new IPEndPoint(sshd.Address, 0));
        mute.Listen();
        await using var harness = await Harness.StartAsync(sshd, sshd.Options with { Ports = [((IPEndPoint)mute.LocalEndPoint!).Port, sshd.Port] });

        await harness.NextAsync<TunnelNews.Verified>();

        Assert.Equal(sshd.Port, harness.Service.Snapshot.Remote?.Port);
    }

}
