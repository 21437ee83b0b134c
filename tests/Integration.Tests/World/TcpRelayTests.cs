using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Lab.World;
using Testing;

namespace Integration.Tests.World;

public sealed class TcpRelayTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly LoopbackBlock _block = LoopbackBlock.Take();
    private readonly Link _primary;
    private readonly Link _backup;
    private readonly Links _links;
    private readonly Socket _server;

    public TcpRelayTests()
    {
        _primary = new Link("primary", _block.Primary);
        _backup = new Link("backup", _block.Backup);
        _links = new Links(_primary, _backup);
        _server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _server.Bind(new IPEndPoint(_block.Address(128), 0));
        _server.Listen(16);
    }

    private IPEndPoint Target => (IPEndPoint)_server.LocalEndPoint!;

    public void Dispose()
    {
        _server.Dispose();
        _block.Dispose();
    }

    [Fact]
    public async Task Relay_carries_both_ways_and_shows_the_clients_address_to_the_target()
    {
        await using var relay = TcpRelay.Start(new IPEndPoint(_block.Address(64), 0), Target, _links);
        using var client = await ConnectAsync(relay, _block.Backup);
        using var accepted = await _server.AcceptAsync();

        await client.SendAsync("hello"u8.ToArray());
        var there = await ReceiveAsync(accepted, 5);
        await accepted.SendAsync("world!"u8.ToArray());
        var back = await ReceiveAsync(client, 6);

        Assert.Equal("hello"u8.ToArray(), there);
        Assert.Equal("world!"u8.ToArray(), back);
        Assert.Equal(_block.Backup, ((IPEndPoint)accepted.RemoteEndPoint!).Address);
        Assert.Equal((5, 6), (_backup.BytesUp, _backup.BytesDown));
        Assert.Equal(0, _primary.BytesUp);
    }

    [Fact]
    public async Task Dark_link_swallows_data_and_SYNs_of_its_source_only_and_goes_on_when_light()
    {
        await using var relay = TcpRelay.Start(new IPEndPoint(_block.Address(64), 0), Target, _links);
        using var client = await ConnectAsync(relay, _block.Primary);
        using var accepted = await _server.AcceptAsync();
        _primary.Dark = true;

        await client.SendAsync("lost?"u8.ToArray());
        await accepted.SendAsync("nobody"u8.ToArray());
        var arrivedUp = await ArrivesAsync(accepted);
        var arrivedDown = await ArrivesAsync(client);
        var newOne = ConnectAsync(relay, _block.Primary);
        using var other = await ConnectAsync(relay, _block.Backup);
        var newOneWhileDark = newOne.IsCompleted;
        _primary.Dark = false;

        Assert.False(arrivedUp);
        Assert.False(arrivedDown);
        Assert.False(newOneWhileDark);
        Assert.Equal("lost?"u8.ToArray(), await ReceiveAsync(accepted, 5));
        Assert.Equal("nobody"u8.ToArray(), await ReceiveAsync(client, 6));
        (await newOne).Dispose();
    }

    /// <summary>As root only: newer kernels filter an ordinary user's TCP no more.</summary>
    [NeedsFact(Need.Root)]
    public async Task Unacknowledged_data_on_a_dark_link_runs_into_the_senders_own_timeout()
    {
        const int tcpUserTimeout = 18;
        await using var relay = TcpRelay.Start(new IPEndPoint(_block.Address(64), 0), Target, _links);
        using var client = await ConnectAsync(relay, _block.Primary);
        client.SetRawSocketOption(6, tcpUserTimeout, BitConverter.GetBytes(700));
        _primary.Dark = true;
        await client.SendAsync("x"u8.ToArray());

        var failure = await Assert.ThrowsAsync<SocketException>(() => ReceiveAsync(client, 1));

        Assert.Equal(SocketError.TimedOut, failure.SocketErrorCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Limited_link_carries_at_its_rate(bool up)
    {
        const int bytes = 250_000;
        var wire = new Link("wire");
        wire.Limit(2_000_000);
        await using var relay = TcpRelay.Start(new IPEndPoint(_block.Address(64), 0), Target, wire);
        using var client = await ConnectAsync(relay, _block.Primary);
        using var accepted = await _server.AcceptAsync();
        var (from, to) = up ? (client, accepted) : (accepted, client);
        var watch = Stopwatch.StartNew();

        var sending = Task.Run(async () =>
        {
            for (var rest = new byte[bytes].AsMemory(); rest.Length > 0;)
            {
                rest = rest[await from.SendAsync(rest)..];
            }
        });
        await ReceiveAsync(to, bytes);
        await sending;

        // 250,000 bytes at 2 Mbit/s are one second.
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.9, 20);
    }

    [Fact]
    public async Task Delayed_link_takes_its_time()
    {
        var wire = new Link("wire") { Delay = TimeSpan.FromMilliseconds(150) };
        await using var relay = TcpRelay.Start(new IPEndPoint(_block.Address(64), 0), Target, wire);
        using var client = await ConnectAsync(relay, _block.Primary);
        using var accepted = await _server.AcceptAsync();
        var watch = Stopwatch.StartNew();

        await client.SendAsync("?"u8.ToArray());
        await ReceiveAsync(accepted, 1);
        await accepted.SendAsync("!"u8.ToArray());
        await ReceiveAsync(client, 1);

        Assert.InRange(watch.Elapsed.TotalSeconds, 0.28, 20);
    }

    [Fact]
    public async Task Close_and_reset_are_passed_on()
    {
        await using var relay = TcpRelay.Start(new IPEndPoint(_block.Address(64), 0), Target, _links);
        using var closing = await ConnectAsync(relay, _block.Backup);
        using var closed = await _server.AcceptAsync();
        using var resetting = await ConnectAsync(relay, _block.Backup);
        var reset = await _server.AcceptAsync();

        closing.Shutdown(SocketShutdown.Send);
        var end = await closed.ReceiveAsync(new byte[1]);
        reset.LingerState = new LingerOption(true, 0);
        reset.Dispose();
        var failure = await Assert.ThrowsAsync<SocketException>(() => ReceiveAsync(resetting, 1));

        Assert.Equal(0, end);
        Assert.Equal(SocketError.ConnectionReset, failure.SocketErrorCode);
    }

    [Fact]
    public async Task Following_relay_refuses_while_its_target_does_not_listen()
    {
        var target = Target;
        _server.Dispose();
        var listen = new IPEndPoint(_block.Address(64), 4022);
        await using var relay = TcpRelay.Start(listen, target, _links, followTarget: true);

        var refused = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(relay, _block.Backup));
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        server.Bind(target);
        server.Listen(4);
        using var client = await RetryAsync(() => ConnectAsync(relay, _block.Backup));

        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        Assert.True(client.Connected);
    }

    private static async Task<Socket> RetryAsync(Func<Task<Socket>> connect)
    {
        for (var watch = Stopwatch.StartNew(); ;)
        {
            try
            {
                return await connect();
            }
            catch (SocketException) when (watch.Elapsed < Patience)
            {
                await Task.Delay(20);
            }
        }
    }

    private static async Task<Socket> ConnectAsync(TcpRelay relay, IPAddress source)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(source, 0));
            using var limit = new CancellationTokenSource(Patience);
            await socket.ConnectAsync(relay.Endpoint, limit.Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<byte[]> ReceiveAsync(Socket socket, int count)
    {
        using var limit = new CancellationTokenSource(Patience);
        var bytes = new byte[count];
        for (var got = 0; got < count;)
        {
            var n = await socket.ReceiveAsync(bytes.AsMemory(got), limit.Token);
            got += n > 0 ? n : throw new EndOfStreamException();
        }

        return bytes;
    }

    private static async Task<bool> ArrivesAsync(Socket socket)
    {
        await Task.Delay(Soon);
        return socket.Available > 0;
    }
}
