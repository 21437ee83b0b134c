using System.Net;
using System.Net.Sockets;
using Common.Kernel;

namespace Common.Tests.Kernel;

public sealed class ProcNetTcpTests
{
    [Fact]
    public void Both_families_are_read_and_mapped_addresses_are_ipv4()
    {
        const string Text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:BF7E 0200007F:9C56 01 00000000:00000000 00:00000000 00000000     0        0 31337 1 0000000000000000 20 4 30 10 -1
               1: 0000000000000000FFFF00000100007F:BF7E 0000000000000000FFFF00000764A8C0:0016 08 00000000:00000000 00:00000000 00000000     0        0 31338 1
               2: B80D0120000000000000000001000000:BF7E B80D0120000000000000000002000000:0050 01 00000000:00000000 00:00000000 00000000  1000        0 9 1
               3: 0100007F:BF7E 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 37142 1 0
            """;

        var connections = ProcNetTcp.Parse(Text).ToList();

        Assert.Equal(
            [
                new TcpConnection(IPEndPoint.Parse("127.0.0.1:49022"), IPEndPoint.Parse("127.0.0.2:40022"), true, false, 31337),
                new TcpConnection(IPEndPoint.Parse("127.0.0.1:49022"), IPEndPoint.Parse("192.168.100.7:22"), false, false, 31338),
                new TcpConnection(IPEndPoint.Parse("[2001:db8::1]:49022"), IPEndPoint.Parse("[2001:db8::2]:80"), true, false, 9, 1000),
                new TcpConnection(IPEndPoint.Parse("127.0.0.1:49022"), IPEndPoint.Parse("0.0.0.0:0"), false, true, 37142),
            ],
            connections);
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("0: 0100007F:BF7E 0200007F:9C56 01 x x x 0 0 notanumber 1")]
    [InlineData("0: 0100007G:BF7E 0200007F:9C56 01 x x x 0 0 1 1")]
    [InlineData("0: 0100007F:BF7EF 0200007F:9C56 01 x x x 0 0 1 1")]
    [InlineData("0: :1 :2 01 x x x 0 0 1 1")]
    public void Line_that_is_no_connection_is_left_out(string text) => Assert.Empty(ProcNetTcp.Parse(text));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Real_connection_is_found_with_its_socket_and_gone_when_closed(string address)
    {
        using var listener = new TcpListener(IPAddress.Parse(address), 0);
        listener.Start();
        using var client = new TcpClient(listener.LocalEndpoint.AddressFamily);
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var server = await listener.AcceptTcpClientAsync();
        var kernel = new KernelConnections();

        var found = Assert.Single(kernel.Read()!, Is(server));
        client.Client.LingerState = new LingerOption(true, 0);
        client.Close();

        Assert.True(found.Established);
        Assert.NotEqual(0UL, found.Inode);
        Assert.DoesNotContain(kernel.Read()!, c => c.Established && Is(server)(c));
    }

    [Fact]
    public void Kernel_that_cannot_be_asked_is_not_an_empty_one() => Assert.Null(new KernelConnections("/proc/nowhere").Read());

    private static Predicate<TcpConnection> Is(TcpClient server)
    {
        var (local, remote) = ((IPEndPoint)server.Client.LocalEndPoint!, (IPEndPoint)server.Client.RemoteEndPoint!);
        return c => c.Local.Equals(local) && c.Remote.Equals(remote);
    }
}
