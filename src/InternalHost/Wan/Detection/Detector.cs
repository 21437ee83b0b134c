using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// What watches one uplink, seen from outside: it is told what happened, and in return asks for probes and gives verdicts. After each
/// input the owner takes the probes to send (<see cref="TryTakeProbe"/>) and the verdicts (<see cref="TryTakeVerdict"/>), and calls
/// <see cref="Tick"/> at <see cref="NextWake"/> at the latest. Mutable and without allocation on its quiet path, because forty days of
/// it must play in seconds; owned by one loop. An abstract class and not a port: both that derive from it are pure.
/// </summary>
[PureCore]
internal abstract class Detector
{
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(5);

    private readonly ProbeRequest[] _asks = new ProbeRequest[32];
    private readonly Verdict[] _told = new Verdict[8];
    private int _askFirst;
    private int _askCount;
    private int _toldFirst;
    private int _toldCount;
    private Instant? _unheardSince;
    private bool _silent;

    protected Detector(DetectorOptions options, Instant start)
    {
        Options = options;
        Now = start;
        EverUp = options.WasUpBefore;
        Current = new Verdict(start, UplinkState.Unknown, Usable.Unknown, Reasons.Start);
        Tell(Current);
    }

    public Verdict Current { get; private set; }

    /// <summary>It has been Up under this configuration, now or in an earlier life.</summary>
    public bool EverUp { get; private set; }

    /// <summary>Send time of the last answered probe.</summary>
    public Instant? LastAnswered { get; protected set; }

    /// <summary>
    /// Send time of the first answer after a silence in which it was not Up: the link is back. The verdict waits for a good spell; who only wants to
    /// try need not.
    /// </summary>
    public Instant? Returned { get; protected set; }

    /// <summary>The moment at which <see cref="Tick"/> must be called, if nothing happens before.</summary>
    public Instant NextWake { get; private set; }

    /// <summary>Somebody needs to know this uplink's state at once: asked each second instead of rarely.</summary>
    public bool Attentive { get; private set; }

    /// <summary>What the other uplink's detector may know of this one.</summary>
    public abstract OtherUplink AsOther { get; }

    public abstract ReadOnlySpan<WitnessTrack> Witnesses { get; }

    /// <summary>All is well, one probe at a time.</summary>
    public abstract bool IsQuiet { get; }

    protected DetectorOptions Options { get; }

    protected Instant Now { get; private set; }

    /// <summary>Questions are out, and the prober has told nothing at all since: no data is never "up".</summary>
    protected bool IsUnheard => _unheardSince is { } since && Now - since >= SilenceLimit;

    /// <summary>When it will be, unless something is heard.</summary>
    protected Instant? UnheardAt => _unheardSince + SilenceLimit;

    /// <summary>A verdict is near, or waits for the other uplink's proof.</summary>
    public abstract bool NeedsOther(Instant at);

    public bool TryTakeProbe(out ProbeRequest request)
    {
        request = _asks[_askFirst];
        if (_askCount == 0)
        {
            return false;
        }

        _askFirst = (_askFirst + 1) % _asks.Length;
        _askCount--;
        return true;
    }

    public bool TryTakeVerdict(out Verdict verdict)
    {
        verdict = _told[_toldFirst];
        if (_toldCount == 0)
        {
            return false;
        }

        _toldFirst = (_toldFirst + 1) % _told.Length;
        _toldCount--;
        return true;
    }

    public void Tick(Instant at) => Settle(at);

    public void Result(in ProbeResult result)
    {
        Advance(result.At);
        _unheardSince = null;
        if (_silent)
        {
            _silent = false;
            OnHeardAgain();
        }

        OnResult(result);
        Settle(result.At);
    }

    public void Carrier(Instant at, bool up)
    {
        Advance(at);
        OnCarrier(at, up);
        Settle(at);
    }

    public void Path(Instant at, PathState path)
    {
        Advance(at);
        OnPath(path);
        Settle(at);
    }

    /// <summary>An address or route of this uplink is another now; whether it still leaves by itself must be proven anew.</summary>
    public void AddressChanged(Instant at)
    {
        Advance(at);
        OnAddressChanged();
        Settle(at);
    }

    /// <summary>News of the other uplink; given before any verdict is asked for.</summary>
    public void Other(Instant at, in OtherUplink other)
    {
        Advance(at);
        OnOther(other);
        Settle(at);
    }

    public void SetAttentive(Instant at, bool attentive)
    {
        Advance(at);
        if (attentive != Attentive)
        {
            Attentive = attentive;
            OnAttentionChanged();
        }

        Settle(at);
    }

    /// <summary>Our own loop ran late, or the clock jumped: what was missed meanwhile is no evidence against the uplink.</summary>
    /// <param name="by">How long we were not looking.</param>
    public void Late(Instant at, TimeSpan by)
    {
        Advance(at);
        _unheardSince = _unheardSince is null ? null : Now;
        OnLate(by);
        Settle(at);
    }

    /// <summary>
    /// Our own bastion was heard by this uplink without a question of ours: bytes came from it, or a loop probe came back. As good as an
    /// authenticated answer of the witness <see cref="WitnessName.Bastion"/>.
    /// </summary>
    public void Passive(Instant at)
    {
        Advance(at);
        OnPassive(at);
        Settle(at);
    }

    /// <summary>Our own bastion runs, or no longer: only then is it a witness.</summary>
    public void SetBastion(Instant at, bool runs)
    {
        Advance(at);
        OnBastion(runs);
        Settle(at);
    }

    protected abstract void OnResult(in ProbeResult result);

    protected abstract void OnOther(in OtherUplink other);

    protected abstract void OnLate(TimeSpan by);

    protected abstract void OnHeardAgain();

    protected abstract void OnAttentionChanged();

    protected abstract void OnAddressChanged();

    protected virtual void OnCarrier(Instant at, bool up)
    {
    }

    protected virtual void OnPath(PathState path)
    {
    }

    protected virtual void OnPassive(Instant at)
    {
    }

    protected virtual void OnBastion(bool runs)
    {
    }

    protected abstract void Judge();

    protected abstract void Ask();

    /// <summary>When something is due next.</summary>
    protected abstract Instant Wake();

    protected void Settle(Instant at)
    {
        Advance(at);
        Judge();
        Ask();
        NextWake = Wake();
    }

    protected void Post(in ProbeRequest request)
    {
        _unheardSince ??= Now;
        _asks[(_askFirst + _askCount) % _asks.Length] = request;
        _askCount = Math.Min(_askCount + 1, _asks.Length);
    }

    protected void FallSilent()
    {
        _unheardSince = null;
        _silent = true;
    }

    protected void Become(UplinkState state, Usable usable, string reason)
    {
        if (Current.State == state && Current.Usable == usable && ReferenceEquals(Current.Reason, reason))
        {
            return;
        }

        EverUp |= state is UplinkState.Up or UplinkState.Degraded;
        Current = new Verdict(Now, state, usable, reason);
        Tell(Current);
    }

    protected static Instant Sooner(Instant next, Instant? at, Instant now) => at is { } t && t > now && t < next ? t : next;

    private void Advance(Instant at) => Now = Instant.Max(Now, at);

    private void Tell(in Verdict verdict)
    {
        // The owner takes verdicts after each input, and one input gives two at most.
        _told[(_toldFirst + _toldCount) % _told.Length] = verdict;
        _toldCount = Math.Min(_toldCount + 1, _told.Length);
    }
}
