using Common.Time;

namespace InternalHost.Wan;

/// <summary>From evidence to a verdict.</summary>
internal sealed partial class UplinkDetector
{
    /// <summary>A verdict needs this many witnesses with this many misses each.</summary>
    private const int Quorum = 3;

    /// <summary>"In the same second": two uplinks going dark closer than this share a cause, and it is nearer to us than to them.</summary>
    private static readonly TimeSpan SameSecond = TimeSpan.FromSeconds(1);

    private readonly Verdict[] _told = new Verdict[8];
    private int _toldFirst;
    private int _toldCount;

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

    private void Judge()
    {
        if (_unheardSince is { } since && _now - since >= SilenceLimit)
        {
            EnterBoot(Reasons.Silent);
        }
        else if (_phase != Phase.Out && EverUp && CarrierGone())
        {
            EnterOut(UplinkState.Down, Reasons.Carrier);
        }
        else if (_phase == Phase.Burst)
        {
            JudgeBurst();
        }
        else if (_phase == Phase.Out)
        {
            JudgeOut();
        }
        else if (_phase != Phase.Quiet)
        {
            JudgeUnsure();
        }
    }

    private void JudgeBurst()
    {
        if (AnswersAgain())
        {
            EnterQuiet(Reasons.Answered);
        }
        else if (IsDark())
        {
            if (BothDark())
            {
                EnterDoubt(Reasons.BothDark, over: false);
            }
            else
            {
                EnterOut(UplinkState.Down, DarkReason());
            }
        }
        else if (HalfDead() is { } half)
        {
            EnterOut(half.State, half.Reason);
        }
    }

    /// <summary>Boot and Doubt: answers end them; so does lasting darkness, once the other uplink shows that it is not us.</summary>
    private void JudgeUnsure()
    {
        var dark = IsDark();
        if (AnswersAgain())
        {
            EnterQuiet(Reasons.Answered);
        }
        else if (!EverUp && (dark || HalfDead() is not null))
        {
            Become(UplinkState.Unknown, Usable.Unknown, Reasons.NeverUp);
        }
        else if (dark && OtherProven() && (_phase == Phase.Boot || _doubtOver))
        {
            EnterOut(UplinkState.Down, DarkReason());
        }
        else if (HalfDead() is { } half)
        {
            EnterOut(half.State, half.Reason);
        }
    }

    private void JudgeOut()
    {
        if (!_pathAbsent && _rounds.Recovered(_now, _recoverAfter) && AuthenticatedSince(_rounds.GoodSince!.Value))
        {
            EnterQuiet(Reasons.Recovered);
        }
        else if (Current.State != UplinkState.Down && IsDark())
        {
            Become(UplinkState.Down, Usable.No, DarkReason());
        }
        else if (HalfDead() is { } half)
        {
            Become(half.State, Usable.No, half.Reason);
        }
    }

    private bool AnswersAgain() => !_pathAbsent && _rounds.TwoInARow && AuthenticatedSince(_phaseSince);

    private bool AuthenticatedSince(Instant since) => !HasTls() || _lastAuthenticated >= since;

    private bool HasTls() => Array.Exists(_tracks, t => t.IsTls);

    private string DarkReason() => _pathAbsent ? Reasons.NoPath : Reasons.Dark;

    private bool CarrierGone() => _options.CarrierIsModem && _carrierLostAt is { } lost && _now - lost >= CarrierGrace;

    /// <summary>
    /// From the send time of the last answer; where the uplink is asked rarely, from at most a second before the first miss,
    /// because nobody looked in between.
    /// </summary>
    private Instant DarkSince() => _firstMiss is { } miss ? Instant.Max(_darkFrom, miss - SameSecond) : _darkFrom;

    private bool IsDark() =>
        _firstMiss is not null
        && _now - DarkSince() >= _options.ConfirmAfter
        && (_pathAbsent || CountTracks(t => t.LossesInDark >= Quorum) >= Math.Min(Quorum, _tracks.Length));

    private bool BothDark() =>
        _options.HasOther
        && _firstMiss is { } own
        && _other.Losses >= 2
        && _other.FirstMiss >= DarkSince() - SameSecond
        && (_other.LastAnswered is not { } answered || answered <= own + SameSecond);

    /// <summary>Something answers, yet the world is not there.</summary>
    private (UplinkState State, string Reason)? HalfDead() =>
        IsIspOnly() ? (UplinkState.IspOnly, Reasons.IspOnly)
        : IsWalled() ? (UplinkState.Walled, Reasons.Walled)
        : null;

    /// <summary>Only the access network answers, and has for long enough.</summary>
    private bool IsIspOnly() =>
        _accessAlive.From is { } alive && _accessAlive.IsFresh(_now)
        && _now - Instant.Max(_offNetDarkFrom, alive) >= _options.UnusableAfter
        && CountTracks(t => t.IsOffNet && t.LossesInARow >= Quorum) >= Math.Min(Quorum, CountTracks(t => t.IsOffNet));

    /// <summary>Weak witnesses answer, and none of those that can prove who they are does.</summary>
    private bool IsWalled() =>
        _authFailingFrom is { } failing && _weakAlive.From is { } alive && _weakAlive.IsFresh(_now)
        && _now - Instant.Max(failing, alive) >= _options.UnusableAfter
        && NobodyProvesItself();

    /// <summary>Whole handshakes with each TLS witness fail, one after the other.</summary>
    private bool NobodyProvesItself() => HasTls() && Array.TrueForAll(_tracks, t => !t.IsTls || t.FullLossesInARow >= Quorum);

    private int CountTracks(Func<WitnessTrack, bool> which)
    {
        var count = 0;
        foreach (var track in _tracks)
        {
            count += which(track) ? 1 : 0;
        }

        return count;
    }

    private void EnterBoot(string reason)
    {
        _unheardSince = null;
        _silent = true;
        if (_phase != Phase.Boot)
        {
            Enter(Phase.Boot);
            RestartDark(_now);
        }

        Become(UplinkState.Unknown, Usable.Unknown, reason);
    }

    private void EnterQuiet(string reason)
    {
        if (_phase == Phase.Out)
        {
            _damping.OnUp(_now);
        }

        EverUp = true;
        Enter(Phase.Quiet);
        _nextProbe = _now + QuietInterval();
        TellLiving(reason);
    }

    private void EnterBurst(string reason)
    {
        Enter(Phase.Burst);
        TellLiving(reason);
    }

    private void EnterOut(UplinkState state, string reason)
    {
        _damping.OnOut(_now);
        _recoverAfter = _damping.RecoverAfter(_options.RecoverAfter, _options.RecoverAfterMax);
        _loss.Clear();
        Enter(Phase.Out);
        Become(state, Usable.No, reason);
    }

    private void EnterDoubt(string reason, bool over)
    {
        _doubtOver = over;
        _loss.Clear();
        Enter(Phase.Doubt);
        if (over)
        {
            RestartDark(_now);
        }

        Become(UplinkState.LocalFault, Usable.Unknown, reason);
    }

    private void Enter(Phase phase)
    {
        _phase = phase;
        _phaseSince = _nextRound = _now;
        _rounds.Clear();
    }

    /// <summary>A brownout outlasts the single misses in it: while it lasts, Up and Suspect are both Degraded.</summary>
    private void TellLiving(string reason)
    {
        if (_loss.IsDegraded)
        {
            Become(UplinkState.Degraded, Usable.Yes, Reasons.Degraded);
        }
        else
        {
            Become(_phase == Phase.Quiet ? UplinkState.Up : UplinkState.Suspect, Usable.Yes, reason);
        }
    }

    private void Become(UplinkState state, Usable usable, string reason)
    {
        if (Current.State == state && Current.Usable == usable && ReferenceEquals(Current.Reason, reason))
        {
            return;
        }

        Current = new Verdict(_now, state, usable, reason);
        Tell(Current);
    }

    private void Tell(in Verdict verdict)
    {
        // The owner takes verdicts after each input, and one input gives two at most.
        _told[(_toldFirst + _toldCount) % _told.Length] = verdict;
        _toldCount = Math.Min(_toldCount + 1, _told.Length);
    }
}
