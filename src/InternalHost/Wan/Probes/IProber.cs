using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Probes;

/// <summary>Asks one witness one question by one uplink.</summary>
internal interface IProber
{
    /// <summary>
    /// Ends with an answer, a refutation, or Lost; every failure of the network is Lost. <paramref name="giveUp"/> comes long after
    /// the request's own timeout, so that late answers are still seen.
    /// </summary>
    Task<ProbeOutcome> AskAsync(UplinkName uplink, ProbeRequest request, CancellationToken giveUp);

    /// <summary>Bytes that probes have sent and received by this uplink.</summary>
    UplinkBytes Bytes(UplinkName uplink);

    /// <summary>From where the world saw this uplink last (<see cref="WitnessName.Egress"/>); null: not found out.</summary>
    PublicAddress? Seen(UplinkName uplink) => null;
}
