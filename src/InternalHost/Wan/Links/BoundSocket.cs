using System.Net;
using System.Net.Sockets;
using System.Text;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Links;

/// <summary>
/// Sockets that leave by one uplink and no other: bound to its interface (SO_BINDTODEVICE, which needs no privilege on a fresh
/// socket) and, where it has one, to its own source address. Close-on-exec, as every socket of .NET on Linux.
/// </summary>
/// <remarks>
/// Both are needed. The device alone sends with another uplink's source address once its own is gone; the address alone leaves by
/// whichever default route wins. No errno is a verdict: an IPv4 socket without a route just times out.
/// </remarks>
internal static class BoundSocket
{
    private const string Loopback = "lo";
    private const int SolSocket = 1;
    private const int SoBindToDevice = 25;

    /// <summary>IFNAMSIZ of linux/if.h, with its closing NUL.</summary>
    private const int MaxInterfaceName = 16;

    /// <exception cref="UplinkException">The interface or the source address is not there.</exception>
    public static Socket Tcp(UplinkOptions uplink, AddressFamily family) =>
        Create(uplink, family, SocketType.Stream, ProtocolType.Tcp);

    /// <inheritdoc cref="Tcp"/>
    public static Socket Udp(UplinkOptions uplink, AddressFamily family) =>
        Create(uplink, family, SocketType.Dgram, ProtocolType.Udp);

    /// <summary>A TCP connection to <paramref name="remote"/> by this uplink, Nagle off.</summary>
    /// <remarks>A loopback address is never behind an uplink: from a real interface it is dialled unbound, or it could not be reached at all.</remarks>
    /// <exception cref="UplinkException">Not connected; <see cref="UplinkException.Code"/> is TimedOut when <paramref name="timeout"/> passed.</exception>
    public static async Task<Socket> ConnectAsync(
        UplinkOptions uplink, IPEndPoint remote, TimeSpan timeout, TimeProvider time, CancellationToken ct)
    {
        var socket = IPAddress.IsLoopback(remote.Address) && uplink.Interface != Loopback
            ? new Socket(remote.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : Tcp(uplink, remote.AddressFamily);
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            socket.NoDelay = true;
            await socket.ConnectAsync(remote, either.Token);
            return socket;
        }
        catch (Exception e)
        {
            socket.Dispose();
            ct.ThrowIfCancellationRequested();
            throw e switch
            {
                OperationCanceledException => new UplinkException(uplink, $"connect to {remote}", new SocketException((int)SocketError.TimedOut)),
                SocketException cause => new UplinkException(uplink, $"connect to {remote}", cause),
                _ => e,
            };
        }
    }

    /// <summary>
    /// Whether this uplink is known to carry a family. Where the uplink is told by its source address, the other family would leave by
    /// whichever uplink the router likes.
    /// </summary>
    public static bool Carries(UplinkOptions uplink, AddressFamily family) => uplink.Address is null || uplink.Address.AddressFamily == family;

    /// <summary>Whether <paramref name="address"/> may be looked for behind this uplink: a loopback address is there only where the uplink itself is played on loopback.</summary>
    public static bool Reaches(UplinkOptions uplink, IPAddress address) =>
        Carries(uplink, address.AddressFamily) && (!IPAddress.IsLoopback(address) || uplink.Interface == Loopback);

    private static Socket Create(UplinkOptions uplink, AddressFamily family, SocketType type, ProtocolType protocol)
    {
        if (!Carries(uplink, family))
        {
            // Bound to the device alone it would leave by whichever uplink the router likes.
            throw new UplinkException(uplink, "bind to the source address", new SocketException((int)SocketError.AddressFamilyNotSupported));
        }

        var socket = new Socket(family, type, protocol);
        var doing = "bind to the interface";
        try
        {
            socket.SetRawSocketOption(SolSocket, SoBindToDevice, InterfaceName(uplink));
            if (uplink.Address is { } address)
            {
                doing = "bind to the source address";
                socket.Bind(new IPEndPoint(address, 0));
            }

            return socket;
        }
        catch (SocketException cause)
        {
            socket.Dispose();
            throw new UplinkException(uplink, doing, cause);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static byte[] InterfaceName(UplinkOptions uplink)
    {
        // The kernel cuts longer names silently, and an empty one would unbind.
        var name = Encoding.ASCII.GetBytes(uplink.Interface + '\0');
        return name.Length is > 1 and <= MaxInterfaceName
            ? name
            : throw new UplinkException(uplink, "bind to the interface", new SocketException((int)SocketError.InvalidArgument));
    }
}

/// <summary>One uplink could not be used for one thing. Says which uplink, interface and source address; the cause is kept.</summary>
internal sealed class UplinkException : IOException
{
    public UplinkException(UplinkOptions uplink, string doing, SocketException cause)
        : base($"{Describe(uplink)}: {doing}: {cause.Message}", cause) => (Uplink, Code) = (uplink.Name, cause.SocketErrorCode);

    public UplinkException(UplinkOptions uplink, string what, Exception? cause = null)
        : base($"{Describe(uplink)}: {what}", cause) => Uplink = uplink.Name;

    public UplinkName Uplink { get; }

    /// <summary>SocketError where it is not a socket that failed.</summary>
    public SocketError Code { get; } = SocketError.SocketError;

    private static string Describe(UplinkOptions uplink) =>
        $"{uplink.Name.ToString().ToLowerInvariant()} uplink ({uplink.Interface}, {uplink.Address?.ToString() ?? "any address"})";
}
