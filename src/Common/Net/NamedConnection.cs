using System.Net;
using System.Net.Sockets;

namespace Common.Net;

/// <summary>
/// TCP to a server by the machine's own resolver and routes, its addresses of both families overlapping (RFC 8305): a family that leads
/// nowhere costs a quarter of a second, not the connection.
/// </summary>
internal static class NamedConnection
{
    /// <summary>RFC 8305's delay between two connection attempts.</summary>
    private static readonly TimeSpan NextAddressAfter = TimeSpan.FromMilliseconds(250);

    /// <param name="host">A name or an address.</param>
    /// <exception cref="SocketException">The name has no address, or none of them takes the connection.</exception>
    public static async Task<NetworkStream> OpenAsync(string host, int port, TimeProvider time, CancellationToken ct)
    {
#pragma warning disable RS0030 // The system resolver: only the bastion comes here, which has one uplink.
        var addresses = Alternating(await Dns.GetHostAddressesAsync(host, ct));
#pragma warning restore RS0030
        if (addresses.Count == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        try
        {
            var (_, socket) = await Staggered.FirstAsync([.. addresses.Select(Attempt)], NextAddressAfter, time, late => late.Dispose(), ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (AggregateException e) when (e.InnerExceptions[0] is SocketException first)
        {
            throw new SocketException(first.ErrorCode);
        }

        Func<CancellationToken, Task<Socket>> Attempt(IPAddress address) => token => ConnectAsync(new IPEndPoint(address, port), token);
    }

    /// <summary>The resolver's order within each family; its first address first.</summary>
    private static List<IPAddress> Alternating(IPAddress[] addresses) =>
    [
        .. addresses.GroupBy(a => a.AddressFamily).SelectMany((family, second) => family.Select((address, n) => (address, Turn: (2 * n) + second)))
            .OrderBy(a => a.Turn).Select(a => a.address),
    ];

    private static async Task<Socket> ConnectAsync(IPEndPoint server, CancellationToken ct)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server, ct);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
