using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// Wiring C: this host is routed by the backup only, so the primary is judged by what others say of it. Two are strong: a command that
/// asks the router, and a box on the LAN that relays a TLS witness. One is weak: the primary's own address asked from outside, which
/// may be a stranger's after an outage. The rules of evidence:
/// <list type="bullet">
/// <item>Up needs a strong observer that says up, and none that says down. The weak one never makes Up.</item>
/// <item>Down needs a strong observer that says down three times over confirm_after; or the weak one dark for a minute while the backup
/// answers, and no strong one that says up.</item>
/// <item>Strong observers that contradict each other are decided for down, after unusable_after instead of confirm_after: a router calls
/// a line up whose provider is dead, and a relay works by the backup when the router has fallen over. Wrongly down costs cents, wrongly
/// up the way in. Only a relay proven to leave by the primary's own address outranks a router that says down.</item>
/// <item>Silence is no data: after half a minute of it, Unknown.</item>
/// </list>
/// </summary>
[PureCore]
internal sealed partial class ObservedUplink : Detector
{
    private const int Readings = 3;
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan OutsideEvery = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan OutsideInDoubt = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LeastInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OutsideDark = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AttentionAfter = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan AttentionAfterOut = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan SameSecond = TimeSpan.FromSeconds(1);

    /// <summary>A command may ask the router by ssh; below the limit of silence.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(4);

    private readonly ObserverTrack[] _observers;
    private readonly WitnessTrack[] _witnesses;
    private readonly EgressProof _egress = new();
    private FlapDamping _damping;
    private Phase _phase = Phase.Boot;
    private Instant _phaseSince;
    private Instant _distrustBefore;
    private OtherUplink _other;
    private TimeSpan _recoverAfter;
    private bool _doubtOver;

    private enum Phase
    {
        Boot = 0,
        Up = 1,

        /// <summary>Somebody says down.</summary>
        Suspect = 2,
        Out = 3,

        /// <summary>The backup went dark in the same moment.</summary>
        Doubt = 4,
    }

    public ObservedUplink(DetectorOptions options, Instant start)
        : base(options, start)
    {
        _observers = [.. options.Observe.Select(o => new ObserverTrack(o))];
        WitnessTrack[] egress = options.HasEgress ? [new WitnessTrack(WitnessName.Egress)] : [];
        _witnesses = [.. _observers.Select(o => o.Witness), .. egress];
        _phaseSince = _distrustBefore = start;
        _recoverAfter = options.RecoverAfter;
        Settle(start);
    }

    public override OtherUplink AsOther => _egress.IsConvicted
        ? new(null, null, 0, LeavesByUs: true)
        : new(_phase == Phase.Up ? Now : LastAnswered, FirstDown(), StrongDowns());

    public override ReadOnlySpan<WitnessTrack> Witnesses => _witnesses;

    public override bool IsQuiet => _phase == Phase.Up;

    public override bool NeedsOther(Instant at) => _phase switch
    {
        Phase.Up => _egress.IsRefuted || Outside is { Downs: > 0 },
        Phase.Suspect => at - (FirstDown() ?? at) >= AttentionAfter || _egress.IsRefuted || Outside is { Downs: > 0 },
        Phase.Out => at - _phaseSince < AttentionAfterOut,

        // A command that is broken for good must not keep a metered backup awake for good.
        _ => !ReferenceEquals(Current.Reason, Reasons.NeverUp)
            && (!ReferenceEquals(Current.Reason, Reasons.Silent) || AnySays(Sight.Down) || Outside is { Downs: > 0 }),
    };

    private ObserverTrack? Outside => Array.Find(_observers, o => o.IsWeak);

    protected override void OnResult(in ProbeResult result)
    {
        if (result.Request.Witness == WitnessName.Egress)
        {
            _egress.OnResult(result, Now, _phase == Phase.Up ? Options.Cadence.Proof : AskEvery);
            NoteEgress(result);
        }
        else if (Of(result.Request.Witness) is { } observer)
        {
            observer.OnTold(result.IsLate);
            See(observer, result);
        }
    }

    protected override void OnOther(in OtherUplink other)
    {
        _other = other;
        if (_other.Losses >= 2)
        {
            // The weak observer is asked by the backup: while that is dark, its silence is the backup's.
            Outside?.ForgetDowns();
        }

        if (_phase == Phase.Doubt && !_doubtOver && other.LastAnswered > _phaseSince)
        {
            _doubtOver = true;
            ForgetDowns();
        }
    }

    protected override void OnLate(TimeSpan by)
    {
        _distrustBefore = Now;
        foreach (var observer in _observers)
        {
            observer.Shift(Now, by);
        }
    }

    protected override void OnHeardAgain() => ForgetAll();

    protected override void OnAttentionChanged()
    {
        if (Attentive)
        {
            AskAllSoon();
        }
    }

    protected override void OnAddressChanged() => _egress.AskSoon(Now, LeastInterval);

    private void See(ObserverTrack observer, in ProbeResult result)
    {
        var up = observer.Name == WitnessName.Lan ? result.Outcome == ProbeOutcome.Authenticated : result.IsAnswer;
        if (up)
        {
            observer.Witness.OnAnswer(result);
            observer.SeeUp(result.SentAt);
            LastAnswered = LastAnswered > result.SentAt || observer.IsWeak ? LastAnswered : result.SentAt;
        }
        else if (!result.IsLate && result.SentAt >= _distrustBefore)
        {
            observer.Witness.OnLoss(result, inDark: false);
            if (observer.IsWeak ? result.Outcome == ProbeOutcome.Lost && _other.Losses < 2 : result.Outcome == ProbeOutcome.Refuted)
            {
                observer.SeeDown(result.SentAt);
                SoonAgain(observer);
            }
        }
    }

    /// <summary>A first "down": the others are asked at once, and all of them more often.</summary>
    private void SoonAgain(ObserverTrack observer)
    {
        if (observer.Downs > 1)
        {
            return;
        }

        foreach (var each in _observers)
        {
            each.AskSoon(each == observer ? Now + Interval(each, calm: false) : Now);
        }
    }

    private void NoteEgress(in ProbeResult result)
    {
        var track = _witnesses[^1];
        if (result.IsAnswer)
        {
            track.OnAnswer(result);
        }
        else if (!result.IsLate)
        {
            track.OnLoss(result, inDark: false);
        }
    }

    private ObserverTrack? Of(WitnessName name)
    {
        foreach (var observer in _observers)
        {
            if (observer.Name == name)
            {
                return observer;
            }
        }

        return null;
    }

    protected override void Ask()
    {
        foreach (var observer in _observers)
        {
            if (observer.IsDue(Now))
            {
                observer.OnAsked(Now, Interval(observer, IsCalm));
                Post(new ProbeRequest(observer.Name, 0, Full: true, RandomLabel: false, AnswerTimeout));
            }
        }

        if (AsksEgress && _egress.IsDue(Now))
        {
            _witnesses[^1].OnAsked();
            _egress.OnAsked(Now);
            Post(new ProbeRequest(WitnessName.Egress, 0, Full: true, RandomLabel: false, EgressProof.Timeout));
        }
    }

    private bool AsksEgress => Options.HasEgress && (_phase is Phase.Up or Phase.Suspect || _egress.IsAwaited || _egress.IsRefuted);

    private bool IsCalm => _phase is Phase.Up or Phase.Out && Outside is not { Downs: > 0 };

    private TimeSpan Interval(ObserverTrack observer, bool calm)
    {
        if (observer.IsWeak)
        {
            return calm ? OutsideEvery : OutsideInDoubt;
        }

        var hurried = Options.ConfirmAfter / Readings;
        return calm ? AskEvery : hurried > LeastInterval ? hurried : LeastInterval;
    }

    private void AskAllSoon()
    {
        foreach (var observer in _observers)
        {
            observer.AskSoon(Now);
        }
    }

    protected override Instant Wake()
    {
        var next = Instant.Never;
        foreach (var observer in _observers)
        {
            next = Sooner(next, observer.WakeAt, Now);
            next = Sooner(next, observer.StaleAt, Now);
            next = Sooner(next, observer.UpSince + _recoverAfter, Now);
            next = Sooner(next, observer.DownSince + (observer.IsWeak ? OutsideDark : Options.ConfirmAfter), Now);
            next = Sooner(next, observer.IsWeak ? null : observer.DownSince + ContradictedAfter, Now);
        }

        next = AsksEgress ? Sooner(next, _egress.NextAsk, Now) : next;
        next = Sooner(next, _egress.PatienceEnds, Now);
        next = Sooner(next, _phase == Phase.Boot ? _phaseSince + ObserverTrack.Stale : null, Now);
        return Sooner(next, UnheardAt, Now);
    }
}
