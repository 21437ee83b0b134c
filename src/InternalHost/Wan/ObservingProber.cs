using Common.Processes;
using InternalHost.Configuration;
using Microsoft.Extensions.Logging;

namespace InternalHost.Wan;

/// <summary>Wiring C: asks those who observe the primary; the backup's witnesses are asked as ever.</summary>
internal sealed class ObservingProber(
    IProber witnesses, RouterObserver? router, LanObserver? lan, OutsideObserver? outside) : IProber
{
    /// <param name="site">In wiring C; in any other the witnesses' prober is enough.</param>
    public static ObservingProber Create(
        SiteOptions site, PrimaryObservation observe, IProber witnesses, TrustedTime trusted, IProcessLauncher launcher, TimeProvider time, ILoggerFactory logs)
    {
        var router = observe.Command.IsEmpty ? null : new RouterObserver(observe.Command, launcher, time, logs.CreateLogger<RouterObserver>());
        return new ObservingProber(
            witnesses,
            router,
            observe.Lan is { } box ? new LanObserver(box, site.Witnesses, trusted, time) : null,
            observe.Outside is { } target ? new OutsideObserver(site.Backup, target, () => router?.Address?.Address, time) : null);
    }

    public Task<ProbeOutcome> AskAsync(UplinkName uplink, ProbeRequest request, CancellationToken giveUp) => request.Witness switch
    {
        WitnessName.Router when router is not null => router.AskAsync(giveUp),
        WitnessName.Lan when lan is not null => lan.AskAsync(request.Timeout, giveUp),
        WitnessName.Outside when outside is not null => outside.AskAsync(giveUp),
        _ when uplink == UplinkName.Backup => witnesses.AskAsync(uplink, request, giveUp),
        _ => Task.FromResult(ProbeOutcome.Lost),
    };

    public UplinkBytes Bytes(UplinkName uplink) => witnesses.Bytes(uplink);

    public PublicAddress? Seen(UplinkName uplink) => uplink == UplinkName.Primary ? router?.Address : witnesses.Seen(uplink);
}
