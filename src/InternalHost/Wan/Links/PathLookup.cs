using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Links;

/// <summary>Whether a packet from an uplink's own address could leave by it at all.</summary>
internal interface IPathLookup
{
    /// <param name="targets">Addresses beyond the uplink; a path to one of them is a path.</param>
    PathSight Look(UplinkOptions uplink, ImmutableArray<IPAddress> targets);
}

/// <summary>The way of an uplink's packets as the kernel's tables have it now.</summary>
/// <param name="Source">The address they carry; null: not known.</param>
/// <param name="Gateway">Next hop; null: none (point to point), or not known.</param>
internal readonly record struct PathSight(PathState State, IPAddress? Source = null, IPAddress? Gateway = null)
{
    public static implicit operator PathSight(PathState state) => new(state);
}

/// <summary>
/// Asks the kernel's routing tables, rules included, for exactly the packet that a probe would send: this interface, this source
/// address. No errno of a socket says it: an IPv4 socket bound to an interface without a route "sends" into nowhere, and one whose
/// source address is gone sends with the other uplink's.
/// </summary>
internal sealed class PathLookup : IPathLookup
{
    private uint _sequence;

    public PathSight Look(UplinkOptions uplink, ImmutableArray<IPAddress> targets)
    {
        var index = NetlinkSocket.IndexOf(uplink.Interface);
        if (index == 0)
        {
            return PathState.Absent;
        }

        try
        {
            using var socket = NetlinkSocket.ToAsk();
            PathSight known = PathState.Unknown;
            foreach (var target in targets.Where(t => BoundSocket.Carries(uplink, t.AddressFamily)))
            {
                known = LookOne(socket, uplink.Address, index, target);
                if (known.State == PathState.Present)
                {
                    return known;
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

    private PathSight LookOne(Socket socket, IPAddress? source, int index, IPAddress target)
    {
        var route = Ask(socket, target, source, index, fibMatch: true);
        if (route is not { Error: 0 } || source is not null)
        {
            return new PathSight(StateOf(route), source, route?.Gateway);
        }

        // Without an address of its own in the configuration the kernel chooses one, if need be another interface's.
        var chosen = Ask(socket, target, null, index, fibMatch: false)?.Source;
        if (chosen is null || Ask(socket, chosen, null, 0, fibMatch: true) is not { Error: 0 } own)
        {
            return PathState.Unknown;
        }

        return own.Interface == index || IsLoopback(own.Interface) ? new PathSight(PathState.Present, chosen, route?.Gateway) : PathState.Absent;
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

    private static bool IsLoopback(int index) => index == NetlinkSocket.IndexOf("lo");
}
