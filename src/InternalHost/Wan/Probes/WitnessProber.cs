using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Http;
using InternalHost.Wan.Links;

namespace InternalHost.Wan.Probes;

/// <summary>Asks the configured witnesses. Where one has several addresses of a family, they take turns.</summary>
internal sealed class WitnessProber : IProber
{
    private readonly ImmutableArray<UplinkOptions> _uplinks;
    private readonly WitnessOptions _witnesses;
    private readonly UplinkMeter _meter;
    private readonly DnsProbe _dns;
    private readonly TlsProbe _tlsA;
    private readonly TlsProbe _tlsB;
    private readonly EgressProbe _egress;
    private readonly UplinkFamilies _families;
    private readonly Nat64 _nat64;
    private readonly HttpProbe? _http;
    private int _turn;

    /// <param name="meter">Counts these probes; give it to nobody else, or <see cref="Bytes"/> counts others too.</param>
    public WitnessProber(
        UplinkOptions primary, UplinkOptions backup, WitnessOptions witnesses, TrustedTime trusted, UplinkMeter meter, TimeProvider time)
    {
        _meter = meter;
        _uplinks = [primary, backup];
        _witnesses = witnesses;
        _dns = new DnsProbe(witnesses.ProbeName, _meter) { HasWildcard = witnesses.ProbeNameHasWildcard };
        _tlsA = new TlsProbe(witnesses.TlsA.Name, new ServerTrust(trusted, witnesses.TlsA.CaFile), _meter, time);
        _tlsB = new TlsProbe(witnesses.TlsB.Name, new ServerTrust(trusted, witnesses.TlsB.CaFile), _meter, time);
        _families = new UplinkFamilies(time);
        _nat64 = new Nat64([.. witnesses.IspDns, .. witnesses.Resolvers], _families, meter, time);
        var resolver = new UplinkResolver(witnesses.Resolvers, lastGood: null, meter, time, _nat64);
        _http = witnesses.Http is { } address ? new HttpProbe(address, new UplinkDialler(resolver, trusted, meter, time)) : null;
        _egress = new EgressProbe(primary, backup, new PublicAddressClient(witnesses, new NamedServers(resolver, time), meter, time), _families, time);
    }

    public UplinkBytes Bytes(UplinkName uplink) => _meter.Read(uplink);

    public PublicAddress? Seen(UplinkName uplink) => _egress.Last(uplink);

    public Task<ProbeOutcome> AskAsync(UplinkName uplink, ProbeRequest request, CancellationToken giveUp)
    {
        var by = _uplinks.First(u => u.Name == uplink);
        return request.Witness switch
        {
            WitnessName.Egress => _egress.AskAsync(uplink, FamilyOf(by, request), request.Timeout, giveUp),
            WitnessName.Http when _http is not null => _http.AskAsync(by, giveUp),
            _ => AskServerAsync(by, request, giveUp),
        };
    }

    /// <summary>As asked for, else IPv4 where the uplink has it.</summary>
    private AddressFamily FamilyOf(UplinkOptions by, ProbeRequest request) =>
        request.Family != AddressFamily.Unspecified ? request.Family : _families.Of(by) is [var first, ..] ? first : AddressFamily.InterNetwork;

    private async Task<ProbeOutcome> AskServerAsync(UplinkOptions by, ProbeRequest request, CancellationToken giveUp)
    {
        if (await PlaceAsync(by, request, giveUp) is not { } server)
        {
            return ProbeOutcome.Lost;
        }

        return request.Witness switch
        {
            WitnessName.TlsA => await _tlsA.AskAsync(by, server, request.Full, giveUp),
            WitnessName.TlsB => await _tlsB.AskAsync(by, server, request.Full, giveUp),
            _ => await _dns.AskAsync(by, server, request.RandomLabel, giveUp, mayInvent: request.Witness == WitnessName.IspDns),
        };
    }

    /// <summary>Where to ask; null: nowhere by this uplink.</summary>
    private async Task<IPEndPoint?> PlaceAsync(UplinkOptions by, ProbeRequest request, CancellationToken giveUp)
    {
        var all = WanOptions.EndPoints(_witnesses, request.Witness, by);
        var wanted = FamilyOf(by, request);
        var some = all.Where(e => e.AddressFamily == wanted).ToImmutableArray();
        some = some.IsEmpty && request.Family == AddressFamily.Unspecified ? all : some;
        if (some.IsEmpty)
        {
            return null;
        }

        var server = some[(int)((uint)Interlocked.Increment(ref _turn) % (uint)some.Length)];
        try
        {
            return (await _nat64.ReachAsync(by, [server.Address], giveUp)) is [var reached] ? new IPEndPoint(reached, server.Port) : null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
