using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;

namespace InternalHost.Doctor;

/// <summary>Interfaces and addresses of both uplinks exist.</summary>
internal sealed class InterfaceCheck(SiteOptions site) : IDoctorCheck
{
    public string Name => "interfaces";

    public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct)
    {
        var all = NetworkInterface.GetAllNetworkInterfaces();
        return Task.FromResult<ImmutableArray<Finding>>([.. site.Lines.Select(uplink => Judge(all, uplink))]);
    }

    private static Finding Judge(NetworkInterface[] all, UplinkOptions uplink)
    {
        var check = $"{uplink.Name.ToString().ToLowerInvariant()} interface";
        if (all.FirstOrDefault(i => i.Name == uplink.Interface) is not { } found)
        {
            return Finding.Fail(check, $"{uplink.Interface} does not exist; there are {string.Join(", ", all.Select(i => i.Name))}", "name the right one in uplinks, or plug it in");
        }

        var addresses = found.GetIPProperties().UnicastAddresses.Select(a => a.Address).ToList();
        // All of 127/8 is the loopback's, listed or not.
        var own = found.NetworkInterfaceType == NetworkInterfaceType.Loopback && uplink.Address is { } loop && IPAddress.IsLoopback(loop);
        if (uplink.Address is { } wanted && !own && !addresses.Contains(wanted))
        {
            return Finding.Fail(
                check, $"{uplink.Interface} has not the address {wanted}; it has {(addresses.Count == 0 ? "none" : string.Join(", ", addresses))}", $"ip address add {wanted}/24 dev {uplink.Interface}   (and make it lasting)");
        }

        return found.OperationalStatus == OperationalStatus.Down ? Finding.Fail(check, $"{uplink.Interface} is down", $"ip link set {uplink.Interface} up; is its cable in?")
            : addresses.Count == 0 ? Finding.Fail(check, $"{uplink.Interface} has no address", "is its DHCP client running?")
            : Finding.Ok(check, $"{uplink.Interface}, {(uplink.Address is { } bound ? bound.ToString() : string.Join(", ", addresses))}");
    }
}

/// <summary>Whether packets of each uplink have a way out by it.</summary>
internal sealed class RouteCheck(SiteOptions site, IPathLookup paths) : IDoctorCheck
{
    public string Name => "routes";

    public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct) => Task.FromResult<ImmutableArray<Finding>>([.. site.Lines.Select(Route)]);

    private Finding Route(UplinkOptions uplink)
    {
        var check = $"{uplink.Name.ToString().ToLowerInvariant()} route";
        return paths.Look(uplink, Targets()).State switch
        {
            PathState.Present => Finding.Ok(check, $"there is a way out by {uplink.Interface}{(uplink.Address is { } a ? $" from {a}" : "")}"),
            PathState.Absent => Finding.Fail(check, $"no route leads out by {uplink.Interface}{(uplink.Address is { } a ? $" from {a}" : "")}: what is sent there is lost without an error", RouteAdvice.ForHost(uplink)),
            _ => Finding.CannotTell(check, "the kernel's routes cannot be read here"),
        };
    }

    private ImmutableArray<System.Net.IPAddress> Targets() =>
        [.. site.Witnesses.DnsA.Concat(site.Witnesses.DnsB).Concat(site.Witnesses.TlsA.Addresses).Select(e => e.Address)];
}
