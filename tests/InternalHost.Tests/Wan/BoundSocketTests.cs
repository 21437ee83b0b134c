using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;
using Testing;

namespace InternalHost.Tests.Wan;

public sealed class BoundSocketTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private static UplinkOptions Lo(string? address = null) =>
        new(UplinkName.Primary, "lo", address is null ? null : IPAddress.Parse(address));

    [Fact]
    public async Task Connection_comes_from_the_uplinks_own_address()
    {
        using var listener = new TcpListener(IPAddress.Parse("127.41.0.1"), 0);
        listener.Start();

        using var socket = await BoundSocket.ConnectAsync(Lo("127.41.0.2"), (IPEndPoint)listener.LocalEndpoint, Limit, TimeProvider.System, default);
        using var accepted = await listener.AcceptSocketAsync();

        Assert.Equal("127.41.0.2", ((IPEndPoint)accepted.RemoteEndPoint!).Address.ToString());
        Assert.Equal("lo", Device(socket));
    }

    [Fact]
    public void Datagram_socket_is_bound_to_device_and_address()
    {
        using var socket = BoundSocket.Udp(Lo("127.41.0.3"), AddressFamily.InterNetwork);

        Assert.Equal("lo", Device(socket));
        Assert.Equal("127.41.0.3", ((IPEndPoint)socket.LocalEndPoint!).Address.ToString());
    }

    [Fact]
    public void Family_that_the_source_address_is_not_of_would_leave_by_any_uplink_and_is_refused()
    {
        var e = Assert.Throws<UplinkException>(() => BoundSocket.Tcp(Lo("127.41.0.4"), AddressFamily.InterNetworkV6));

        Assert.Equal(SocketError.AddressFamilyNotSupported, e.Code);
    }

    [Fact]
    public void Socket_is_closed_in_children()
    {
        using var socket = BoundSocket.Tcp(Lo(), AddressFamily.InterNetwork);

        var flags = File.ReadLines($"/proc/self/fdinfo/{socket.Handle}").First(l => l.StartsWith("flags:", StringComparison.Ordinal));

        const int closeOnExec = 0x80000;
        Assert.NotEqual(0, Convert.ToInt32(flags["flags:".Length..].Trim(), 8) & closeOnExec);
    }

    [Theory]
    [InlineData("nosuch0", null, "nosuch0")]
    [InlineData("lo", "192.0.2.77", "192.0.2.77")]
    [InlineData("", null, "interface")]
    [InlineData("a-name-longer-than-linux-allows", null, "interface")]
    public void Missing_interface_or_address_is_named(string name, string? address, string said)
    {
        var uplink = new UplinkOptions(UplinkName.Backup, name, address is null ? null : IPAddress.Parse(address));

        var e = Assert.Throws<UplinkException>(() => BoundSocket.Tcp(uplink, AddressFamily.InterNetwork));

        Assert.Contains("backup", e.Message);
        Assert.Contains(said, e.Message);
        Assert.IsType<SocketException>(e.InnerException);
    }

    [Fact]
    public async Task Refused_connection_names_uplink_and_target()
    {
        var e = await Assert.ThrowsAsync<UplinkException>(() =>
            BoundSocket.ConnectAsync(Lo("127.41.0.5"), new IPEndPoint(IPAddress.Parse("127.41.0.6"), 9), Limit, TimeProvider.System, default));

        Assert.Equal(SocketError.ConnectionRefused, e.Code);
        Assert.Contains("127.41.0.6:9", e.Message);
    }

    [Fact]
    public async Task Silence_ends_at_the_limit()
    {
        // A full backlog drops SYNs: the only silence loopback has.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Parse("127.41.0.7"), 0));
        full.Listen(0);
        var target = (IPEndPoint)full.LocalEndPoint!;
        using var first = await BoundSocket.ConnectAsync(Lo(), target, Limit, TimeProvider.System, default);
        var time = new FakeTime();

        var second = BoundSocket.ConnectAsync(Lo(), target, TimeSpan.FromSeconds(3), time, default);
        time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(SocketError.TimedOut, (await Assert.ThrowsAsync<UplinkException>(() => second)).Code);
    }

    [Fact]
    public async Task Cancelling_is_not_an_uplinks_failure()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            BoundSocket.ConnectAsync(Lo(), new IPEndPoint(IPAddress.Loopback, 9), Limit, TimeProvider.System, cancelled.Token));
    }

    [Fact]
    public async Task Loopback_is_reached_although_the_uplink_is_elsewhere()
    {
        using var listener = new TcpListener(IPAddress.Parse("127.41.0.8"), 0);
        listener.Start();

        using var socket = await BoundSocket.ConnectAsync(
            new UplinkOptions(UplinkName.Backup, "nosuch0"), (IPEndPoint)listener.LocalEndpoint, Limit, TimeProvider.System, default);

        Assert.True(socket.Connected);
    }

    private static string Device(Socket socket)
    {
        Span<byte> name = stackalloc byte[16];
        var length = socket.GetRawSocketOption(1, 25, name);
        return System.Text.Encoding.ASCII.GetString(name[..length]).TrimEnd('\0');
    }
}
