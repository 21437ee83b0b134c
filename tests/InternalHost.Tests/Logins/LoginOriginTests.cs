using System.Net;
using Common.Kernel;
using Common.Logins.Recording;
using InternalHost.Logins;

namespace InternalHost.Tests.Logins;

public sealed class LoginOriginTests
{
    private const uint We = 990;
    private static readonly IPEndPoint Client = IPEndPoint.Parse("127.0.0.1:40000");
    private static readonly IPEndPoint Server = IPEndPoint.Parse("127.0.0.1:22");

    [Fact]
    public void From_another_machine_is_direct_whatever_the_kernel_has() =>
        Assert.Equal(LoginWay.Direct, Of("192.168.1.7:40000", Connection(We)));

    [Fact]
    public void Socket_of_ours_is_the_tunnel() => Assert.Equal(LoginWay.Tunnel, Of("127.0.0.1:40000", Connection(We)));

    [Fact]
    public void Socket_of_somebody_at_this_machine_is_direct() => Assert.Equal(LoginWay.Direct, Of("127.0.0.1:40000", Connection(1000)));

    [Fact]
    public void Target_that_is_this_host_by_another_address_is_looked_at_too() =>
        Assert.Equal(LoginWay.Tunnel, Of("192.168.1.2:40000", Connection(We) with { Local = IPEndPoint.Parse("192.168.1.2:40000") }));

    [Fact]
    public void Connection_that_is_gone_may_have_been_the_tunnel()
    {
        Assert.Equal(LoginWay.Tunnel, Of("127.0.0.1:40000"));
        Assert.Equal(LoginWay.Tunnel, Of("127.0.0.1:40000", Connection(0) with { Inode = 0, Established = false }));
        Assert.Equal(LoginWay.Tunnel, LoginOrigin.Of(Client, IsOwn, null, We));
        Assert.Equal(LoginWay.Tunnel, LoginOrigin.Of(null, IsOwn, [Connection(1000)], We));
    }

    [Fact]
    public void Our_other_end_and_other_ports_say_nothing() =>
        Assert.Equal(LoginWay.Tunnel, Of("127.0.0.1:40000", new TcpConnection(Server, Client, true, false, 8, 0), Connection(1000) with { Local = IPEndPoint.Parse("127.0.0.1:40001") }));

    private static LoginWay Of(string from, params TcpConnection[] connections) => LoginOrigin.Of(IPEndPoint.Parse(from), IsOwn, connections, We);

    private static bool IsOwn(IPAddress address) => IPAddress.IsLoopback(address) || address.Equals(IPAddress.Parse("192.168.1.2"));

    private static TcpConnection Connection(uint owner) => new(Client, Server, true, false, 7, owner);
}
