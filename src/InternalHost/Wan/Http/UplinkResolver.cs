using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Common.Net;
using InternalHost.Configuration;
using InternalHost.Wan.Links;
using InternalHost.Wan.Probes;

namespace InternalHost.Wan.Http;

/// <summary>
/// Names to addresses through one uplink and no other, never by the system's resolver: the configured servers by UDP, each a second
/// after the one before, then by TCP, and beside them the addresses where the name was last proven.
/// </summary>
/// <param name="lastGood">Null: nothing is remembered (witnesses ask what is true now).</param>
/// <param name="nat64">What has no IPv6 address is reached through it by an uplink that has nothing else.</param>
internal sealed class UplinkResolver(ImmutableArray<IPEndPoint> servers, LastGoodAddresses? lastGood, UplinkMeter meter, TimeProvider time, Nat64? nat64 = null)
{
    private static readonly TimeSpan NextServerAfter = TimeSpan.FromSeconds(1);

    /// <summary>Where old addresses are at hand, dead DNS must not hold up the start of the VM.</summary>
    private static readonly TimeSpan PatienceWithLastGood = TimeSpan.FromSeconds(2);

    /// <summary>Enough for every server by UDP and the first by TCP.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    /// <summary>How long the slower family may keep the faster one waiting (RFC 8305 section 3 has 50 ms; a satellite's jitter is more).</summary>
    private static readonly TimeSpan OtherFamily = TimeSpan.FromMilliseconds(250);

    /// <summary>More are not worth trying.</summary>
    private const int MaxAddresses = 8;

    private readonly DnsExchange _exchange = new(meter, time);

    /// <summary>At least one address.</summary>
    /// <exception cref="UplinkException">None: DNS is silent, or does not know the name.</exception>
    public async Task<Resolution> ResolveAsync(UplinkOptions uplink, string name, CancellationToken ct)
    {
        var host = name.TrimEnd('.');
        if (Literal(host) is { } literal)
        {
            return new Resolution(host, nat64 is null ? literal : await nat64.ReachAsync(uplink, literal, ct), []);
        }

        if (!DnsMessage.IsName(host))
        {
            throw new UplinkException(uplink, $"'{host}' is not a name that DNS can carry");
        }

        var old = lastGood?.Find(host) ?? [];
        var (fresh, cause) = await AskAsync(uplink, host, old.Length > 0 ? PatienceWithLastGood : Patience, ct);
        var prefix = nat64 is null ? null : await nat64.PrefixAsync(uplink, ct);
        var resolution = new Resolution(host, Reached(uplink, fresh, prefix), Reached(uplink, old, prefix)) { Nat64 = prefix };
        return resolution.Addresses.Length > 0
            ? resolution
            : throw new UplinkException(uplink, cause is null ? $"DNS knows no address of {host}" : $"resolve {host}: {cause.Message}", cause);
    }

    /// <summary>A verified handshake at <paramref name="address"/>: its resolution is remembered for days without DNS.</summary>
    public void Prove(Resolution resolution, IPAddress address, DateTimeOffset at)
    {
        if (resolution.Fresh.Contains(address) && Literal(resolution.Name) is null)
        {
            var others = resolution.Fresh.Where(a => !a.Equals(address) && !PublicNames.IsHijack(resolution.Name, a));
            lastGood?.Keep(resolution.Name, [.. others.Prepend(address).Select(a => resolution.Nat64?.Extract(a) ?? a)], at);
        }
    }

    private static ImmutableArray<IPAddress> Reached(UplinkOptions uplink, ImmutableArray<IPAddress> addresses, Nat64Prefix? prefix) =>
        [.. addresses.Select(a => prefix is not null && a.AddressFamily == AddressFamily.InterNetwork ? prefix.Synthesize(a) : a).Where(a => BoundSocket.Reaches(uplink, a))];

    private static ImmutableArray<IPAddress>? Literal(string host)
    {
        if (IPAddress.TryParse(host, out var address))
        {
            return [address];
        }

        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? [IPAddress.Loopback, IPAddress.IPv6Loopback] : null;
    }

    private async Task<(ImmutableArray<IPAddress> Fresh, Exception? Cause)> AskAsync(
        UplinkOptions uplink, string name, TimeSpan patience, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        var asked = new[] { (AddressFamily.InterNetworkV6, DnsType.Aaaa), (AddressFamily.InterNetwork, DnsType.A) }
            .Where(f => BoundSocket.Carries(uplink, f.Item1) || nat64?.IsNeededBy(uplink) == true)
            .Select(f => AskTypeAsync(uplink, name, f.Item2, either.Token)).ToList();
        await WaitForBothAsync(asked, either.Token);
        await either.CancelAsync();

        var results = await Task.WhenAll(asked);
        ct.ThrowIfCancellationRequested();
        return (Interleave([.. results.Select(r => r.Addresses)]), results.Select(r => r.Cause).FirstOrDefault(c => c is not null));
    }

    /// <summary>The families by turns (RFC 8305 section 4): a family that leads nowhere costs one try before the other begins.</summary>
    private static ImmutableArray<IPAddress> Interleave(ImmutableArray<IPAddress>[] families) =>
        [.. Enumerable.Range(0, families.Max(f => f.Length)).SelectMany(i => families.Where(f => i < f.Length).Select(f => f[i])).Take(MaxAddresses)];

    /// <summary>Until all have answered, or one has addresses and the other had its quarter of a second.</summary>
    private async Task WaitForBothAsync(List<Task<(ImmutableArray<IPAddress> Addresses, Exception? Cause)>> asked, CancellationToken ct)
    {
        var all = Task.WhenAll(asked);
        var first = await await Task.WhenAny(asked);
        if (first.Addresses.Length == 0)
        {
            await all;
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await Task.WhenAny(all, Task.Delay(OtherFamily, time, stop.Token));
        await stop.CancelAsync();
    }

    private async Task<(ImmutableArray<IPAddress> Addresses, Exception? Cause)> AskTypeAsync(
        UplinkOptions uplink, string name, DnsType type, CancellationToken ct)
    {
        // A resolver on loopback is the system's, and leaves by whichever uplink it likes.
        var usable = servers.Where(s => BoundSocket.Reaches(uplink, s.Address)).ToList();
        if (usable.Count == 0)
        {
            return ([], new UplinkException(uplink, "no configured DNS server can be asked through it (address family, or a resolver of this machine)"));
        }

        List<Func<CancellationToken, Task<DnsReply>>> attempts =
        [
            .. usable.Select<IPEndPoint, Func<CancellationToken, Task<DnsReply>>>(s => t => _exchange.ByUdpAsync(uplink, s, name, type, t)),
            .. usable.Select<IPEndPoint, Func<CancellationToken, Task<DnsReply>>>(s => t => _exchange.ByTcpAsync(uplink, s, name, type, t)),
        ];
        try
        {
            var (_, reply) = await Staggered.FirstAsync(attempts, NextServerAfter, time, discard: null, ct);
            return (reply.Addresses(), null);
        }
        catch (OperationCanceledException)
        {
            return ([], new UplinkException(uplink, "no DNS server answered", new SocketException((int)SocketError.TimedOut)));
        }
        catch (AggregateException e)
        {
            return ([], e.InnerExceptions[0]);
        }
    }
}

/// <param name="Fresh">What DNS says now, or the literal.</param>
/// <param name="LastGood">Where the name was last proven.</param>
internal sealed record Resolution(string Name, ImmutableArray<IPAddress> Fresh, ImmutableArray<IPAddress> LastGood)
{
    /// <summary>The prefix under which the IPv4 ones among them stand.</summary>
    public Nat64Prefix? Nat64 { get; init; }

    /// <summary>In the order to be tried: what is said now, what was once proven, and last what looks like a hijack.</summary>
    public ImmutableArray<IPAddress> Addresses
    {
        get
        {
            var literal = IPAddress.TryParse(Name, out _);
            var doubted = literal ? [] : Fresh.Where(a => PublicNames.IsHijack(Name, a)).ToList();
            return [.. Fresh.Except(doubted).Concat(LastGood).Concat(doubted).Distinct()];
        }
    }
}
