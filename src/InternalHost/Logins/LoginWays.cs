using System.Net;
using System.Net.NetworkInformation;
using Common;
using Common.Kernel;
using Common.Logins;
using Common.Logins.Recording;

namespace InternalHost.Logins;

/// <summary>
/// Whether a login to this host came through our own tunnel: then its peer is this host itself, and the other end of its connection is a
/// socket of ours, because the tunnel's ssh runs as we do. What cannot be told is taken for the tunnel.
/// </summary>
internal sealed class LoginWays(KernelConnections kernel)
{
    public LoginWay Of(Login login) => LoginOrigin.Of(login.From, IsOwn, kernel.Read(), OwnUser.Uid);

    private static bool IsOwn(IPAddress address) => IPAddress.IsLoopback(address)
        || NetworkInterface.GetAllNetworkInterfaces().Any(i => i.GetIPProperties().UnicastAddresses.Any(a => a.Address.Equals(address)));
}

[PureCore]
internal static class LoginOrigin
{
    /// <param name="from">As sshd saw it; null: not known.</param>
    /// <param name="isOwn">An address of this host.</param>
    /// <param name="connections">What the kernel has now; null: it cannot be asked.</param>
    /// <param name="uid">We, and the tunnel's ssh.</param>
    public static LoginWay Of(IPEndPoint? from, Func<IPAddress, bool> isOwn, IEnumerable<TcpConnection>? connections, uint uid)
    {
        if (from is not null && !isOwn(from.Address))
        {
            return LoginWay.Direct;
        }

        // Without an inode it is only remembered by the kernel, and its owner reads as root.
        var client = connections?.FirstOrDefault(c => c.Inode != 0 && c.Local.Equals(from));
        return client is null || client.Owner == uid ? LoginWay.Tunnel : LoginWay.Direct;
    }
}
