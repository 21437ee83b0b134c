using Common;
using Common.Time;

namespace InternalHost.Wan;

/// <summary>
/// Decides whether one uplink works, from nothing but what it is told; the same events give the same verdicts. Mutable and without
/// allocation on its quiet path, because forty days of it must play in seconds; owned by one loop.
/// <code>
/// Boot ── answers ──▶ Quiet ── a miss ──▶ Burst ── dark for confirm_after ──▶ Out ── 20 s of good rounds ──▶ Quiet
///   │                   ▲                  │  │                                ▲
///   │                   └── 2 good rounds ─┘  └─ we may be at fault ─▶ Doubt ──┤ dark, and the other uplink answers
///   └──────────────── dark, and the other uplink answers ──────────────────────┘
/// </code>
/// After each input the owner takes the probes to send (<see cref="TryTakeProbe"/>) and the verdicts
/// (<see cref="TryTakeVerdict"/>), and calls <see cref="Tick"/> at <see cref="NextWake"/> at the latest.
/// </summary>
[PureCore]
internal sealed partial class UplinkDetector
{
    private static readonly TimeSpan CarrierGrace = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(5);

    /// <summary>Single lost packets do not wake the metered link; 5 s are left to prove it.</summary>
    private static readonly TimeSpan AttentionAfter = TimeSpan.FromSeconds(2.5);

    /// <summary>By then whoever acts on the verdict has asked for attention itself.</summary>
    private static readonly TimeSpan AttentionAfterOut = TimeSpan.FromMinutes(2);

    private readonly DetectorOptions _options;
    private readonly WitnessTrack[] _tracks;
    private readonly RoundLog _rounds = new();
    private readonly LossWindow _loss = new();
    private FlapDamping _damping;

    private Phase _phase = Phase.Boot;
    private Instant _now;
    private Instant _phaseSince;
    private Instant _darkFrom;
    private Instant _offNetDarkFrom;
    private Instant _distrustBefore;
    private Instant? _firstMiss;
    private Instant? _lastAuthenticated;
    private Instant? _authFailingFrom;
    private Instant? _carrierLostAt;
    private Instant? _unheardSince;
    private AliveSpell _accessAlive;
    private AliveSpell _weakAlive;
    private OtherUplink _other;
    private TimeSpan _recoverAfter;
    private bool _pathAbsent;
    private bool _doubtOver;
    private bool _silent;
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
    {
        _options = options;
        _tracks = [.. options.Witnesses.Select(w => new WitnessTrack(w))];
        _now = _phaseSince = _darkFrom = _offNetDarkFrom = _distrustBefore = start;
        EverUp = options.WasUpBefore;
        _recoverAfter = options.RecoverAfter;
        Current = new Verdict(start, UplinkState.Unknown, Usable.Unknown, Reasons.Start);
        Tell(Current);
        Wake(start);
    }

    public Verdict Current { get; private set; }

    /// <summary>It has been Up under this configuration, now or in an earlier life.</summary>
    public bool EverUp { get; private set; }

    /// <summary>Send time of the last answered probe.</summary>
    public Instant? LastAnswered { get; private set; }

    /// <summary>What the other uplink's detector may know of this one.</summary>
    public OtherUplink AsOther => new(LastAnswered, _firstMiss, _lossesSinceAnswer);

    public ReadOnlySpan<WitnessTrack> Witnesses => _tracks;

    /// <summary>Somebody needs to know this uplink's state at once: asked each second instead of rarely.</summary>
    public bool Attentive { get; private set; }

    /// <summary>All is well, one probe at a time.</summary>
    public bool IsQuiet => _phase == Phase.Quiet;

    /// <summary>A verdict is near, or waits for the other uplink's proof.</summary>
    public bool NeedsOther(Instant at) => _phase switch
    {
        Phase.Quiet => false,
        Phase.Burst => at - DarkSince() >= AttentionAfter,
        Phase.Out => at - _phaseSince < AttentionAfterOut,
        _ => !ReferenceEquals(Current.Reason, Reasons.NeverUp),
    };

    public void Tick(Instant at) => Settle(at);

    public void Result(in ProbeResult result)
    {
        _now = Instant.Max(_now, result.At);
        Heard();
        var track = TrackOf(result.Request.Witness);
        if (track is not null && result.IsAnswer)
        {
            OnAnswer(track, result);
        }
        else if (track is not null && !result.IsLate)
        {
            OnLoss(track, result);
        }

        Settle(result.At);
    }

    public void Carrier(Instant at, bool up)
    {
        _carrierLostAt = up ? null : _carrierLostAt ?? at;
        Settle(at);
    }

    public void Path(Instant at, PathState path)
    {
        var absent = path == PathState.Absent;
        if (absent != _pathAbsent)
        {
            _now = Instant.Max(_now, at);
            _pathAbsent = absent;
            OnPathChanged(absent);
        }

        Settle(at);
    }

    /// <summary>News of the other uplink; given before any verdict is asked for.</summary>
    public void Other(Instant at, in OtherUplink other)
    {
        _other = other;
        if (_phase == Phase.Doubt && !_doubtOver && other.LastAnswered > _phaseSince)
        {
            // The local fault ends here; the dark is counted anew.
            _doubtOver = true;
            RestartDark(Instant.Max(_now, at));
        }

        Settle(at);
    }

    public void SetAttentive(Instant at, bool attentive)
    {
        if (attentive != Attentive)
        {
            _now = Instant.Max(_now, at);
            Attentive = attentive;
            OnAttentionChanged();
        }

        Settle(at);
    }

    /// <summary>Our own loop ran late, or the clock jumped: what was missed meanwhile is no evidence against the uplink.</summary>
    /// <param name="by">How long we were not looking.</param>
    public void Late(Instant at, TimeSpan by)
    {
        _now = Instant.Max(_now, at);
        _distrustBefore = _now;
        _unheardSince = _unheardSince is null ? null : _now;
        OnLate(by);
        Settle(at);
    }

    private WitnessTrack? TrackOf(WitnessName name)
    {
        foreach (var track in _tracks)
        {
            if (track.Name == name)
            {
                return track;
            }
        }

        return null;
    }

    private void Heard()
    {
        if (_silent)
        {
            _silent = false;
            RestartDark(_now);
        }

        _unheardSince = null;
    }

    private void Settle(Instant at)
    {
        _now = Instant.Max(_now, at);
        Judge();
        Ask();
        Wake(_now);
    }
}
