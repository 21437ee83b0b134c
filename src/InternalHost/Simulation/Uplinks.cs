using Common.Time;
using InternalHost.Wan;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;

namespace InternalHost.Simulation;

/// <summary>
/// One life of the daemon's look at the two uplinks: the real pair of detectors, asked and told as <see cref="WanService"/> does,
/// over links whose truth the world knows.
/// </summary>
internal sealed class Uplinks
{
    /// <summary>A fall sooner than this after the last counts against a line; a little more than the detector's own.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(11);

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    private readonly Link[] _links;
    private readonly Agenda _agenda;
    private readonly Life _life;
    private readonly Streams _streams;
    private readonly Func<TimeSpan> _wallOffset;
    private readonly Action<UplinkName, Verdict, Usable> _told;
    private readonly Action _returned;
    private readonly PriorityQueue<(UplinkName Uplink, ProbeResult Result), (long, long)> _inFlight = new();
    private readonly OwnPulse _pulse;
    private readonly (UplinkState State, Usable Usable, string Reason)?[] _before = new (UplinkState, Usable, string)?[3];
    private readonly bool[] _carrier = [true, true, true];
    private readonly PathState[] _path = new PathState[3];
    private Instant _due;
    private Instant _look;
    private long _order;
    private int _fallsInARow;
    private Instant? _upSince;
    private Instant _lastReturn;

    public Uplinks(DetectorPair options, Link[] links, Agenda agenda, Life life, Streams streams, Func<TimeSpan> wallOffset, Action<UplinkName, Verdict, Usable> told,
        Action returned)
    {
        (_links, _agenda, _life, _streams, _wallOffset, _told, _returned) = (links, agenda, life, streams, wallOffset, told, returned);
        Pair = new UplinkPair(options.Primary, options.Backup, agenda.Now);
        _pulse = new OwnPulse(wallOffset());
        _due = _look = agenda.Now;
        SteadySince = agenda.Now;
    }

    public UplinkPair Pair { get; }

    public bool Attentive { get; set; }

    public long Probes { get; private set; }

    public bool AsksEgress { get; private set; }

    /// <summary>Since when nothing has been missed.</summary>
    public Instant SteadySince { get; private set; }

    public Instant NextAt
    {
        get
        {
            var next = _inFlight.TryPeek(out _, out var key) ? Instant.Min(_due, new(key.Item1)) : _due;
            return Instant.Max(next, _life.StalledUntil);
        }
    }

    public Usable Usable(UplinkName name) => _before[(int)name]?.Usable ?? Wan.Detection.Usable.Unknown;

    public string Reason(UplinkName name) => _before[(int)name]?.Reason ?? Reasons.Start;

    /// <summary>
    /// Both detectors are at rest, and whatever they remember of earlier trouble is too old to count: from here on, living a stretch or
    /// moving it away as a whole comes to the same.
    /// </summary>
    public bool IsSettled => Pair is { Primary.IsQuiet: true, Backup.IsQuiet: true, Backup.Attentive: false }
        && Usable(UplinkName.Primary) == Wan.Detection.Usable.Yes && Usable(UplinkName.Backup) == Wan.Detection.Usable.Yes
        && _agenda.Now - SteadySince >= TimeSpan.FromSeconds(190)
        && IsForgotten(Pair.Primary) && IsForgotten(Pair.Backup)
        && !(_agenda.Now - _upSince < (1 + _fallsInARow) * Calm);

    /// <summary>A witness that the backup missed is asked again 20 minutes later, and one that rests after hours; the 204 and the public address have no vote.</summary>
    private static bool IsForgotten(Detector detector)
    {
        foreach (var witness in detector.Witnesses)
        {
            if (!witness.IsAtRest && witness.Name is not (WitnessName.Http or WitnessName.Egress or WitnessName.Bastion))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>One turn of the loop, for what is due now.</summary>
    public void Turn()
    {
        var now = _agenda.Now;
        var probed = _inFlight.TryPeek(out _, out var key) && key.Item1 <= now.Ticks && key.Item1 <= _due.Ticks;
        var happened = probed ? new Instant(key.Item1) : _due;
        if (_pulse.Missed(happened, now, _wallOffset()) is { } missed)
        {
            Pair.Late(now, missed);
            SteadySince = now;
        }

        if (probed)
        {
            var (uplink, result) = _inFlight.Dequeue();
            SteadySince = result.IsAnswer ? SteadySince : now;
            Pair.Result(uplink, result);
        }

        Look(now);
        Pair.Want(now, Attentive);
        Pair.Tick(now);
        Send(UplinkName.Primary, now);
        Send(UplinkName.Backup, now);
        Publish(UplinkName.Primary, now);
        Publish(UplinkName.Backup, now);
        if (Pair.Returned is { } returned && returned > _lastReturn)
        {
            _lastReturn = returned;
            _returned();
        }

        _due = Instant.Min(Instant.Max(Pair.NextWake, now), now + MaxWait);
    }

    /// <summary>Carrier and path, looked at twice a second as <see cref="LinkWatch"/> does; where nothing has changed there is nothing to tell.</summary>
    private void Look(Instant now)
    {
        if (now < _look)
        {
            return;
        }

        _look = now + TimeSpan.FromMilliseconds(500);
        for (var u = UplinkName.Primary; u <= UplinkName.Backup; u++)
        {
            var (link, i) = (_links[(int)u], (int)u);
            if (link.Carrier != _carrier[i])
            {
                _carrier[i] = link.Carrier;
                Pair.Carrier(u, now, link.Carrier);
            }

            var path = link.Path ? PathState.Present : PathState.Absent;
            if (path != _path[i])
            {
                _path[i] = path;
                Pair.Path(u, now, path);
            }
        }
    }

    private void Send(UplinkName name, Instant now)
    {
        while (Pair[name].TryTakeProbe(out var request))
        {
            Probes++;
            AsksEgress |= request.Witness == WitnessName.Egress;
            var link = _links[(int)name];
            var (outcome, after) = link.Answer(request, _streams.LineOf(name));
            Tell(name, new ProbeResult(request, now, now + after, outcome));
            if (outcome == ProbeOutcome.Lost && link.IsLate(request) is { } late)
            {
                Tell(name, new ProbeResult(request, now, now + late, ProbeOutcome.Answered, IsLate: true));
            }
        }
    }

    private void Tell(UplinkName name, in ProbeResult result) => _inFlight.Enqueue((name, result), (result.At.Ticks, _order++));

    private void Publish(UplinkName name, Instant now)
    {
        var detector = Pair[name];
        while (detector.TryTakeVerdict(out _))
        {
        }

        var verdict = detector.Current;
        var report = (verdict.State, Pair.UsableNow(name, now), verdict.Reason);
        if (report == _before[(int)name])
        {
            return;
        }

        Remember(name, report.Item2, now);
        _before[(int)name] = report;
        SteadySince = now;
        _told(name, verdict, report.Item2);
    }

    /// <summary>What the detector's damping may still hold against the link, taken generously.</summary>
    private void Remember(UplinkName name, Usable usable, Instant now)
    {
        if (name == UplinkName.Primary && usable == Wan.Detection.Usable.No && Usable(name) != Wan.Detection.Usable.No)
        {
            _fallsInARow = now - (_upSince ?? Agenda.Origin) < Calm ? _fallsInARow + 1 : 0;
        }
        else if (name == UplinkName.Primary && usable == Wan.Detection.Usable.Yes && Usable(name) != Wan.Detection.Usable.Yes)
        {
            _upSince = now;
        }
    }
}

internal sealed record DetectorPair(DetectorOptions Primary, DetectorOptions Backup);
