using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;

namespace InternalHost.Wan.Probes;

/// <summary>
/// Makes the IPv4 world reachable by an uplink that has only IPv6 (cellular networks): finds the prefix of the network's NAT64 by asking
/// resolvers through the uplink (RFC 7050), else by trying the well-known one, and keeps it for a while.
/// </summary>
/// <param name="resolvers">The network's own first, where they are known: a public one announces no NAT64.</param>
internal sealed class Nat64(ImmutableArray<IPEndPoint> resolvers, UplinkFamilies families, UplinkMeter meter, TimeProvider time)
{
    private static readonly TimeSpan FoundFor = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan MissedFor = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly DnsExchange _dns = new(meter, time);
    private readonly ConcurrentDictionary<UplinkName, (Nat64Prefix? Prefix, Instant At)> _known = new();

    /// <summary>It has IPv6 only.</summary>
    public bool IsNeededBy(UplinkOptions uplink) => families.IsV6Only(uplink);

    /// <summary>
    /// Where <paramref name="addresses"/> are dialled by this uplink: as they are, or IPv4 under the NAT64's prefix, each once and in the
    /// same order. What cannot be reached is left out.
    /// </summary>
    public async Task<ImmutableArray<IPAddress>> ReachAsync(UplinkOptions uplink, ImmutableArray<IPAddress> addresses, CancellationToken ct)
    {
        if (!families.IsV6Only(uplink))
        {
            return [.. addresses.Where(a => IPAddress.IsLoopback(a) || BoundSocket.Carries(uplink, a.AddressFamily))];
        }

        var prefix = addresses.Any(NeedsPrefix) ? await PrefixAsync(uplink, ct) : null;
        return [.. addresses.Select(a => NeedsPrefix(a) ? prefix?.Synthesize(a) : a).OfType<IPAddress>().Distinct()];
    }

    /// <summary>Null: the uplink needs none, or its network has none.</summary>
    public async Task<Nat64Prefix?> PrefixAsync(UplinkOptions uplink, CancellationToken ct)
    {
        if (!families.IsV6Only(uplink))
        {
            return null;
        }

        var now = Instant.Now(time);
        if (_known.TryGetValue(uplink.Name, out var known) && now - known.At < (known.Prefix is null ? MissedFor : FoundFor))
        {
            return known.Prefix;
        }

        var found = await DiscoverAsync(uplink, ct) ?? known.Prefix;
        _known[uplink.Name] = (found, Instant.Now(time));
        return found;
    }

    /// <summary>A loopback address is behind no uplink.</summary>
    private static bool NeedsPrefix(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address);

    private async Task<Nat64Prefix?> DiscoverAsync(UplinkOptions uplink, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        var v6 = resolvers.Where(r => r.AddressFamily == AddressFamily.InterNetworkV6 && BoundSocket.Reaches(uplink, r.Address));
        var trial = resolvers.FirstOrDefault(r => r.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(r.Address));
        var asked = v6.Select(r => AskAsync(uplink, r, either.Token)).ToList();
        if (trial is not null)
        {
            asked.Add(TryWellKnownAsync(uplink, trial, either.Token));
        }

        await foreach (var ended in Task.WhenEach(asked))
        {
            if (await ended is { } found)
            {
                await either.CancelAsync();
                await Task.WhenAll(asked);
                return found;
            }
        }

        ct.ThrowIfCancellationRequested();
        return null;
    }

    private async Task<Nat64Prefix?> AskAsync(UplinkOptions uplink, IPEndPoint resolver, CancellationToken ct)
    {
        try
        {
            return Nat64Prefix.Discover((await _dns.ByUdpAsync(uplink, resolver, Nat64Prefix.DiscoveryName, DnsType.Aaaa, ct)).Addresses());
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>A public resolver that answers at its IPv4 address behind the well-known prefix proves that there is a NAT64.</summary>
    private async Task<Nat64Prefix?> TryWellKnownAsync(UplinkOptions uplink, IPEndPoint resolver, CancellationToken ct)
    {
        var behind = new IPEndPoint(Nat64Prefix.WellKnown.Synthesize(resolver.Address), resolver.Port);
        try
        {
            await _dns.ByUdpAsync(uplink, behind, Nat64Prefix.DiscoveryName, DnsType.A, ct);
            return Nat64Prefix.WellKnown;
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            return null;
        }
    }
}
