using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using InternalHost.Configuration;

namespace InternalHost.Wan;

/// <summary>Whether a packet from an uplink's own address could leave by it at all.</summary>
internal interface IPathLookup
{
    /// <param name="targets">Addresses beyond the uplink; a path to one of them is a path.</param>
    PathState Look(UplinkOptions uplink, ImmutableArray<IPAddress> targets);
}

/// <summary>
/// Asks the kernel's routing tables, rules included, for exactly the packet that a probe would send: this interface, this source
/// address. No errno of a socket says it: an IPv4 socket bound to an interface without a route "sends" into nowhere, and one whose
/// source address is gone sends with the other uplink's.
/// </summary>
internal sealed partial class PathLookup : IPathLookup
{
    private const int Netlink = 16;
    private const int RawCloseOnExec = 3 | 0x80000;   // SOCK_RAW | SOCK_CLOEXEC, the same on all machines we run on
    private const int RouteProtocol = 0;

    /// <summary>The kernel answers before send returns; a lost answer must still not hang the watch.</summary>
    private const int AnswerLimitMilliseconds = 200;

    private uint _sequence;

    public PathState Look(UplinkOptions uplink, ImmutableArray<IPAddress> targets)
    {
        var index = (int)IndexOf(uplink.Interface);
        if (index == 0)
        {
            return PathState.Absent;
        }

        try
        {
            using var socket = Open();
            var known = PathState.Unknown;
            foreach (var target in targets.Where(t => BoundSocket.Carries(uplink, t.AddressFamily)))
            {
                known = LookOne(socket, uplink.Address, index, target);
                if (known == PathState.Present)
                {
                    return PathState.Present;
                }
            }

            return known;
        }
        catch (SocketException)
        {
            // No netlink in this sandbox, or no answer: the witnesses decide alone.
            return PathState.Unknown;
        }
    }

    private PathState LookOne(Socket socket, IPAddress? source, int index, IPAddress target)
    {
        var route = Ask(socket, target, source, index, fibMatch: true);
        if (route is not { Error: 0 } || source is not null)
        {
            return StateOf(route);
        }

        // Without an address of its own in the configuration the kernel chooses one, if need be another interface's.
        var chosen = Ask(socket, target, null, index, fibMatch: false)?.Source;
        if (chosen is null || Ask(socket, chosen, null, 0, fibMatch: true) is not { Error: 0 } own)
        {
            return PathState.Unknown;
        }

        return own.Interface == index || IsLoopback(own.Interface) ? PathState.Present : PathState.Absent;
    }

    private static PathState StateOf(RouteAnswer? answer) => answer switch
    {
        null => PathState.Unknown,
        { Error: 0 } => PathState.Present,
        { Error: NotPermitted or NoAccess or NotSupported } => PathState.Unknown,
        _ => PathState.Absent,
    };

    private const int NotPermitted = 1;    // EPERM
    private const int NoAccess = 13;       // EACCES: also a "prohibit" route, left to the witnesses
    private const int NotSupported = 95;   // EOPNOTSUPP

    private RouteAnswer? Ask(Socket socket, IPAddress target, IPAddress? source, int index, bool fibMatch)
    {
        var sequence = ++_sequence;
        socket.Send(RouteMessage.Query(sequence, target, source, index, fibMatch));
        Span<byte> buffer = stackalloc byte[4096];
        var length = socket.Receive(buffer);
        return RouteMessage.TryParse(buffer[..length], sequence, out var answer) ? answer : null;
    }

    private static bool IsLoopback(int index) => index == (int)IndexOf("lo");

    private static Socket Open()
    {
        var descriptor = OpenSocket(Netlink, RawCloseOnExec, RouteProtocol);
        return descriptor < 0
            ? throw new SocketException(Marshal.GetLastPInvokeError())
            : new Socket(new SafeSocketHandle(descriptor, ownsHandle: true)) { ReceiveTimeout = AnswerLimitMilliseconds };
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint IndexOf(string name);
}
