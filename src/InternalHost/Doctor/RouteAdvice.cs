using System.Net.Sockets;
using Common;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;

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

    /// <summary>
    /// What the router must do in wiring B: each address by one line, and refused when that line is down. A router that falls over makes
    /// a dead primary look alive.
    /// </summary>
    public static string ForRouter(SiteOptions site)
    {
        var (primary, backup) = ($"{site.Primary.Address}", $"{site.Backup.Address}");
        return $"""
            The router must send {primary} by the primary line only and {backup} by the backup line only, and refuse rather than fall over:
            OPNsense, pfSense: two LAN rules on top: source {primary}, gateway WAN1; source {backup}, gateway WAN2. Under each a rule that
              blocks the same source, and "Skip rules when gateway is down" on (else the rule stays, and uses the default line).
            UniFi: two policy-based (traffic) routes: {primary} by WAN1, {backup} by WAN2, kill switch on for both.
            Linux: ip rule add from {primary} table 101 priority 101; ip route add default via GATEWAY1 dev WAN1 table 101
              ip route add unreachable default metric 9999 table 101   (the same with {backup}, 102, GATEWAY2, WAN2)
            """;
    }

    /// <summary>Wiring C: one example for each router of a command that prints up or down.</summary>
    public static string ForObserver() =>
        """
        A small program, run as the service's user, that prints up, down or unknown and the age in seconds; for example by ssh with a key of its own:
        OPNsense, pfSense: pluginctl -r return_gateways_status (OPNsense) or pfSsh.php playback gatewaystatus (pfSense): up where WAN1 shows none or online
        UniFi, Linux: ping -c 2 -w 3 -I WAN1 9.9.9.9 > /dev/null && echo up 0 || echo down 0
        """;

    private static int Table(UplinkOptions uplink) => uplink.Name == UplinkName.Primary ? 101 : 102;

    /// <summary>The primary stays the default of everything else on this machine.</summary>
    private static int Metric(UplinkOptions uplink) => uplink.Name == UplinkName.Primary ? 100 : 300;
}
