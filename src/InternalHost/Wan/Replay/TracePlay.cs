using Common;
using Common.Time;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Replay;

/// <summary>A change of the primary's verdict during a replay.</summary>
/// <param name="Seconds">Trace seconds, to the millisecond.</param>
internal readonly record struct TraceVerdict(decimal Seconds, UplinkState State, Usable Usable, string Reason);

/// <summary>
/// Plays a world trace through the real detectors. The rows of one time apply together and before that time's probes; the world starts
/// at the first row and ends at the last. History is fresh: the primary has never been Up before.
/// </summary>
[PureCore]
internal sealed class TracePlay
{
    private static readonly Instant Origin = new(TimeSpan.FromDays(1).Ticks);

    private readonly TraceOutline _outline;
    private readonly Action<TraceVerdict> _told;
    private readonly ReplayWorld _world;

    public TracePlay(TraceOutline outline, DetectorPreset preset, ulong seed, Action<TraceVerdict> told)
    {
        _outline = outline;
        _told = told;
        var options = OptionsOf(preset);
        _world = new ReplayWorld(options, options.AsBackup(), Origin, seed, Tell);
    }

    /// <summary>Where the world stands, in ticks of trace time.</summary>
    public long Now => TraceTicks(_world.Now);

    /// <summary>What a trace is played with: every witness there is, and a carrier that is the modem's, because the trace may name it.</summary>
    public static DetectorOptions OptionsOf(DetectorPreset preset) => new()
    {
        ConfirmAfter = DetectorOptions.ConfirmAfterOf(preset),
        CarrierIsModem = true,
        HasEgress = true,
        HasHttp = true,
    };

    /// <summary>Plays all that happens before this trace time.</summary>
    public void RunBefore(long ticks) => _world.RunBefore(At(ticks));

    public void Apply(in TraceRow row)
    {
        RunBefore(row.T);
        switch (row.Target)
        {
            case TraceTarget.Carrier:
                Carrier(up: row.Loss < TraceRow.Half);
                break;
            case TraceTarget.Egress:
                _world.Primary.LeavesByOther = row.Loss >= TraceRow.Half;
                Set(_world.Primary, WitnessName.Egress, 0, row.RttMs);
                break;
            case TraceTarget.Backup:
                var (loss, rtt) = (row.Loss, row.RttMs);
                _world.Backup.All((link, witness) => Set(link, witness, loss, rtt));
                break;
            case TraceTarget.TlsA when !_outline.NamesTlsB:
                Set(_world.Primary, WitnessName.TlsA, row.Loss, row.RttMs);
                Set(_world.Primary, WitnessName.TlsB, row.Loss, row.RttMs);
                break;
            case TraceTarget.Bastion:
                Set(_world.Primary, WitnessName.Bastion, row.Loss, row.RttMs);
                _world.Pair.SetBastion(_world.Now, runs: true);
                break;
            default:
                Set(_world.Primary, row.Target.Witness(), row.Loss, row.RttMs);
                break;
        }
    }

    /// <summary>Plays the rest, up to and with the last row's time.</summary>
    public void End() => _world.RunThrough(At(_outline.Last));

    /// <summary>Without a carrier nothing passes, whatever else the trace says.</summary>
    private void Carrier(bool up)
    {
        if (_world.Primary.Cut == up)
        {
            _world.Primary.Cut = !up;
            _world.Pair.Carrier(UplinkName.Primary, _world.Now, up);
        }
    }

    private static void Set(LinkConditions link, WitnessName witness, double loss, double rttMs)
    {
        link.Loss(witness, loss);
        if (!double.IsNaN(rttMs))
        {
            link.Rtt(witness, TimeSpan.FromMilliseconds(rttMs));
        }
    }

    private void Tell(UplinkName uplink, Verdict verdict)
    {
        if (uplink == UplinkName.Primary)
        {
            var seconds = decimal.Round(TraceTicks(verdict.At) / (decimal)TimeSpan.TicksPerSecond, 3);
            _told(new TraceVerdict(seconds, verdict.State, verdict.Usable, verdict.Reason));
        }
    }

    private Instant At(long traceTicks) => new(Origin.Ticks + (traceTicks - _outline.First));

    private long TraceTicks(Instant at) => at.Ticks - Origin.Ticks + _outline.First;
}
