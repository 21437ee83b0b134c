using Common.Time;

namespace InternalHost.Wan;

/// <summary>Which witness is asked when, and when to look again.</summary>
internal sealed partial class UplinkDetector
{
    private const int RestingTurns = 10;
    private static readonly TimeSpan RandomEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan PathlessTick = TimeSpan.FromMilliseconds(500);

    private readonly ProbeRequest[] _asks = new ProbeRequest[32];
    private int _askFirst;
    private int _askCount;
    private Instant _nextProbe;
    private Instant _nextRound;
    private Instant _nextRandom;
    private int _turn;
    private bool _proveNow;
    private long _countedSecond;

    /// <summary>The moment at which <see cref="Tick"/> must be called, if nothing happens before.</summary>
    public Instant NextWake { get; private set; }

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

    private void Ask()
    {
        if (_phase == Phase.Quiet)
        {
            if (_now >= _nextProbe)
            {
                AskOne();
                _nextProbe = Instant.Max(_nextProbe + QuietInterval(), _now);
            }
        }
        else if (_now >= _nextRound && !_pathAbsent)
        {
            AskAll();
            _nextRound = _now + RoundInterval();
        }
    }

    private TimeSpan QuietInterval() => Attentive ? _options.Cadence.Attentive : _options.Cadence.Quiet;

    private TimeSpan RoundInterval()
    {
        var cadence = _options.Cadence;
        if (_phase == Phase.Burst || (_phase == Phase.Boot && _now - _phaseSince < _options.ConfirmAfter))
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
        var every = _options.Cadence.FullTlsTurn;
        return track.IsTls && (track.Turns + (track.Name == WitnessName.TlsB ? every / 2 : 0)) % every == 1;
    }

    private void AskAll()
    {
        _proveNow = false;
        var round = _rounds.Open(_now, _tracks.Length);
        var counted = StandsForSecond();
        for (var i = 0; i < _tracks.Length; i++)
        {
            Post(_tracks[i], round, _tracks[i].IsTls && IsFullRound(i), counted);
        }
    }

    /// <summary>Whole handshakes take turns where they need not be in each round; all are tried while answers lack a proof.</summary>
    private bool IsFullRound(int witness)
    {
        var every = _phase == Phase.Out ? Math.Max(2, _options.Cadence.FullTlsRound) : _options.Cadence.FullTlsRound;
        return (_rounds.Count + witness) % every == 1 % every
            || (_phase == Phase.Out && NobodyProvesItself())
            || (_rounds.AnyAnswer && !AuthenticatedSince(_phaseSince));
    }

    private void Post(WitnessTrack track, int round, bool full, bool counted = false)
    {
        track.OnAsked();
        _unheardSince ??= _now;
        _asks[(_askFirst + _askCount) % _asks.Length] =
            new ProbeRequest(track.Name, round, full, !track.IsTls && TakeRandom(), track.Timeout(full), counted);
        _askCount = Math.Min(_askCount + 1, _asks.Length);
    }

    private bool StandsForSecond()
    {
        var second = LossWindow.SecondOf(_now);
        var first = second != _countedSecond;
        _countedSecond = second;
        return first;
    }

    /// <summary>Random labels for ever against somebody's zone look like an attack: only in a burst, and once a minute.</summary>
    private bool TakeRandom()
    {
        if (_phase == Phase.Burst)
        {
            return true;
        }

        var due = _now >= _nextRandom;
        _nextRandom = due ? _now + RandomEvery : _nextRandom;
        return due;
    }

    private void Wake(Instant now)
    {
        var next = _phase == Phase.Quiet ? _nextProbe : _pathAbsent ? now + PathlessTick : _nextRound;
        if (_phase != Phase.Quiet)
        {
            next = Sooner(next, _phase == Phase.Out ? _rounds.GoodSince + _recoverAfter : DarkSince() + _options.ConfirmAfter, now);
        }

        if (_options.CarrierIsModem && _phase != Phase.Out)
        {
            next = Sooner(next, _carrierLostAt + CarrierGrace, now);
        }

        NextWake = Sooner(next, _unheardSince + SilenceLimit, now);
    }

    private static Instant Sooner(Instant next, Instant? at, Instant now) => at is { } t && t > now && t < next ? t : next;
}
