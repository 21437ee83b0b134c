using System.Net.Sockets;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>Which witness is asked when, and when to look again.</summary>
internal sealed partial class UplinkDetector
{
    private const int RestingTurns = 10;

    /// <summary>A resolver that lies is met within 45 s; no multiple of the rotation, so that it is not always the same one that is asked.</summary>
    private static readonly TimeSpan RandomEvery = TimeSpan.FromSeconds(37);

    private static readonly TimeSpan RandomWhileLying = TimeSpan.FromSeconds(7);

    /// <summary>With a live tunnel, bytes prove the uplink more often than probes do.</summary>
    private static readonly TimeSpan RelaxedEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PathlessTick = TimeSpan.FromMilliseconds(500);

    private Instant _nextProbe;
    private Instant _nextRound;
    private Instant _nextRandom;
    private int _turn;
    private bool _proveNow;
    private long _countedSecond;

    protected override void Ask()
    {
        if (_pathAbsent)
        {
            return;
        }

        if (_phase == Phase.Quiet)
        {
            if (Now >= _nextProbe)
            {
                AskOne();
                CheckFamily();
                _nextProbe = Instant.Max(_nextProbe + AskedEvery, Now);
            }
        }
        else if (Now >= _nextRound && !_egress.IsConvicted)
        {
            AskAll();
            CheckFamily();
            _nextRound = Now + RoundInterval();
        }

        AskClassifiers();
    }

    /// <summary>Between two probes while all is well.</summary>
    public TimeSpan AskedEvery
    {
        get
        {
            var cadence = Attentive ? Options.Cadence.Attentive : Options.Cadence.Quiet;
            return IsRelaxed && cadence < RelaxedEvery ? RelaxedEvery : cadence;
        }
    }

    private TimeSpan RoundInterval()
    {
        var cadence = Options.Cadence;
        if (_phase == Phase.Burst || (_phase == Phase.Boot && Now - _phaseSince < Options.ConfirmAfter))
        {
            return cadence.Burst;
        }

        return Attentive || _rounds.AnyAnswer ? cadence.Out : cadence.OutIdle;
    }

    /// <summary>The next living witness in the rotation; one that is resting is asked now and then, besides.</summary>
    private void AskOne()
    {
        for (var i = 0; i < _tracks.Length; i++)
        {
            var track = _tracks[_turn++ % _tracks.Length];
            track.Turns++;
            if (!track.IsResting)
            {
                Post(track, round: 0, IsFullTurn(track), StandsForSecond());
                break;
            }

            if (track.Turns % RestingTurns == 0 || i == _tracks.Length - 1)
            {
                Post(track, round: 0, full: track.IsTls);
            }
        }

        if (_proveNow && Array.Find(_tracks, t => t.IsTls && !t.IsResting) is { } strong)
        {
            Post(strong, round: 0, full: true);
        }

        _proveNow = false;
        _turn %= _tracks.Length;
    }

    /// <summary>The TLS witnesses take their whole handshakes in turn, so that a portal is met twice as soon.</summary>
    private bool IsFullTurn(WitnessTrack track)
    {
        var every = Options.Cadence.FullTlsTurn;
        return track.IsTls && (track.Turns + (track.Name == WitnessName.TlsB ? every / 2 : 0)) % every == 1;
    }

    private void AskAll()
    {
        _proveNow = false;
        var round = _rounds.Open(Now, _tracks.Length);
        var counted = StandsForSecond();
        for (var i = 0; i < _tracks.Length; i++)
        {
            Post(_tracks[i], round, _tracks[i].IsTls && IsFullRound(i), counted, turn: _rounds.Count + i);
        }
    }

    /// <summary>Whole handshakes take turns where they need not be in each round; all are tried while answers lack a proof.</summary>
    private bool IsFullRound(int witness)
    {
        var every = _phase == Phase.Out ? Math.Max(2, Options.Cadence.FullTlsRound) : Options.Cadence.FullTlsRound;
        return (_rounds.Count + witness) % every == 1 % every
            || (_phase == Phase.Out && NobodyProvesItself())
            || (_rounds.AnyAnswer && !AuthenticatedSince(_phaseSince));
    }

    private void Post(WitnessTrack track, int round, bool full, bool counted = false, int? turn = null)
    {
        track.OnAsked();
        var family = _families.Next(track, turn ?? track.Turns);
        var timeout = track.Timeout(full, patient: _phase != Phase.Quiet);
        var random = !track.IsTls && TakeRandom(track, inRound: turn is not null);
        Post(new ProbeRequest(track.Name, round, full, random, timeout, counted, family));
    }

    /// <summary>The family that is not relied on: one witness that has it, out of the count.</summary>
    private void CheckFamily()
    {
        if (!_families.IsOn || _families.TakeCheck(Now) is not (var family and not AddressFamily.Unspecified))
        {
            return;
        }

        foreach (var track in _tracks)
        {
            if (track.Families.Contains(family) && !(track.IsResting && track.Families.Length == 2))
            {
                track.OnAsked();
                Post(new ProbeRequest(track.Name, 0, false, false, track.Timeout(full: false, patient: true), Family: family));
                return;
            }
        }
    }

    private bool StandsForSecond()
    {
        var second = LossWindow.SecondOf(Now);
        var first = second != _countedSecond;
        _countedSecond = second;
        return first;
    }

    /// <summary>Random labels for ever against somebody's zone look like an attack: only in a burst, and now and then.</summary>
    private bool TakeRandom(WitnessTrack track, bool inRound)
    {
        if (_phase == Phase.Burst)
        {
            track.LastRandom = Now;
            return true;
        }

        var lies = AnyLies();
        if (Now < _nextRandom || ((inRound || lies) && !IsLongestWithoutRandom(track)))
        {
            return false;
        }

        track.LastRandom = Now;
        _nextRandom = Now + (lies ? RandomWhileLying : RandomEvery);
        return true;
    }

    /// <summary>In a round, and while somebody lies, the resolvers take turns; else the next one in the rotation is as good, and sooner.</summary>
    private bool IsLongestWithoutRandom(WitnessTrack track)
    {
        foreach (var other in _tracks)
        {
            if (!other.IsTls && other.LastRandom < track.LastRandom)
            {
                return false;
            }
        }

        return true;
    }

    protected override Instant Wake()
    {
        if (IsBlind)
        {
            return Instant.Never;
        }

        var next = _phase == Phase.Quiet ? _nextProbe : _pathAbsent ? Now + PathlessTick : _egress.IsConvicted ? Instant.Never : _nextRound;
        if (_phase != Phase.Quiet)
        {
            next = Sooner(next, _phase == Phase.Out ? _rounds.GoodSince + _recoverAfter : DarkSince() + Options.ConfirmAfter, Now);
        }

        if (Options.CarrierIsModem && _phase != Phase.Out)
        {
            next = Sooner(next, _carrierLostAt + CarrierGrace, Now);
        }

        return Sooner(SoonerClassified(next), UnheardAt, Now);
    }
}
