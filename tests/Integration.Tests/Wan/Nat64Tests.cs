using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Http;
using InternalHost.Wan.Links;
using InternalHost.Wan.Probes;
using Lab.World;
using Testing;

namespace Integration.Tests.Wan;

/// <summary>An uplink that has IPv6 only: its network's prefix found by real DNS on ::1, and used.</summary>
public sealed class Nat64Tests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly UplinkOptions V6 = new(UplinkName.Backup, "lo", IPAddress.IPv6Loopback);

    private readonly UplinkMeter _meter = new();
    private readonly CancellationTokenSource _limit = new(Patience);
    private DnsServer _dns = null!;
    private Nat64 _nat64 = null!;

    public Task InitializeAsync()
    {
        _dns = DnsServer.Start(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        _nat64 = new Nat64([_dns.EndPoint], new UplinkFamilies(TimeProvider.System), _meter, TimeProvider.System);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _dns.DisposeAsync();
        _limit.Dispose();
    }

    [NeedsFact(Need.Ipv6)]
    public async Task Prefix_is_learnt_from_the_networks_resolver_and_kept()
    {
        _dns.Zone.Add(Nat64Prefix.DiscoveryName, IPAddress.Parse("2001:db8:64::c000:aa"));

        Assert.Equal(new Nat64Prefix(IPAddress.Parse("2001:db8:64::"), 96), await _nat64.PrefixAsync(V6, _limit.Token));
        Assert.Equal(
            [IPAddress.Parse("2001:db8:64::c612:7"), IPAddress.Parse("2001:db8::7"), IPAddress.Loopback],
            (await _nat64.ReachAsync(V6, [IPAddress.Parse("198.18.0.7"), IPAddress.Parse("2001:db8::7"), IPAddress.Loopback], _limit.Token)).ToArray());
        Assert.Single(_dns.Seen);
    }

    [NeedsFact(Need.Ipv6)]
    public async Task Network_without_nat64_leaves_ipv4_out()
    {
        Assert.Equal([IPAddress.Parse("2001:db8::7")], (await _nat64.ReachAsync(V6, [IPAddress.Parse("198.18.0.7"), IPAddress.Parse("2001:db8::7")], _limit.Token)).ToArray());
    }

    [NeedsFact(Need.Ipv6)]
    public async Task Uplink_with_ipv4_asks_nobody()
    {
        var v4 = new UplinkOptions(UplinkName.Primary, "lo", IPAddress.Loopback);
        var both = new UplinkOptions(UplinkName.Primary, "lo");

        Assert.Equal([IPAddress.Parse("198.18.0.7")], (await _nat64.ReachAsync(v4, [IPAddress.Parse("198.18.0.7"), IPAddress.Parse("2001:db8::7")], _limit.Token)).ToArray());
        Assert.Equal(2, (await _nat64.ReachAsync(both, [IPAddress.Parse("198.18.0.7"), IPAddress.Parse("2001:db8::7")], _limit.Token)).Length);
        Assert.Empty(_dns.Seen);
    }

    [NeedsFact(Need.Ipv6)]
    public async Task Name_without_an_ipv6_address_is_resolved_behind_the_prefix_and_remembered_as_it_is()
    {
        _dns.Zone.Add(Nat64Prefix.DiscoveryName, IPAddress.Parse("2001:db8:64::c000:ab"));
        _dns.Zone.Add("api.lab.test", IPAddress.Parse("198.18.0.7"));
        using var database = Common.Journal.Database.Open(":memory:", LastGoodAddresses.Migration);
        var lastGood = new LastGoodAddresses(database, TimeProvider.System);
        var resolver = new UplinkResolver([_dns.EndPoint], lastGood, _meter, TimeProvider.System, _nat64);

        var resolution = await resolver.ResolveAsync(V6, "api.lab.test", _limit.Token);
        resolver.Prove(resolution, resolution.Addresses[0], DateTimeOffset.UnixEpoch);

        Assert.Equal([IPAddress.Parse("2001:db8:64::c612:7")], resolution.Addresses.ToArray());
        Assert.Equal([IPAddress.Parse("198.18.0.7")], lastGood.Find("api.lab.test").ToArray());
    }

    [NeedsFact(Need.Ipv6)]
    public async Task Whole_probes_work_over_ipv6()
    {
        await using var stun = StunServer.Start(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        _dns.Zone.Add("probe.test", IPAddress.Parse("198.18.0.1"));

        Assert.Equal(IPAddress.IPv6Loopback, await new StunClient(_meter, TimeProvider.System).AskAsync(V6, stun.EndPoint, _limit.Token));
        Assert.Equal(ProbeOutcome.Answered, await new DnsProbe("probe.test", _meter).AskAsync(V6, _dns.EndPoint, randomLabel: true, _limit.Token));
        await Assert.ThrowsAsync<UplinkException>(() => new StunClient(_meter, TimeProvider.System).AskAsync(
            V6, new IPEndPoint(IPAddress.Loopback, stun.EndPoint.Port), _limit.Token));
    }

    /// <summary>Issue 3: an address of the other family was thrown away, and the uplink could never be shown to leave by itself.</summary>
    [NeedsFact(Need.Ipv6)]
    public async Task Public_address_seen_through_a_nat64_is_one_of_ipv4()
    {
        await using var stun = StunServer.Start(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        stun.SeenAs = from => new IPEndPoint(IPAddress.Parse("203.0.113.5"), from.Port);
        var witnesses = new WitnessOptions([], [], [], new TlsWitness("a", []), new TlsWitness("b", []), [], [], "probe.test") { Stun = [new("::1", stun.EndPoint.Port)] };
        var servers = new NamedServers(new UplinkResolver([], lastGood: null, _meter, TimeProvider.System, _nat64), TimeProvider.System);
        var client = new PublicAddressClient(witnesses, servers, _meter, TimeProvider.System);
        var primary = new UplinkOptions(UplinkName.Primary, "lo", IPAddress.Loopback);
        var probe = new EgressProbe(primary, V6, client, new UplinkFamilies(TimeProvider.System), TimeProvider.System);

        Assert.Equal(ProbeOutcome.Answered, await probe.AskAsync(UplinkName.Backup, AddressFamily.InterNetworkV6, Patience, _limit.Token));

        Assert.Equal(IPAddress.Parse("203.0.113.5"), probe.Last(UplinkName.Backup)!.Address);
    }

    [NeedsFact(Need.Ipv6)]
    public async Task Prober_asks_in_the_family_it_is_told_else_in_one_that_the_uplink_has()
    {
        await using var v4 = DnsServer.Start(new IPEndPoint(IPAddress.Loopback, 0));
        var both = new UplinkOptions(UplinkName.Primary, "lo");
        var witnesses = new WitnessOptions([], [v4.EndPoint, _dns.EndPoint], [], new TlsWitness("a", []), new TlsWitness("b", []), [], [], "probe.test");
        var trusted = new TrustedTime(new FakeKernel(), TimeProvider.System, null, TrustedTime.BuildDate);
        var prober = new WitnessProber(both, V6, witnesses, trusted, _meter, TimeProvider.System);

        foreach (var (family, uplink, server) in new[]
        {
            (AddressFamily.InterNetwork, UplinkName.Primary, v4), (AddressFamily.InterNetworkV6, UplinkName.Primary, _dns),
            (AddressFamily.Unspecified, UplinkName.Primary, v4), (AddressFamily.Unspecified, UplinkName.Backup, _dns),
        })
        {
            var before = server.Seen.Count;
            var request = new ProbeRequest(WitnessName.DnsA, 0, Full: false, RandomLabel: false, Patience, Family: family);
            Assert.Equal(ProbeOutcome.Answered, await prober.AskAsync(uplink, request, _limit.Token));
            Assert.Equal(before + 1, server.Seen.Count);
        }
    }
}
