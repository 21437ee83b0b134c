using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// Decides whether one uplink works, from nothing but what it is told; the same events give the same verdicts.
/// <code>
/// Boot ── answers ──▶ Quiet ── a miss ──▶ Burst ── dark for confirm_after ──▶ Out ── 20 s of good rounds ──▶ Quiet
///   │                   ▲                  │  │                                ▲
///   │                   └── 2 good rounds ─┘  └─ we may be at fault ─▶ Doubt ──┤ dark, and the other uplink answers
///   └──────────────── dark, and the other uplink answers ──────────────────────┘
/// </code>
/// No way leads to Quiet before the uplink was seen to leave by itself, or that could not be found out in time
/// (<see cref="EgressProof"/>); seen leaving by the other uplink it goes Out from everywhere.
/// </summary>
[PureCore]
internal sealed partial class UplinkDetector : Detector
{
    private static readonly TimeSpan CarrierGrace = TimeSpan.FromSeconds(1.5);

    /// <summary>Single lost packets do not wake the metered link; 5 s are left to prove it.</summary>
    private static readonly TimeSpan AttentionAfter = TimeSpan.FromSeconds(2.5);

    /// <summary>By then whoever acts on the verdict has asked for attention itself.</summary>
    private static readonly TimeSpan AttentionAfterOut = TimeSpan.FromMinutes(2);

    private readonly WitnessTrack[] _tracks;
    private WitnessTrack[] _everyone;
    private readonly RoundLog _rounds = new();
    private readonly LossWindow _loss = new();
    private readonly SlowWindow _slow = new();
    private readonly EgressProof _egress = new();
    private readonly FamilyWatch _families;
    private FlapDamping _damping;

    private Phase _phase = Phase.Boot;
    private Instant _phaseSince;
    private Instant _darkFrom;
    private Instant _offNetDarkFrom;
    private Instant _distrustBefore;
    private Instant? _firstMiss;
    private Instant? _lastAuthenticated;
    private Instant? _authFailingFrom;
    private Instant? _carrierLostAt;
    private AliveSpell _accessAlive;
    private AliveSpell _weakAlive;
    private AliveSpell _falseAlive;
    private OtherUplink _other;
    private TimeSpan _recoverAfter;
    private bool _pathAbsent;
    private bool _doubtOver;
    private int _lossesSinceAnswer;

    private enum Phase
    {
        /// <summary>Nothing known yet, or the prober was silent.</summary>
        Boot = 0,

        /// <summary>One probe at a time.</summary>
        Quiet = 1,

        /// <summary>A miss: all witnesses at once.</summary>
        Burst = 2,

        /// <summary>Down, Walled or IspOnly.</summary>
        Out = 3,

        /// <summary>Dark, but the fault may be ours.</summary>
        Doubt = 4,
    }

    public UplinkDetector(DetectorOptions options, Instant start)
        : base(options, start)
    {
        _tracks = [.. options.Witnesses.Select(w => TrackFor(options, w))];
        _everyone = [.. _tracks, .. Classifiers(options).Select(w => new WitnessTrack(w))];
        _families = new FamilyWatch(options.Families, options.ConfirmAfter);
        _phaseSince = _darkFrom = _offNetDarkFrom = _distrustBefore = start;
        _nextProbe = _nextRound = start;
        _recoverAfter = options.RecoverAfter;
        Settle(start);
    }

    public override OtherUplink AsOther =>
        _egress.IsConvicted ? new(null, null, 0, LeavesByUs: true) : new(LastAnswered, _firstMiss, _lossesSinceAnswer);

    public override ReadOnlySpan<WitnessTrack> Witnesses => _everyone;

    public override bool IsQuiet => _phase == Phase.Quiet;

    /// <summary>Nobody is asked (wiring D): no verdict will ever come, so none is waited for.</summary>
    private bool IsBlind => _tracks.Length == 0;

    public override bool NeedsOther(Instant at) => !IsBlind && _phase switch
    {
        Phase.Quiet => _egress.IsRefuted,
        Phase.Burst => at - DarkSince() >= AttentionAfter || _egress.IsRefuted,
        Phase.Out => at - _phaseSince < AttentionAfterOut,
        _ => !ReferenceEquals(Current.Reason, Reasons.NeverUp),
    };

    protected override void OnResult(in ProbeResult result)
    {
        switch (result.Request.Witness)
        {
            case WitnessName.Egress:
                OnEgress(result);
                break;
            case WitnessName.Http:
                OnHttp(result);
                break;
            case WitnessName.Bastion:
                OnBastion(result);
                break;
            default:
                OnVote(result);
                break;
        }
    }

    protected override void OnCarrier(Instant at, bool up) => _carrierLostAt = up ? null : _carrierLostAt ?? at;

    protected override void OnPath(PathState path)
    {
        var absent = path == PathState.Absent;
        if (absent != _pathAbsent)
        {
            _pathAbsent = absent;
            OnPathChanged(absent);
        }
    }

    protected override void OnOther(in OtherUplink other)
    {
        if (other.LeavesByUs && !_other.LeavesByUs && _egress.IsRefuted)
        {
            Pardon();
        }

        _other = other;
        if (_phase == Phase.Doubt && !_doubtOver && other.LastAnswered > _phaseSince)
        {
            // The local fault ends here; the dark is counted anew.
            _doubtOver = true;
            RestartDark(Now);
        }
    }

    protected override void OnLate(TimeSpan by)
    {
        _distrustBefore = Now;
        OnLateInPhase(by);
    }

    protected override void OnHeardAgain() => RestartDark(Now);

    private static IEnumerable<WitnessName> Classifiers(DetectorOptions options)
    {
        if (options.HasHttp)
        {
            yield return WitnessName.Http;
        }

        if (options.HasEgress)
        {
            yield return WitnessName.Egress;
        }
    }

    private static WitnessTrack TrackFor(DetectorOptions options, WitnessName name) => new(name)
    {
        Families = [.. options.Families.Where(f => f.Witness == name).Select(f => f.Family).Distinct().Order()],
    };

    private WitnessTrack? TrackOf(WitnessName name)
    {
        foreach (var track in _everyone)
        {
            if (track.Name == name)
            {
                return track;
            }
        }

        return null;
    }
}
