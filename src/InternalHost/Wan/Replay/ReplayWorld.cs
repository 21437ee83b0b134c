using Common;
using Common.Time;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Replay;

/// <summary>
/// Two uplinks made of conditions, under the real pair of detectors, in virtual time: a probe's fate is drawn when it leaves, an
/// answer comes after its round trip, a loss is known at the probe's timeout. Nothing runs late, and nothing comes late.
/// </summary>
[PureCore]
internal sealed class ReplayWorld
{
    private readonly PriorityQueue<(UplinkName Uplink, ProbeResult Result), (long At, long Order)> _inFlight = new();
    private readonly Action<UplinkName, Verdict> _told;
    private long _order;

    /// <param name="told">Each verdict, in order; the first of each uplink is its start state.</param>
    public ReplayWorld(DetectorOptions primary, DetectorOptions backup, Instant start, ulong seed, Action<UplinkName, Verdict> told)
    {
        _told = told;
        Now = start;
        Primary = new LinkConditions(seed);
        Backup = new LinkConditions(~seed);
        Pair = new UplinkPair(primary, backup, start);
    }

    public UplinkPair Pair { get; }

    public LinkConditions Primary { get; }

    public LinkConditions Backup { get; }

    public Instant Now { get; private set; }

    public LinkConditions this[UplinkName name] => name == UplinkName.Primary ? Primary : Backup;

    /// <summary>Sees each probe as it leaves.</summary>
    public Action<UplinkName, ProbeRequest>? Sent { get; init; }

    /// <summary>Sees each result as it comes.</summary>
    public Action<UplinkName, ProbeResult>? Came { get; init; }

    /// <summary>The prober stops telling anything.</summary>
    public bool ProberSilent { get; set; }

    /// <summary>Plays all that happens before <paramref name="end"/>, and stands there.</summary>
    public void RunBefore(Instant end) => Run(end, inclusive: false);

    /// <summary>Plays all that happens up to <paramref name="end"/>.</summary>
    public void RunThrough(Instant end) => Run(end, inclusive: true);

    /// <summary>What the pair asks for leaves here, never between two changes of one moment: those apply together.</summary>
    private void Run(Instant end, bool inclusive)
    {
        while (end > Now || (end == Now && inclusive))
        {
            Drain(UplinkName.Primary);
            Drain(UplinkName.Backup);
            var answer = _inFlight.TryPeek(out _, out var due) ? new Instant(due.At) : Instant.Never;
            var next = Instant.Min(Pair.NextWake, answer);
            if (next > end || (next == end && !inclusive))
            {
                Now = end;
                return;
            }

            Now = Instant.Max(Now, next);
            if (answer <= next)
            {
                var (uplink, result) = _inFlight.Dequeue();
                Came?.Invoke(uplink, result);
                Pair.Result(uplink, result);
            }
            else
            {
                Pair.Tick(Now);
            }
        }
    }

    private void Drain(UplinkName name)
    {
        var detector = Pair[name];
        while (detector.TryTakeVerdict(out var verdict))
        {
            _told(name, verdict);
        }

        while (detector.TryTakeProbe(out var request))
        {
            Sent?.Invoke(name, request);
            if (!ProberSilent)
            {
                var (outcome, after) = this[name].Send(request);
                var told = Now + after;
                _inFlight.Enqueue((name, new ProbeResult(request, Now, told, outcome)), (told.Ticks, _order++));
            }
        }
    }
}
