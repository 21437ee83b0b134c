using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Common.Net;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Wan.Http;
using InternalHost.Wan.Links;

namespace InternalHost.Wan.Probes;

/// <summary>
/// Finds out from which address the world sees an uplink: the first STUN server that answers, else names that are answered with the
/// asker's address, of which two have to agree.
/// </summary>
internal sealed class PublicAddressClient(WitnessOptions witnesses, NamedServers servers, UplinkMeter meter, TimeProvider time)
{
    /// <summary>What STUN may take of the time: names come in only when it is silent.</summary>
    private const double StunShare = 0.6;

    /// <summary>Longer than most round trips; then the next server is asked as well.</summary>
    private static readonly TimeSpan NextServerAfter = TimeSpan.FromMilliseconds(400);

    private readonly StunClient _stun = new(meter, time);
    private readonly DnsExchange _dns = new(meter, time);

    public bool IsConfigured => !witnesses.Stun.IsEmpty || !witnesses.WhoAmI.IsEmpty;

    /// <param name="limit">The whole of it ends by then.</param>
    /// <returns>Null: not found out. By IPv6 it may be an IPv4 address: a NAT64 of the network's lies between.</returns>
    public async Task<PublicAddress?> FindAsync(UplinkOptions uplink, AddressFamily family, TimeSpan limit, CancellationToken ct)
    {
        limit = limit > TimeSpan.Zero ? limit : TimeSpan.Zero;
        var forStun = witnesses.WhoAmI.IsEmpty ? limit : limit * StunShare;
        return await ByStunAsync(uplink, family, forStun, ct) is { } firm
            ? new PublicAddress(firm, AddressSource.Stun, Instant.Now(time))
            : await ByNamesAsync(uplink, family, limit - forStun, ct);
    }

    private async Task<IPAddress?> ByStunAsync(UplinkOptions uplink, AddressFamily family, TimeSpan limit, CancellationToken ct)
    {
        if (witnesses.Stun.IsEmpty)
        {
            return null;
        }

        using var timer = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, ct);
        try
        {
            var attempts = witnesses.Stun.Select(Attempt).ToList();
            return (await Staggered.FirstAsync(attempts, Shorter(NextServerAfter, limit / (attempts.Count + 1)), time, discard: null, either.Token)).Value;
        }
        catch (Exception e) when (e is AggregateException or OperationCanceledException)
        {
            ct.ThrowIfCancellationRequested();
            return null;
        }

        Func<CancellationToken, Task<IPAddress>> Attempt(DnsEndPoint server) => async token =>
            await AskAsync(uplink, server, family, (at, t) => _stun.AskAsync(uplink, at, t), token) is { } address && IsOf(family, address)
                ? address
                : throw new UplinkException(uplink, $"STUN server {server.Host} answered with an address of the other family");
    }

    private static bool IsOf(AddressFamily asked, IPAddress seen) => seen.AddressFamily == asked || asked == AddressFamily.InterNetworkV6;

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private async Task<PublicAddress?> ByNamesAsync(UplinkOptions uplink, AddressFamily family, TimeSpan limit, CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, ct);
        var asked = witnesses.WhoAmI.Select(w => ByNameAsync(uplink, w, family, either.Token)).ToList();
        var found = ImmutableArray<IPAddress>.Empty;
        await foreach (var ended in Task.WhenEach(asked))
        {
            if (await ended is { } address)
            {
                if (found.Contains(address))
                {
                    await either.CancelAsync();
                    await Task.WhenAll(asked);
                    return new PublicAddress(address, AddressSource.Names, Instant.Now(time));
                }

                found = found.Add(address);
            }
        }

        ct.ThrowIfCancellationRequested();
        return found is [var only] ? new PublicAddress(only, AddressSource.OneName, Instant.Now(time)) : null;
    }

    /// <summary>Never faults: what does not answer has no voice.</summary>
    private async Task<IPAddress?> ByNameAsync(UplinkOptions uplink, WhoAmI who, AddressFamily family, CancellationToken ct)
    {
        var type = who.Text ? DnsType.Txt : family == AddressFamily.InterNetworkV6 ? DnsType.Aaaa : DnsType.A;
        try
        {
            var reply = await AskAsync(uplink, who.Server, family, (at, t) => _dns.ByUdpAsync(uplink, at, who.Name, type, t), ct);
            return reply.PublicAddress(family) is { } address && !PublicNames.IsHijack(who.Name, address) ? address : null;
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            return null;
        }
    }

    private async Task<T> AskAsync<T>(
        UplinkOptions uplink, DnsEndPoint server, AddressFamily family, Func<IPEndPoint, CancellationToken, Task<T>> ask, CancellationToken ct)
    {
        var at = await servers.FindAsync(uplink, server, family, ct);
        try
        {
            return await ask(at, ct);
        }
        catch (Exception e) when (e is UplinkException or OperationCanceledException)
        {
            servers.Doubt(uplink, server);
            throw;
        }
    }
}
