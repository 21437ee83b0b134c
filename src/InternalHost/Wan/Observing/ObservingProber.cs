using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;
using Microsoft.Extensions.Logging;

namespace InternalHost.Wan.Observing;

/// <summary>Wiring C: those who observe the primary; null where the configuration names none.</summary>
internal sealed record Observers(RouterObserver? Router, LanObserver? Lan, OutsideObserver? Outside)
{
    public static Observers Of(
        SiteOptions site, PrimaryObservation observe, TrustedTime trusted, IProcessLauncher launcher, TimeProvider time, ILogger<RouterObserver> log)
    {
        var router = observe.Command.IsEmpty ? null : new RouterObserver(observe.Command, launcher, time, log);
        return new Observers(
            router,
            observe.Lan is { } box ? new LanObserver(box, site.Witnesses, trusted, time) : null,
            observe.Outside is { } target ? new OutsideObserver(site.Backup, target, () => router?.Address?.Address, time) : null);
    }
}

/// <summary>Wiring C: asks those who observe the primary; the backup's witnesses are asked as ever.</summary>
internal sealed class ObservingProber(IProber witnesses, Observers observers) : IProber
{
    public Task<ProbeOutcome> AskAsync(UplinkName uplink, ProbeRequest request, CancellationToken giveUp) => request.Witness switch
    {
        WitnessName.Router when observers.Router is { } router => router.AskAsync(giveUp),
        WitnessName.Lan when observers.Lan is { } lan => lan.AskAsync(request.Timeout, giveUp),
        WitnessName.Outside when observers.Outside is { } outside => outside.AskAsync(giveUp),
        _ when uplink == UplinkName.Backup => witnesses.AskAsync(uplink, request, giveUp),
        _ => Task.FromResult(ProbeOutcome.Lost),
    };

    public UplinkBytes Bytes(UplinkName uplink) => witnesses.Bytes(uplink);

    public PublicAddress? Seen(UplinkName uplink) => uplink == UplinkName.Primary ? observers.Router?.Address : witnesses.Seen(uplink);
}
