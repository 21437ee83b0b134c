using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;
using InternalHost.Wan.Observing;

namespace InternalHost.Wan;

/// <summary>What the uplinks' detectors need of the configuration.</summary>
internal sealed record WanOptions(
    UplinkOptions Primary, UplinkOptions Backup, WitnessOptions Witnesses, DetectorOptions PrimaryDetector, DetectorOptions BackupDetector)
{
    /// <param name="primaryWasUp">The primary has been Up under this configuration (<see cref="UplinkFingerprint"/>).</param>
    public static WanOptions From(SiteOptions site, bool primaryWasUp, bool backupWasUp)
    {
        var common = new DetectorOptions
        {
            ConfirmAfter = site.Outage.ConfirmAfter,
            RecoverAfter = site.Outage.RecoverAfter,
        };
        return new WanOptions(
            site.Primary,
            site.Backup,
            site.Witnesses,
            For(common, site.Primary, site.Witnesses, primaryWasUp),
            For(common, site.Backup, site.Witnesses, backupWasUp).AsBackup());
    }

    /// <summary>
    /// Where a witness is asked by this uplink: those of a family that it carries. Where it has IPv6 only and the witness IPv4 only they
    /// are IPv4, to be asked through the network's NAT64.
    /// </summary>
    public static ImmutableArray<IPEndPoint> EndPoints(WitnessOptions witnesses, WitnessName name, UplinkOptions uplink)
    {
        ImmutableArray<IPEndPoint> all = name switch
        {
            WitnessName.IspDns => witnesses.IspDns,
            WitnessName.DnsA => witnesses.DnsA,
            WitnessName.DnsB => witnesses.DnsB,
            WitnessName.TlsA => witnesses.TlsA.Addresses,
            WitnessName.TlsB => witnesses.TlsB.Addresses,
            _ => [],
        };
        ImmutableArray<IPEndPoint> carried = [.. all.Where(e => BoundSocket.Carries(uplink, e.AddressFamily))];
        return carried.IsEmpty && uplink.Address is { AddressFamily: AddressFamily.InterNetworkV6 } ? all : carried;
    }

    /// <summary>Addresses beyond the provider, to which there must be a path.</summary>
    public static ImmutableArray<IPAddress> Targets(WitnessOptions witnesses, UplinkOptions uplink) =>
        [.. DetectorOptions.AllWitnesses.Where(w => w.IsOffNet()).SelectMany(w => EndPoints(witnesses, w, uplink)).Select(e => e.Address).Distinct()];

    private static DetectorOptions For(DetectorOptions common, UplinkOptions uplink, WitnessOptions witnesses, bool wasUp)
    {
        ImmutableArray<WitnessName> asked = uplink.Carries ? [.. DetectorOptions.AllWitnesses.Where(w => !EndPoints(witnesses, w, uplink).IsEmpty)] : [];
        return common with
        {
            Witnesses = asked,
            Families = [.. asked.SelectMany(w => EndPoints(witnesses, w, uplink).Select(e => new WitnessFamily(w, e.AddressFamily))).Distinct()],
            HasEgress = uplink.Carries && !(witnesses.Stun.IsEmpty && witnesses.WhoAmI.IsEmpty),
            HasHttp = uplink.Carries && witnesses.Http is not null,
            Observe = uplink.Observe is { } observe ? [.. Observers(observe)] : [],
            CarrierIsModem = uplink.CarrierIsModem,
            WasUpBefore = wasUp,
        };
    }

    private static IEnumerable<WitnessName> Observers(PrimaryObservation observe)
    {
        if (!observe.Command.IsEmpty)
        {
            yield return WitnessName.Router;
        }

        if (observe.Lan is not null)
        {
            yield return WitnessName.Lan;
        }

        if (observe.Outside is not null)
        {
            yield return WitnessName.Outside;
        }
    }
}
