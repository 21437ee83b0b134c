using Common.Time;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Replay;

namespace Bench.Detection;

/// <summary>What the detector says of the primary from this second on.</summary>
internal readonly record struct Opinion(double At, UplinkState State, Usable Usable, string Reason);

/// <summary>The product's own detector, by the engine of <c>internalhost replay</c>, on a generated world.</summary>
internal static class OurDetector
{
    private static readonly Instant Origin = new(TimeSpan.FromDays(1).Ticks);

    /// <summary>Each verdict on the primary: when, and may it be used.</summary>
    public static List<Opinion> Watch(Scenario scenario, DetectorPreset preset, ulong seed, CancellationToken ct)
    {
        var told = new List<Opinion>();
        var options = TracePlay.OptionsOf(preset);
        var world = new ReplayWorld(options, options.AsBackup(), Origin, seed, (uplink, verdict) =>
        {
            if (uplink == UplinkName.Primary)
            {
                told.Add(new Opinion((verdict.At - Origin).TotalSeconds, verdict.State, verdict.Usable, verdict.Reason));
            }
        });
        foreach (var change in scenario.Changes)
        {
            ct.ThrowIfCancellationRequested();
            world.RunBefore(At(change.At));
            if (change.Lane == Lane.Egress)
            {
                world.Primary.LeavesByOther = change.Loss >= TraceRow.Half;
            }
            else if (WitnessOf(change.Lane) is { } witness)
            {
                world.Primary.Loss(witness, change.Loss);
                world.Primary.Impostor(witness, change.Impostor);
            }
        }

        world.RunThrough(At(scenario.Seconds));
        return told;
    }

    /// <summary>Each time that the uplink became unusable.</summary>
    public static IEnumerable<Opinion> Downs(IEnumerable<Opinion> told)
    {
        var down = false;
        foreach (var opinion in told)
        {
            if (opinion.Usable == Usable.No && !down)
            {
                yield return opinion;
            }

            down = opinion.Usable == Usable.No;
        }
    }

    /// <summary>Seconds from the beginning of each outage to "unusable" within it; null: missed.</summary>
    public static List<double?> Delays(IReadOnlyList<Outage> outages, IReadOnlyList<Opinion> told) =>
        Detections.Delays(outages, told.Where(t => t.Usable == Usable.No).Select(t => t.At));

    private static Instant At(double seconds) => Origin + TimeSpan.FromSeconds(seconds);

    private static WitnessName? WitnessOf(Lane lane) => lane switch
    {
        Lane.IspDns => WitnessName.IspDns,
        Lane.DnsA => WitnessName.DnsA,
        Lane.DnsB => WitnessName.DnsB,
        Lane.TlsA => WitnessName.TlsA,
        Lane.TlsB => WitnessName.TlsB,
        Lane.Http => WitnessName.Http,
        _ => null,
    };
}

internal static class Detections
{
    /// <summary>Somebody who says "down" this long after the end has still seen the outage, late; nobody acts on it.</summary>
    public static List<double?> Delays(IReadOnlyList<Outage> outages, IEnumerable<double> downs)
    {
        var sorted = downs.Order().ToArray();
        var next = 0;
        var delays = new List<double?>();
        foreach (var outage in outages)
        {
            while (next < sorted.Length && sorted[next] < outage.From)
            {
                next++;
            }

            delays.Add(next < sorted.Length && sorted[next] <= outage.To ? sorted[next] - outage.From : null);
        }

        return delays;
    }
}
