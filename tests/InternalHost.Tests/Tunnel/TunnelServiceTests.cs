using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using InternalHost.Configuration;
using InternalHost.Tunnel;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace InternalHost.Tests.Tunnel;

/// <summary>The loop and its effects with a scripted network: no ssh, no waiting.</summary>
public sealed class TunnelServiceTests : IAsyncLifetime, IBannerDialler, ITunnelTransport
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly IPEndPoint Remote = new(IPAddress.Parse("203.0.113.7"), 49022);
    private static readonly RemoteForward Home = new("home", 22000, "127.0.0.1:1");

    private readonly FakeTime _time = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ts");
    private readonly Channel<TunnelNews> _news = Channel.CreateUnbounded<TunnelNews>();
    private readonly Channel<ScriptedConnection> _connections = Channel.CreateUnbounded<ScriptedConnection>();
    private readonly TunnelService _service;
    private Func<DialResult> _dial;
    private Exception? _refusal;

    public TunnelServiceTests()
    {
        _dial = () => new DialResult.Won(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), Remote, "SSH-2.0-test");
        var bastion = new BastionOptions(CloudKind.Static, [49022], "site", "/key", ["ssh-ed25519 AAAA"], "alias", 22000, 22014, null, null, null, TunnelProfile.Serving);
        _service = new TunnelService(this, this, bastion, [Home], _folder.FullName, _time, NullLogger<TunnelService>.Instance, news => _news.Writer.TryWrite(news));
    }

    public Task InitializeAsync() => _service.StartAsync(CancellationToken.None);

    public async Task DisposeAsync()
    {
        await _service.StopAsync(CancellationToken.None);
        _service.Dispose();
        _folder.Delete(recursive: true);
    }

    Task<DialResult> IBannerDialler.DialAsync(ImmutableArray<IPAddress> addresses, TimeSpan budget, CancellationToken ct) => Task.FromResult(_dial());

    /// <summary>A connection whose loop port leads where the forward says: to the run's own responder.</summary>
    async Task<ITunnelConnection> ITunnelTransport.ConnectAsync(Socket socket, int run, CancellationToken ct)
    {
        socket.Dispose();
        if (_refusal is { } refusal)
        {
            throw refusal;
        }

        var connection = new ScriptedConnection();
        connection.Direct = port => Reach(connection.Asked.Last(forward => forward.BastionPort == port).Target);
        await _connections.Writer.WriteAsync(connection, ct);
        return connection;
    }

    [Fact]
    public async Task Wish_is_verified_with_its_number_and_the_loop_port_is_asked_for_last()
    {
        _service.Want([Remote.Address], wish: 4);
        var connection = await NextConnectionAsync();

        Assert.Equal(4, Assert.IsType<TunnelNews.Verified>(await NextNewsAsync()).Wish);
        Assert.Equal(["home", "loop"], connection.Asked.Select(forward => forward.Name));
        Assert.Equal(Remote, _service.Snapshot.Remote);
        Assert.True(_service.Snapshot is { IsUp: true, State: "Up", Run: 1 });
    }

    [Fact]
    public async Task End_of_the_connection_is_told_and_the_run_gives_up_what_it_holds()
    {
        _service.Want([Remote.Address]);
        var connection = await NextConnectionAsync();
        Assert.IsType<TunnelNews.Verified>(await NextNewsAsync());

        connection.End(TunnelReason.ServerAliveTimeout);

        Assert.Equal(TunnelReason.ServerAliveTimeout, Assert.IsType<TunnelNews.Lost>(await NextNewsAsync()).Failure.Reason);
        await UntilAsync(() => connection.Disposed && Directory.GetFiles(TunnelFolder.In(_folder.FullName)).Length == 0);
        Assert.Equal(TunnelReason.ServerAliveTimeout, _service.Snapshot.Last?.Reason);
    }

    [Fact]
    public async Task Failed_login_is_retried_when_its_time_comes()
    {
        _refusal = new TunnelException(new(TunnelReason.Denied, "refused"));
        _service.Want([Remote.Address]);
        await UntilAsync(() => _service.Snapshot.State == "BackingOff");
        _refusal = null;

        _time.Advance(TimeSpan.FromSeconds(30));

        Assert.IsType<TunnelNews.Verified>(await NextNewsAsync());
        Assert.Equal(2, _service.Snapshot.Run);
    }

    [Fact]
    public async Task Refused_forward_is_shown_and_asked_for_again_while_the_tunnel_stays_up()
    {
        _service.Want([Remote.Address]);
        var connection = await NextConnectionAsync();
        Assert.IsType<TunnelNews.Verified>(await NextNewsAsync());
        connection.Answer = forward => forward.Name == "nas" ? TunnelReason.ForwardBusy : null;

        _service.Reload([Home, new("nas", 22001, "127.0.0.1:2")]);
        await UntilAsync(() => _service.Snapshot.Forwards is [_, { Refused: TunnelReason.ForwardBusy }]);
        connection.Answer = _ => null;
        await UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(0.2));
            return _service.Snapshot.Forwards.All(forward => forward.Listening);
        });

        Assert.True(_service.Snapshot is { IsUp: true, Run: 1 });
    }

    [Fact]
    public async Task Unwanted_closes_the_connection_and_there_is_no_way_to_the_bastion()
    {
        _service.Want([Remote.Address]);
        var connection = await NextConnectionAsync();
        Assert.IsType<TunnelNews.Verified>(await NextNewsAsync());

        _service.Unwant();
        await UntilAsync(() => connection.Disposed);

        Assert.Equal("Idle", _service.Snapshot.State);
        await Assert.ThrowsAsync<IOException>(() => _service.OpenDirectAsync(22014, CancellationToken.None));
    }

    [Fact]
    public async Task Unexpected_fault_of_the_work_beside_the_loop_ends_the_loop()
    {
        _dial = () => throw new InvalidOperationException("a bug");
        _service.Want([Remote.Address]);

        var fault = await Assert.ThrowsAnyAsync<Exception>(() => _service.ExecuteTask!.WaitAsync(Patience));

        Assert.Contains("a bug", fault.ToString(), StringComparison.Ordinal);
    }

    private async Task<TunnelNews> NextNewsAsync() => await _news.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    private async Task<ScriptedConnection> NextConnectionAsync() => await _connections.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    /// <summary>The loop's own progress has no other sign than its snapshot.</summary>
    private static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!holds())
        {
            await Task.Delay(5, limit.Token);
        }
    }

    private static NetworkStream Reach(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        return new NetworkStream(socket, ownsSocket: true);
    }
}
