using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;

namespace InternalHost.Wan.Http;

/// <summary>Addresses of witnesses that are named, resolved through the uplink itself and kept for a while: names move, but not each minute.</summary>
internal sealed class NamedServers(UplinkResolver resolver, TimeProvider time)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<(UplinkName, string), (ImmutableArray<IPAddress> Addresses, Instant At)> _known = new();

    /// <summary>The server's first address of that family.</summary>
    /// <exception cref="UplinkException">It has none, or its name cannot be resolved and never could.</exception>
    public async Task<IPEndPoint> FindAsync(UplinkOptions uplink, DnsEndPoint server, AddressFamily family, CancellationToken ct)
    {
        var addresses = IPAddress.TryParse(server.Host, out _)
            ? (await resolver.ResolveAsync(uplink, server.Host, ct)).Addresses   // nobody is asked; a NAT64 may be needed to reach it
            : await ResolveAsync(uplink, server.Host, ct);
        return addresses.FirstOrDefault(a => a.AddressFamily == family) is { } found
            ? new IPEndPoint(found, server.Port)
            : throw new UplinkException(uplink, $"{server.Host} has no {(family == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4")} address");
    }

    /// <summary>What was found there is asked anew the next time: it did not answer.</summary>
    public void Doubt(UplinkOptions uplink, DnsEndPoint server)
    {
        if (_known.TryGetValue((uplink.Name, server.Host), out var known))
        {
            _known[(uplink.Name, server.Host)] = known with { At = Instant.Now(time) - KeptFor };
        }
    }

    private async Task<ImmutableArray<IPAddress>> ResolveAsync(UplinkOptions uplink, string host, CancellationToken ct)
    {
        var known = _known.GetValueOrDefault((uplink.Name, host));
        if (!known.Addresses.IsDefault && Instant.Now(time) - known.At < KeptFor)
        {
            return known.Addresses;
        }

        try
        {
            var addresses = (await resolver.ResolveAsync(uplink, host, ct)).Addresses;
            _known[(uplink.Name, host)] = (addresses, Instant.Now(time));
            return addresses;
        }
        catch (UplinkException) when (!known.Addresses.IsDefault)
        {
            return known.Addresses;
        }
    }
}
