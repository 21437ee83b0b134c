using System.Collections.Immutable;
using Common.Time;
using InternalHost.Wan.Probes;

namespace InternalHost.Wan.Detection;

/// <summary>What is known of one uplink, for everybody outside the detector.</summary>
/// <param name="Usable">As the controller may act on: the backup's "yes" is withdrawn when it was just asked and did not answer.</param>
/// <param name="Since">Begin of this state, usability and reason.</param>
/// <param name="LastAnswered">Send time of the last answered probe; null: none yet.</param>
/// <param name="EverUp">It has been Up under this configuration; worth remembering across restarts.</param>
/// <param name="ProbeBytes">What our probes cost by this uplink so far, both directions, without headers.</param>
internal sealed record UplinkReport(
    UplinkName Name,
    UplinkState State,
    Usable Usable,
    string Reason,
    Instant Since,
    Instant? LastAnswered,
    bool EverUp,
    UplinkBytes ProbeBytes,
    ImmutableArray<WitnessReport> Witnesses)
{
    /// <summary>From where the world saw it last; null: not found out.</summary>
    public PublicAddress? Seen { get; init; }
}

/// <param name="LossesInARow">Three or more while others answer: the witness itself is taken to be dead.</param>
internal sealed record WitnessReport(
    WitnessName Name, long Asked, long Answered, Instant? LastAnswered, TimeSpan SmoothedRtt, int LossesInARow)
{
    public static ImmutableArray<WitnessReport> Of(ReadOnlySpan<WitnessTrack> tracks)
    {
        var reports = ImmutableArray.CreateBuilder<WitnessReport>(tracks.Length);
        foreach (var t in tracks)
        {
            reports.Add(new WitnessReport(t.Name, t.Asked, t.Answers, t.LastAnswered, t.SmoothedRtt, t.LossesInARow));
        }

        return reports.MoveToImmutable();
    }
}
