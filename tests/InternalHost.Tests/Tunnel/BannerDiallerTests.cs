using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using InternalHost.Tunnel;

namespace InternalHost.Tests.Tunnel;

public sealed class BannerDiallerTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(0.3);

    /// <summary>An address of our own, so that no other test listens where we dial.</summary>
    private readonly IPAddress _address = new([127, 201, (byte)Random.Shared.Next(1, 250), (byte)Random.Shared.Next(2, 250)]);
    private readonly List<Socket> _sockets = [];

    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());

    [Fact]
    public async Task Socket_with_a_banner_wins_and_the_banner_is_still_in_it()
    {
        var listener = Listen();
        var dialling = DialAsync(Long, PortOf(listener));

        await (await AcceptAsync(listener)).SendAsync("SSH-2.0-OpenSSH_9.2p1 Debian\r\n"u8.ToArray());

        var won = Assert.IsType<DialResult.Won>(await dialling);
        Assert.Equal((new IPEndPoint(_address, PortOf(listener)), "SSH-2.0-OpenSSH_9.2p1 Debian"), (won.Remote, won.Banner));
        using var socket = won.Socket;
        var first = new byte[4];
        Assert.Equal(4, socket.Receive(first));
        Assert.Equal("SSH-"u8.ToArray(), first);
    }

    [Fact]
    public async Task Banner_in_two_parts_is_waited_for()
    {
        var listener = Listen();
        var dialling = DialAsync(Long, PortOf(listener));

        var server = await AcceptAsync(listener);
        server.NoDelay = true;
        await server.SendAsync("SS"u8.ToArray());
        await Task.Delay(150);
        Assert.False(dialling.IsCompleted);
        await server.SendAsync("H-2.0-x\r\n"u8.ToArray());

        using var socket = Assert.IsType<DialResult.Won>(await dialling).Socket;
    }

    [Fact]
    public async Task Silent_first_dial_does_not_hold_up_a_later_one()
    {
        var listener = Listen();
        var dialling = DialAsync(Long, PortOf(listener));

        _ = await AcceptAsync(listener);
        await (await AcceptAsync(listener)).SendAsync("SSH-2.0-later\r\n"u8.ToArray());

        using var socket = Assert.IsType<DialResult.Won>(await dialling).Socket;
    }

    [Fact]
    public async Task Earlier_port_is_used_when_both_answer_and_the_others_are_closed()
    {
        var (first, second) = (Listen(), Listen());
        var dialling = DialAsync(Long, PortOf(first), PortOf(second));

        await (await AcceptAsync(first)).SendAsync("SSH-2.0-first\r\n"u8.ToArray());

        var won = Assert.IsType<DialResult.Won>(await dialling);
        using var socket = won.Socket;
        Assert.Equal(PortOf(first), won.Remote.Port);
        while (second.Poll(0, SelectMode.SelectRead))
        {
            using var loser = second.Accept();
            loser.ReceiveTimeout = 10_000;
            Assert.Equal(0, loser.Receive(new byte[1]));
        }
    }

    [Fact]
    public async Task Closed_port_is_refused() =>
        Assert.Equal(TunnelReason.Refused, await FailureAsync(Short, FreePort()));

    [Fact]
    public async Task Silent_port_has_no_banner_after_three_seconds()
    {
        var listener = Listen();

        Assert.Equal(TunnelReason.NoBanner, await FailureAsync(TimeSpan.FromSeconds(3.3), PortOf(listener)));
    }

    [Fact]
    public async Task Server_that_is_not_ssh_is_told_with_its_words()
    {
        var listener = Listen();
        var dialling = DialAsync(TimeSpan.FromSeconds(0.45), PortOf(listener));

        await (await AcceptAsync(listener)).SendAsync("Not allowed at this time\r\n"u8.ToArray());

        var failure = Assert.IsType<DialResult.Lost>(await dialling).Failure;
        Assert.Equal(TunnelReason.NoBanner, failure.Reason);
        Assert.EndsWith("it says: Not allowed at this time", failure.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_address_and_no_way_are_no_route()
    {
        var none = await Dialler(80).DialAsync([], Short, CancellationToken.None);
        var unbindable = await new BannerDialler(_ => throw new SocketException((int)SocketError.AddressNotAvailable), [80], TimeProvider.System)
            .DialAsync([_address], Short, CancellationToken.None);

        Assert.Equal(TunnelReason.NoRoute, Assert.IsType<DialResult.Lost>(none).Failure.Reason);
        Assert.Equal(TunnelReason.NoRoute, Assert.IsType<DialResult.Lost>(unbindable).Failure.Reason);
    }

    [Fact]
    public async Task Most_telling_failure_of_all_targets_is_reported()
    {
        var listener = Listen();
        var dialling = DialAsync(TimeSpan.FromSeconds(0.8), FreePort(), PortOf(listener));

        (await AcceptAsync(listener)).Close();

        Assert.Equal(TunnelReason.NoBanner, Assert.IsType<DialResult.Lost>(await dialling).Failure.Reason);
    }

    [Fact]
    public async Task Cancelled_dial_ends_at_once()
    {
        using var cancel = new CancellationTokenSource();
        var dialling = Dialler(PortOf(Listen())).DialAsync([_address], TimeSpan.FromHours(1), cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dialling.WaitAsync(Long));
    }

    private static BannerDialler Dialler(params ImmutableArray<int> ports) =>
        new(address => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp), ports, TimeProvider.System);

    private static int PortOf(Socket listener) => ((IPEndPoint)listener.LocalEndPoint!).Port;

    private Task<DialResult> DialAsync(TimeSpan budget, params ImmutableArray<int> ports) =>
        Dialler(ports).DialAsync([_address], budget, CancellationToken.None).WaitAsync(Long);

    private async Task<TunnelReason> FailureAsync(TimeSpan budget, int port) =>
        Assert.IsType<DialResult.Lost>(await DialAsync(budget, port)).Failure.Reason;

    private Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(_address, 0));
        listener.Listen();
        _sockets.Add(listener);
        return listener;
    }

    private async Task<Socket> AcceptAsync(Socket listener)
    {
        var accepted = await listener.AcceptAsync().WaitAsync(Long);
        _sockets.Add(accepted);
        return accepted;
    }

    private int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(_address, 0));
        return PortOf(socket);
    }
}
