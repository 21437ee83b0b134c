using System.Net.Sockets;
using Common;
using InternalHost.Configuration;
using InternalHost.Wan;

namespace InternalHost.Doctor;

/// <summary>The rules that make each uplink's packets leave by it: on this machine, or on the router in front of it. Pure.</summary>
[PureCore]
internal static class RouteAdvice
{
    /// <summary>Commands for this machine, in the order they are typed; for an uplink that has no route of its own.</summary>
    public static string ForHost(UplinkOptions uplink)
    {
        var gateway = uplink.Gateway?.ToString() ?? "GATEWAY";
        var family = uplink.Gateway is { AddressFamily: AddressFamily.InterNetworkV6 } ? "ip -6" : "ip";
        if (uplink.Address is not { } address)
        {
            return $"{family} route add default via {gateway} dev {uplink.Interface} metric {Metric(uplink)}";
        }

        var table = Table(uplink);
        return $"{family} route add default via {gateway} dev {uplink.Interface} table {table} && {family} rule add from {address} table {table} priority {table}";
    }

    /// <summary>What the router must do in wiring B, where both uplinks are one wire.</summary>
    public static string ForRouter(SiteOptions site) =>
        $"On the router: send {site.Primary.Address} by the primary line only and {site.Backup.Address} by the backup line only (policy or source routing), "
        + "and refuse rather than fall over (kill switch; \"skip rules when gateway is down\" off). For each address, its public address must be that line's.";

    private static int Table(UplinkOptions uplink) => uplink.Name == UplinkName.Primary ? 101 : 102;

    /// <summary>The primary stays the default of everything else on this machine.</summary>
    private static int Metric(UplinkOptions uplink) => uplink.Name == UplinkName.Primary ? 100 : 300;
}
