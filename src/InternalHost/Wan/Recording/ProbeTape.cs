using System.Collections.Immutable;
using Common;
using Common.Time;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Replay;

namespace InternalHost.Wan.Recording;

/// <summary>
/// Turns what the detectors were told into the rows of a world trace: only changes, so that a quiet day is a few lines. A row bears the
/// time at which its probe was sent, and results come out of order; so rows are given out once nothing earlier can come any more.
/// </summary>
[PureCore]
internal sealed class ProbeTape
{
    /// <summary>Longer than the prober waits for the latest of answers.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromSeconds(8);

    /// <summary>A replay knows no late answers; one that came after its time is written as the slowest that is in time for every probe.</summary>
    private const double SlowestInTimeMs = 399;

    private const double LeastRttChangeMs = 20;
    private const double RttChange = 0.5;

    private readonly Instant _start;
    private readonly long _startTicks;
    private readonly PriorityQueue<Sight, (long T, TraceTarget Target, bool Answered, long Order)> _sights = new();
    private readonly State?[] _known = new State?[(int)Enum.GetValues<TraceTarget>().Max() + 1];
    private long _order;
    private readonly ImmutableArray<WitnessName> _witnesses;
    private bool _pathAbsent;
    private bool _begun;

    private readonly record struct Sight(long T, TraceTarget Target, bool Lost, double RttMs);

    private readonly record struct State(bool Lost, double RttMs);

    /// <param name="startTicks">Trace time of <paramref name="start"/> in ticks; whole milliseconds, so that rounding never puts a row behind its probe.</param>
    /// <param name="witnesses">Who is asked by the primary at all.</param>
    public ProbeTape(Instant start, long startTicks, ImmutableArray<WitnessName> witnesses)
    {
        _start = start;
        _startTicks = Floor(startTicks);
        _witnesses = witnesses;
    }

    public void OnProbe(UplinkName uplink, in ProbeResult result)
    {
        var witness = result.Request.Witness;
        var lost = !result.IsAnswer;
        var rtt = lost ? double.NaN : result.IsLate ? SlowestInTimeMs : (result.At - result.SentAt).TotalMilliseconds;
        if (result.IsLate && lost)
        {
            return;
        }

        if (uplink == UplinkName.Backup)
        {
            if (witness.IsVoter())
            {
                See(result.SentAt, TraceTarget.Backup, lost, rtt);
            }
        }
        else if (witness == WitnessName.Egress)
        {
            if (result.IsAnswer || result.Outcome == ProbeOutcome.Refuted)
            {
                See(result.SentAt, TraceTarget.Egress, lost);
            }
        }
        else if (TargetOf(witness) is var target && target != TraceTarget.Unknown && !(_pathAbsent && !lost))
        {
            See(result.SentAt, target, lost, rtt);
        }
    }

    public void OnCarrier(Instant at, bool up) => See(at, TraceTarget.Carrier, lost: !up);

    /// <summary>A trace has no word for a missing route: nobody answers then, and what answers left by the other uplink.</summary>
    public void OnPath(Instant at, PathState path)
    {
        _pathAbsent = path == PathState.Absent;
        foreach (var witness in _pathAbsent ? DetectorOptions.AllWitnesses : [])
        {
            See(at, TargetOf(witness), lost: true);
        }
    }

    /// <summary>The rows that are final at <paramref name="now"/>.</summary>
    public IEnumerable<TraceRow> Take(Instant now) => TakeUntil(now == Instant.Never ? long.MaxValue : T(now - Settled));

    /// <summary>All that the rows taken so far amount to, one row a target, as of <paramref name="at"/>.</summary>
    public IReadOnlyList<TraceRow> Known(Instant at)
    {
        var rows = new List<TraceRow>();
        for (var i = 1; i < _known.Length; i++)
        {
            if (_known[i] is { } state)
            {
                rows.Add(Row(T(at), (TraceTarget)i, state));
            }
        }

        return rows;
    }

    private static TraceTarget TargetOf(WitnessName witness)
    {
        foreach (var (_, target) in TraceTargets.Words)
        {
            if (target.Witness() == witness)
            {
                return target;
            }
        }

        return TraceTarget.Unknown;
    }

    private static TraceRow Row(long t, TraceTarget target, State state) => new(t, target, state.Lost ? 1 : 0, state.Lost ? double.NaN : state.RttMs);

    private static long Floor(long ticks) => ticks - (((ticks % TimeSpan.TicksPerMillisecond) + TimeSpan.TicksPerMillisecond) % TimeSpan.TicksPerMillisecond);

    private long T(Instant at) => Floor(_startTicks + (at.Ticks - _start.Ticks));

    private void See(Instant at, TraceTarget target, bool lost, double rttMs = double.NaN)
    {
        var t = Math.Max(_startTicks, T(at));
        _sights.Enqueue(new Sight(t, target, lost, Math.Round(rttMs, 1)), (t, target, !lost, _order++));
    }

    /// <summary>A replay starts with the first probe. Whom a trace does not name is up in it, also somebody whom we do not ask: he is silent.</summary>
    private IEnumerable<TraceRow> Begin(long t)
    {
        _begun = true;
        _known[(int)TraceTarget.Carrier] = new State(Lost: false, double.NaN);
        foreach (var witness in DetectorOptions.AllWitnesses.Where(w => !_witnesses.Contains(w)))
        {
            _known[(int)TargetOf(witness)] = new State(Lost: true, double.NaN);
        }

        for (var i = 1; i < _known.Length; i++)
        {
            if (_known[i] is { } state)
            {
                yield return Row(t, (TraceTarget)i, state);
            }
        }
    }

    private IEnumerable<TraceRow> TakeUntil(long t)
    {
        if (!_begun && _sights.TryPeek(out var first, out _) && first.T <= t)
        {
            foreach (var row in Begin(first.T))
            {
                yield return row;
            }
        }

        while (_sights.TryPeek(out var sight, out _) && sight.T <= t)
        {
            _sights.Dequeue();
            if (_sights.TryPeek(out var next, out _) && next.T == sight.T && next.Target == sight.Target)
            {
                // Of one moment an answer counts more than a silence: the backup's witnesses are one target.
                continue;
            }

            var before = _known[(int)sight.Target];
            var rtt = sight.Lost || !double.IsFinite(sight.RttMs) || (before is { } b && Like(b.RttMs, sight.RttMs)) ? before?.RttMs ?? double.NaN : sight.RttMs;
            var state = new State(sight.Lost, rtt);
            _known[(int)sight.Target] = state;
            if (before is null || before.Value.Lost != sight.Lost || (!sight.Lost && !before.Value.RttMs.Equals(rtt)))
            {
                yield return Row(sight.T, sight.Target, state);
            }
        }
    }

    private static bool Like(double before, double now) => Math.Abs(now - before) <= Math.Max(LeastRttChangeMs, RttChange * before);
}
