using System.Net;
using System.Text;
using Common.Agent;
using InternalHost.Pins;
using InternalHost.Tunnel;
using Testing;

namespace Integration.Tests.Tunnel;

public sealed class TunnelServiceTests
{
    private static readonly TunnelPolicy Quick = TunnelPolicy.Default with { ProbeEvery = TimeSpan.FromSeconds(1), ProbeAgain = TimeSpan.FromSeconds(0.5) };

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Tunnel_connects_forwards_and_is_verified()
    {
        await using var sshd = await TestSshd.StartAsync();
        await using var echo = new EchoServer();
        var service = new RemoteForward("echo", sshd.FirstForwardPort, $"127.0.0.1:{echo.Port}");
        await using var harness = await Harness.StartAsync(sshd, services: [service]);

        await harness.NextAsync<TunnelNews.Verified>();

        var snapshot = await harness.UntilAsync(s => s.Forwards[0].TargetDown is not null);
        Assert.Equal("Up", snapshot.State);
        Assert.Equal(new IPEndPoint(sshd.Address, sshd.Port), snapshot.Remote);
        Assert.StartsWith("SSH-2.0-", snapshot.Banner, StringComparison.Ordinal);
        Assert.True(snapshot.BytesReceived > 1000 && snapshot.BytesSent > 1000, $"{snapshot}");
        Assert.Equal(new ForwardStatus("echo", service.BastionPort, service.Target, Listening: true, Refused: null, TargetDown: false), Assert.Single(snapshot.Forwards));
        Assert.Equal("hello", await EchoServer.AskAsync(service.BastionPort, "hello"));
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Connection_that_was_bound_by_us_is_the_one_that_ssh_uses()
    {
        await using var sshd = await TestSshd.StartAsync();
        var source = IPAddress.Parse("127.77.66.55");
        await using var harness = await Harness.StartAsync(sshd, source: source);

        await harness.NextAsync<TunnelNews.Verified>();

        Assert.Contains(sshd.Log, line => line.StartsWith($"Accepted publickey for {Environment.UserName} from {source} port", StringComparison.Ordinal));
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Other_host_key_is_told_and_nothing_is_sent()
    {
        await using var sshd = await TestSshd.StartAsync();
        await using var harness = await Harness.StartAsync(sshd, sshd.Options with { HostKeys = [sshd.HostKey("host2")] });

        var news = await harness.NextAsync<TunnelNews.HostKeyChanged>();

        Assert.Equal(TunnelReason.HostKeyChanged, news.Failure.Reason);
        Assert.Equal(HostKey.Fingerprint(sshd.HostKey("host")), SshStderr.OfferedKey(news.Failure));
        Assert.Equal("BackingOff", harness.Service.Snapshot.State);
        Assert.DoesNotContain(sshd.Log, line => line.Contains("publickey", StringComparison.Ordinal));
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Refused_key_is_told_apart_and_gets_in_once_it_is_permitted()
    {
        await using var sshd = await TestSshd.StartAsync();
        sshd.Permit("key2");
        await using var harness = await Harness.StartAsync(sshd, policy: Quick with { RefusalFirst = TimeSpan.FromSeconds(0.2), RefusalCap = TimeSpan.FromSeconds(0.2) });

        var trouble = await harness.NextAsync<TunnelNews.Trouble>();
        sshd.Permit("key");
        await harness.NextAsync<TunnelNews.Verified>();

        Assert.Equal(TunnelReason.Denied, trouble.Failure.Reason);
        Assert.Contains("Permission denied (publickey", trouble.Failure.Detail, StringComparison.Ordinal);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Stranger_who_echoes_on_the_loop_port_is_never_verified()
    {
        await using var sshd = await TestSshd.StartAsync();
        await using var stranger = new EchoServer(sshd.Options.LoopProbePort);
        await using var harness = await Harness.StartAsync(sshd);

        var snapshot = await harness.UntilAsync(s => s.Last?.Reason == TunnelReason.ForeignListener);
        await harness.NeverVerifiedAsync(TimeSpan.FromSeconds(1));

        Assert.False(snapshot.IsUp);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Frozen_old_session_is_never_verified_and_the_port_is_taken_when_it_ends()
    {
        await using var sshd = await TestSshd.StartAsync();
        using var old = await OldSession.StartAsync(sshd);
        TestSshd.Signal(old.Pid, "STOP");
        await using var harness = await Harness.StartAsync(sshd, policy: Quick);

        var snapshot = await harness.UntilAsync(s => s.Last?.Reason == TunnelReason.ForwardBusy);
        await harness.NeverVerifiedAsync(TimeSpan.FromSeconds(3.5));
        old.Kill();
        await harness.NextAsync<TunnelNews.Verified>();

        Assert.Equal("Forwarding", snapshot.State);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Stopped_service_is_told_and_the_link_stays_verified()
    {
        await using var sshd = await TestSshd.StartAsync();
        var closed = TestSshd.FreePort(IPAddress.Loopback);
        await using var harness = await Harness.StartAsync(sshd, services: [new("home", sshd.FirstForwardPort, $"127.0.0.1:{closed}")], policy: Quick);

        await harness.NextAsync<TunnelNews.Verified>();
        var snapshot = await harness.UntilAsync(s => s.Forwards[0].TargetDown == true);
        var later = await harness.UntilAsync(s => s.Verified > snapshot.Verified);

        Assert.True(later.Forwards[0].Listening);
        Assert.Equal(1, later.Run);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Silence_after_the_banner_is_a_hanging_key_exchange()
    {
        await using var sshd = await TestSshd.StartAsync();
        await using var relay = new Relay(new(sshd.Address, sshd.Port)) { DarkAfter = 60 };
        await using var harness = await Harness.StartAsync(sshd, sshd.Options with { Ports = [relay.Port] });

        var snapshot = await harness.UntilAsync(s => s.Last is not null);

        Assert.Equal(TunnelReason.KexHang, snapshot.Last?.Reason);
        Assert.Contains("MTU", snapshot.Last?.Detail, StringComparison.Ordinal);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Killed_sshd_is_a_lost_tunnel_that_comes_back()
    {
        await using var sshd = await TestSshd.StartAsync();
        await using var harness = await Harness.StartAsync(sshd);
        await harness.NextAsync<TunnelNews.Verified>();

        sshd.Kill(listener: true);
        var lost = await harness.NextAsync<TunnelNews.Lost>();
        await sshd.ListenAsync();
        harness.Service.Nudge();
        await harness.NextAsync<TunnelNews.Verified>();

        Assert.Equal(TunnelReason.Closed, lost.Failure.Reason);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Dark_link_is_noticed_by_the_probe_and_mended_after_a_nudge()
    {
        await using var sshd = await TestSshd.StartAsync();
        await using var relay = new Relay(new(sshd.Address, sshd.Port));
        await using var harness = await Harness.StartAsync(sshd, sshd.Options with { Ports = [relay.Port] }, policy: Quick);
        await harness.NextAsync<TunnelNews.Verified>();

        relay.Dark = true;
        var lost = await harness.NextAsync<TunnelNews.Lost>();
        relay.Dark = false;
        sshd.Kill(listener: false);
        harness.Service.Nudge();
        await harness.NextAsync<TunnelNews.Verified>();

        Assert.Equal(TunnelReason.LoopProbeFailed, lost.Failure.Reason);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Reload_of_one_forward_leaves_the_traffic_of_another_alone()
    {
        await using var sshd = await TestSshd.StartAsync();
        await using var echo = new EchoServer();
        var first = new RemoteForward("first", sshd.FirstForwardPort, $"127.0.0.1:{echo.Port}");
        var second = new RemoteForward("second", sshd.FirstForwardPort + 1, $"127.0.0.1:{echo.Port}");
        var third = new RemoteForward("third", sshd.FirstForwardPort + 2, $"127.0.0.1:{echo.Port}");
        await using var harness = await Harness.StartAsync(sshd, services: [first, second]);
        await harness.NextAsync<TunnelNews.Verified>();
        using var open = new System.Net.Sockets.TcpClient();
        await open.ConnectAsync(IPAddress.Loopback, first.BastionPort);

        harness.Service.Reload([first, third]);
        await harness.UntilAsync(s => s.Forwards.Length == 2 && s.Forwards.All(f => f.Listening));

        Assert.Equal("third", await EchoServer.AskAsync(third.BastionPort, "third"));
        await open.GetStream().WriteAsync("still"u8.ToArray());
        var heard = new byte[5];
        await open.GetStream().ReadExactlyAsync(heard).AsTask().WaitAsync(Harness.Patience);
        Assert.Equal("still", Encoding.ASCII.GetString(heard));
        await Assert.ThrowsAnyAsync<Exception>(() => EchoServer.AskAsync(second.BastionPort, "gone"));
        Assert.Equal(1, harness.Service.Snapshot.Run);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Forward_that_is_busy_or_not_permitted_is_told_apart_and_harms_no_other()
    {
        await using var sshd = await TestSshd.StartAsync();
        var (good, forbidden, taken) = (sshd.FirstForwardPort, sshd.FirstForwardPort + 1, sshd.FirstForwardPort + 2);
        sshd.Permit("key", $"restrict,port-forwarding,permitlisten=\"127.0.0.1:{good}\",permitlisten=\"127.0.0.1:{taken}\",permitlisten=\"127.0.0.1:{sshd.Options.LoopProbePort}\"");
        await using var echo = new EchoServer();
        var stranger = new EchoServer(taken);
        await using var harness = await Harness.StartAsync(sshd, services:
        [
            new("good", good, $"127.0.0.1:{echo.Port}"), new("forbidden", forbidden, $"127.0.0.1:{echo.Port}"), new("taken", taken, $"127.0.0.1:{echo.Port}"),
        ]);

        await harness.NextAsync<TunnelNews.Verified>();
        var refused = harness.Service.Snapshot.Forwards.Select(forward => forward.Refused).ToArray();
        await stranger.DisposeAsync();
        await harness.UntilAsync(s => s.Forwards[2].Listening);

        Assert.Equal([null, TunnelReason.ForwardNotPermitted, TunnelReason.ForwardBusy], refused);
        Assert.Equal(1, harness.Service.Snapshot.Run);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Loop_port_that_is_not_permitted_fails_the_run()
    {
        await using var sshd = await TestSshd.StartAsync(keyOptions: "restrict,port-forwarding,permitlisten=\"127.0.0.1:1\"");
        await using var harness = await Harness.StartAsync(sshd);

        var snapshot = await harness.UntilAsync(s => s.State == "BackingOff");

        Assert.Equal(TunnelReason.ForwardNotPermitted, snapshot.Last?.Reason);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Agent_is_asked_over_the_tunnel_and_silence_is_null()
    {
        await using var sshd = await TestSshd.StartAsync();
        await using var harness = await Harness.StartAsync(sshd);
        await harness.NextAsync<TunnelNews.Verified>();
        var agent = new AgentClient(harness.Service.OpenDirectAsync, sshd.Options.AgentPort, TimeProvider.System);

        var silence = await agent.AskAsync("sessions", CancellationToken.None);
        await using var answering = new LineServer(sshd.Options.AgentPort!.Value, line => line == """{"op":"sessions"}""" ? """{"ok":true,"sessions":2,"later":1}""" : "no");
        var reply = await agent.AskAsync("sessions", CancellationToken.None);
        var garbage = await agent.AskAsync("nonsense", CancellationToken.None);

        Assert.Null(silence);
        Assert.Equal(new AgentReply(Ok: true, Sessions: 2), reply);
        Assert.Null(garbage);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Unwant_ends_the_connection_and_leaves_no_files()
    {
        await using var sshd = await TestSshd.StartAsync();
        await using var harness = await Harness.StartAsync(sshd);
        await harness.NextAsync<TunnelNews.Verified>();
        Assert.NotEmpty(sshd.Sessions());

        harness.Service.Unwant();
        await harness.UntilAsync(s => s.State == "Idle");
        await harness.DisposeAsync();

        Assert.Equal(["known_hosts"], Directory.GetFiles(TunnelFolder.In(Directory.GetDirectories(sshd.Folder).Single())).Select(Path.GetFileName));
        await Eventually(() => sshd.Sessions().Count == 0);
    }

    private static async Task Eventually(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(Harness.Patience);
        while (!holds())
        {
            await Task.Delay(20, limit.Token);
        }
    }
}
