using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;

namespace InternalHost.Wan;

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
        var resolver = new UplinkResolver(witnesses.Resolvers, lastGood: null, meter, time);
        _http = witnesses.Http is { } address ? new HttpProbe(address, new UplinkDialler(resolver, trusted, meter, time)) : null;
        _egress = new EgressProbe(primary, backup, new PublicAddressClient(witnesses, new NamedServers(resolver, time), meter, time), time);
    }

    public UplinkBytes Bytes(UplinkName uplink) => _meter.Read(uplink);

    public PublicAddress? Seen(UplinkName uplink) => _egress.Last(uplink);

    public Task<ProbeOutcome> AskAsync(UplinkName uplink, ProbeRequest request, CancellationToken giveUp)
    {
        var by = _uplinks.First(u => u.Name == uplink);
        return request.Witness switch
        {
            WitnessName.Egress => _egress.AskAsync(uplink, by.Address?.AddressFamily ?? AddressFamily.InterNetwork, request.Timeout, giveUp),
            WitnessName.Http when _http is not null => _http.AskAsync(by, giveUp),
            _ => AskServerAsync(by, request, giveUp),
        };
    }

    private Task<ProbeOutcome> AskServerAsync(UplinkOptions by, ProbeRequest request, CancellationToken giveUp)
    {
        var addresses = WanOptions.EndPoints(_witnesses, request.Witness, by);
        if (request.Family != AddressFamily.Unspecified)
        {
            addresses = addresses.RemoveAll(a => a.AddressFamily != request.Family);
        }

        if (addresses.IsEmpty)
        {
            return Task.FromResult(ProbeOutcome.Lost);
        }

        var server = addresses[(int)((uint)Interlocked.Increment(ref _turn) % (uint)addresses.Length)];
        return request.Witness switch
        {
            WitnessName.TlsA => _tlsA.AskAsync(by, server, request.Full, giveUp),
            WitnessName.TlsB => _tlsB.AskAsync(by, server, request.Full, giveUp),
            _ => _dns.AskAsync(by, server, request.RandomLabel, giveUp, mayInvent: request.Witness == WitnessName.IspDns),
        };
    }
}
