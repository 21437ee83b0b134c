using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using InternalHost.Tunnel;
using Testing;

namespace Integration.Tests.Tunnel;

/// <summary>However the VM behaves while it boots: verified at most 2 s after its sshd really serves.</summary>
public sealed class BootingTests
{
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(2);

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Port_that_refuses_until_sshd_runs()
    {
        await using var sshd = await TestSshd.StartAsync();
        sshd.Kill(listener: true);
        await using var harness = await Harness.StartAsync(sshd);
        await Task.Delay(1700);

        await sshd.ListenAsync();

        await VerifiedInTimeAsync(harness);
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

        await VerifiedInTimeAsync(harness);
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

        await VerifiedInTimeAsync(harness);
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

        await harness.UntilAsync(s => s is { IsUp: true, Run: > 1 }, Promise);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Second_port_is_used_when_the_first_is_dark()
    {
        await using var sshd = await TestSshd.StartAsync();
        using var mute = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        mute.Bind(new IPEndPoint(sshd.Address, 0));
        mute.Listen();
        await using var harness = await Harness.StartAsync(sshd, sshd.Options with { Ports = [((IPEndPoint)mute.LocalEndPoint!).Port, sshd.Port] });

        await VerifiedInTimeAsync(harness);

        Assert.Equal(sshd.Port, harness.Service.Snapshot.Remote?.Port);
    }

    private static async Task VerifiedInTimeAsync(Harness harness)
    {
        var clock = Stopwatch.StartNew();
        await harness.NextAsync<TunnelNews.Verified>();
        Assert.True(clock.Elapsed <= Promise, $"verified after {clock.Elapsed}");
    }
}
