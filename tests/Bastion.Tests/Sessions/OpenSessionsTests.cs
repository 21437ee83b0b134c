using System.Collections.Immutable;
using System.Net;
using Bastion.Configuration;
using Bastion.Sessions;
using Common.Time;
using Common.Kernel;
using Common.Logins;

namespace Bastion.Tests.Sessions;

public sealed class OpenSessionsTests
{
    private static readonly ImmutableArray<int> Ports = [49022, 443];

    [Fact]
    public void Session_is_open_while_the_kernel_has_its_connection()
    {
        var open = OpenSessions.Verify([Session(1, 5000)], [Connection(5000, 77)], Ports);

        Assert.Equal(Session(1, 5000) with { Inode = 77 }, Assert.Single(open));
    }

    [Fact]
    public void Session_without_connection_is_closed_though_no_line_said_so() =>
        Assert.Empty(OpenSessions.Verify([Session(1, 5000)], [Connection(5001, 77)], Ports));

    [Fact]
    public void Half_closed_connection_is_no_session() =>
        Assert.Empty(OpenSessions.Verify([Session(1, 5000)], [Connection(5000, 77) with { Established = false }], Ports));

    [Fact]
    public void Connection_to_another_service_is_no_session() =>
        Assert.Empty(OpenSessions.Verify([Session(1, 5000)], [Connection(5000, 77, localPort: 22)], Ports));

    [Fact]
    public void Same_peer_with_another_socket_is_another_connection() =>
        Assert.Empty(OpenSessions.Verify([Session(1, 5000) with { Inode = 76 }], [Connection(5000, 77)], Ports));

    [Fact]
    public void Reused_port_belongs_to_the_newer_login()
    {
        var open = OpenSessions.Verify([Session(1, 5000), Session(2, 5000)], [Connection(5000, 77)], Ports);

        Assert.Equal([2L], open.Select(s => s.Login));
    }

    [Fact]
    public void One_client_port_to_both_of_our_ports_is_two_sessions()
    {
        var open = OpenSessions.Verify([Session(1, 5000), Session(2, 5000)], [Connection(5000, 77), Connection(5000, 78, localPort: 443)], Ports);

        Assert.Equal([1L, 2L], open.Select(s => s.Login));
        Assert.Equal(2, open.Select(s => s.Inode).Distinct().Count());
    }

    [Fact]
    public void Bound_session_keeps_its_socket_when_a_newer_login_has_the_same_peer()
    {
        var open = OpenSessions.Verify([Session(1, 5000) with { Inode = 77 }, Session(2, 5000)], [Connection(5000, 77)], Ports);

        Assert.Equal([1L], open.Select(s => s.Login));
    }

    [Fact]
    public void Verifying_twice_changes_nothing()
    {
        ImmutableArray<TcpConnection> kernel = [Connection(5000, 77), Connection(5001, 78)];
        var once = OpenSessions.Verify([Session(1, 5000), Session(2, 5001), Session(3, 5002)], kernel, Ports);

        Assert.Equal(once.AsEnumerable(), OpenSessions.Verify(once, kernel, Ports));
    }

    [Theory]
    [InlineData("site", false)]
    [InlineData("person", true)]
    [InlineData("maintenance", true)]
    [InlineData("unknown", true)]
    public void Only_a_sites_tunnel_does_not_count(string role, bool counts) =>
        Assert.Equal(counts, OpenSessions.Counts(Session(1, 5000) with { Role = Enum.Parse<LoginRole>(role, ignoreCase: true) }));

    private static OpenSession Session(long login, int port) => new(login, Peer(port), null, LoginRole.Person, "alice", "phone", new Instant(1));

    private static TcpConnection Connection(int port, ulong inode, int localPort = 49022) => new(new IPEndPoint(IPAddress.Loopback, localPort), Peer(port), true, false, inode);

    private static IPEndPoint Peer(int port) => new(IPAddress.Parse("198.51.100.7"), port);
}
