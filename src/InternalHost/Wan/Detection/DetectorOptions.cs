using System.Collections.Immutable;

namespace InternalHost.Wan.Detection;

/// <summary>How long the dark must last before it is called Down.</summary>
internal enum DetectorPreset
{
    Unknown = 0,
    Balanced = 1,

    /// <summary>For links without micro outages: at 5 s those of 1-4 s begin to merge into false verdicts.</summary>
    Fast = 2,
    Satellite = 3,
}

/// <summary>How often an uplink is asked.</summary>
/// <param name="Quiet">Between two single probes while all is well.</param>
/// <param name="Attentive">The same while somebody needs to know at once.</param>
/// <param name="Burst">Between two rounds to all witnesses after a miss.</param>
/// <param name="Out">Between two rounds while the uplink is down.</param>
/// <param name="OutIdle">The same while nobody is attentive and nothing answers.</param>
/// <param name="FullTlsTurn">In the rotation each n-th turn of a TLS witness is a whole handshake.</param>
/// <param name="FullTlsRound">In a burst each n-th round has whole handshakes.</param>
/// <param name="Proof">Between two looks at the public address and at the 204 while all is well; each minute while attentive.</param>
internal sealed record Cadence(
    TimeSpan Quiet, TimeSpan Attentive, TimeSpan Burst, TimeSpan Out, TimeSpan OutIdle, int FullTlsTurn, int FullTlsRound, TimeSpan Proof)
{
    public static readonly Cadence Unmetered = new(
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(500),
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), FullTlsTurn: 10, FullTlsRound: 1, Proof: TimeSpan.FromMinutes(1));

    /// <summary>About 2 MB a month of DNS and 5 MB of handshakes at rest; a burst stays below 40 kB.</summary>
    public static readonly Cadence Metered = new(
        TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1),
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60), FullTlsTurn: 5, FullTlsRound: 4, Proof: TimeSpan.FromHours(1));
}

/// <summary>One uplink's detector. The defaults are the preset "balanced" of DESIGN 4.</summary>
internal sealed record DetectorOptions
{
    public static readonly ImmutableArray<WitnessName> AllWitnesses =
        [WitnessName.IspDns, WitnessName.DnsA, WitnessName.TlsA, WitnessName.DnsB, WitnessName.TlsB];

    /// <summary>In the order of the rotation: protocols alternate.</summary>
    public ImmutableArray<WitnessName> Witnesses { get; init; } = AllWitnesses;

    public TimeSpan ConfirmAfter { get; init; } = ConfirmAfterOf(DetectorPreset.Balanced);

    public TimeSpan RecoverAfter { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Each Down soon after an Up doubles <see cref="RecoverAfter"/> up to this; equal to it: no damping.</summary>
    public TimeSpan RecoverAfterMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Walled and IspOnly must last this long before they count as unusable.</summary>
    public TimeSpan UnusableAfter { get; init; } = TimeSpan.FromSeconds(15);

    public bool CarrierIsModem { get; init; }

    /// <summary>It has been Up under this very configuration. One that never was may be wired wrong: it cannot become Down.</summary>
    public bool WasUpBefore { get; init; }

    /// <summary>The public address by this uplink can be asked for (<see cref="WitnessName.Egress"/>).</summary>
    public bool HasEgress { get; init; }

    /// <summary>There is somebody to ask for a 204 (<see cref="WitnessName.Http"/>).</summary>
    public bool HasHttp { get; init; }

    /// <summary>Who can be asked by which address family. Told apart only where this uplink carries two; empty: not told apart.</summary>
    public ImmutableArray<WitnessFamily> Families { get; init; } = [];

    /// <summary>
    /// Wiring C: who observes the primary (<see cref="WitnessName.Router"/>, <see cref="WitnessName.Lan"/>, <see cref="WitnessName.Outside"/>)
    /// instead of the witnesses. Empty: it is asked directly.
    /// </summary>
    public ImmutableArray<WitnessName> Observe { get; init; } = [];

    /// <summary>Our own bastion is asked while it runs (<see cref="WitnessName.Bastion"/>). A proof takes some 5 kB: not of a metered uplink.</summary>
    public bool AsksBastion { get; init; } = true;

    /// <summary>There is a second uplink whose news is given to <see cref="Detector.Other"/>.</summary>
    public bool HasOther { get; init; }

    public Cadence Cadence { get; init; } = Cadence.Unmetered;

    public static TimeSpan ConfirmAfterOf(DetectorPreset preset) => preset switch
    {
        DetectorPreset.Fast => TimeSpan.FromSeconds(5),
        DetectorPreset.Satellite => TimeSpan.FromSeconds(15),
        _ => TimeSpan.FromSeconds(7.8),
    };

    /// <summary>
    /// The metered uplink: asked rarely, and believed again after 3 s without damping, because while the primary is down
    /// a returning backup is the only way in.
    /// </summary>
    public DetectorOptions AsBackup() => this with
    {
        Witnesses = Witnesses.Remove(WitnessName.IspDns),
        Cadence = Cadence.Metered,
        Observe = [],
        AsksBastion = false,
        RecoverAfter = TimeSpan.FromSeconds(3),
        RecoverAfterMax = TimeSpan.FromSeconds(3),
    };
}
