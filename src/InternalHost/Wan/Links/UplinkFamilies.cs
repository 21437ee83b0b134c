using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Links;

/// <summary>Which address families an uplink has an address of now: by its source address, or else by those of its interface.</summary>
internal sealed class UplinkFamilies(TimeProvider time)
{
    /// <summary>Addresses come and go with the link; a probe a second need not look each time.</summary>
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<UplinkName, (ImmutableArray<AddressFamily> Families, Instant At)> _known = new();

    /// <summary>IPv4 first. Empty: the interface is not there, or has no address.</summary>
    public ImmutableArray<AddressFamily> Of(UplinkOptions uplink)
    {
        if (uplink.Address is { } own)
        {
            return [own.AddressFamily];
        }

        var now = Instant.Now(time);
        if (_known.TryGetValue(uplink.Name, out var known) && now - known.At < KeptFor)
        {
            return known.Families;
        }

        var families = Look(uplink.Interface);
        _known[uplink.Name] = (families, now);
        return families;
    }

    /// <summary>Only IPv6: what has no IPv6 address can be reached through a NAT64 alone.</summary>
    public bool IsV6Only(UplinkOptions uplink) => Of(uplink) is [AddressFamily.InterNetworkV6];

    private static ImmutableArray<AddressFamily> Look(string name)
    {
        try
        {
            var addresses = NetworkInterface.GetAllNetworkInterfaces().FirstOrDefault(i => i.Name == name)?.GetIPProperties().UnicastAddresses.Select(a => a.Address) ?? [];
            return [.. addresses.Where(a => !a.IsIPv6LinkLocal).Select(a => a.AddressFamily).Distinct().Order()];
        }
        catch (NetworkInformationException)
        {
            return [];   // taken away between two looks
        }
    }
}
