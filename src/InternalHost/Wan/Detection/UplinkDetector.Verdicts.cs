using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>From evidence to a verdict.</summary>
internal sealed partial class UplinkDetector
{
    /// <summary>A verdict needs this many witnesses with this many misses each.</summary>
    private const int Quorum = 3;

    /// <summary>"In the same second": two uplinks going dark closer than this share a cause, and it is nearer to us than to them.</summary>
    private static readonly TimeSpan SameSecond = TimeSpan.FromSeconds(1);

    /// <summary>The 204 is asked for every few seconds while it matters.</summary>
    private static readonly TimeSpan FalseFresh = TimeSpan.FromSeconds(12);

    /// <summary>Why the uplink came to the phase it lives in; told while nothing else is to be said of it.</summary>
    private string _living = Reasons.Answered;

    protected override void Judge()
    {
        if (IsUnheard)
        {
            EnterBoot(Reasons.Silent);
        }
        else if (_egress.IsConvicted)
        {
            Convict();
        }
        else if (_phase != Phase.Out && EverUp && CarrierGone())
        {
            EnterOut(UplinkState.Down, Reasons.Carrier);
        }
        else if (_phase == Phase.Out)
        {
            JudgeOut();
        }
        else if (_phase is Phase.Quiet or Phase.Burst)
        {
            JudgeLiving();
        }
        else
        {
            JudgeUnsure();
        }
    }

    private void JudgeLiving()
    {
        if (_phase == Phase.Quiet)
        {
            TellLiving();
        }
        else if (AnswersAgain() && LeavesByItself(_phaseSince))
        {
            EnterQuiet(Reasons.Answered);
        }
        else if (IsDark())
        {
            JudgeDark();
        }
        else if (HalfDead() is { } half)
        {
            EnterOut(half.State, half.Reason);
        }
        else
        {
            TellLiving();
        }
    }

    private void JudgeDark()
    {
        if (BothDark())
        {
            EnterDoubt(Reasons.BothDark, over: false);
        }
        else
        {
            var dark = DarkVerdict();
            EnterOut(dark.State, dark.Reason);
        }
    }

    /// <summary>Boot and Doubt: answers end them; so does lasting darkness, once the other uplink shows that it is not us.</summary>
    private void JudgeUnsure()
    {
        var dark = IsDark();
        if (AnswersAgain() && LeavesByItself(_phaseSince))
        {
            EnterQuiet(Reasons.Answered);
        }
        else if (!EverUp && (dark || HalfDead() is not null))
        {
            Become(UplinkState.Unknown, Usable.Unknown, Reasons.NeverUp);
        }
        else if (dark && OtherProven() && (_phase == Phase.Boot || _doubtOver))
        {
            var verdict = DarkVerdict();
            EnterOut(verdict.State, verdict.Reason);
        }
        else if (HalfDead() is { } half)
        {
            EnterOut(half.State, half.Reason);
        }
    }

    private void JudgeOut()
    {
        if (Recovers())
        {
            EnterQuiet(Reasons.Recovered);
        }
        else if (Current.State != UplinkState.Down && IsDark())
        {
            // One that is walled in may have nothing but false answers left.
            var (state, reason) = DarkVerdict();
            Become(state, Usable.No, state == Current.State ? Current.Reason : reason);
        }
        else if (HalfDead() is { } half)
        {
            Become(half.State, Usable.No, half.State == Current.State ? Current.Reason : half.Reason);
        }
    }

    private bool Recovers() =>
        !_pathAbsent && _rounds.GoodSince is { } since && LeavesByItself(since) && !_egress.IsRefuted
        && _rounds.Recovered(Now, _recoverAfter) && AuthenticatedSince(since);

    /// <summary>Seen leaving by the other uplink: everything it answers is the other one's doing.</summary>
    private void Convict()
    {
        if (!EverUp)
        {
            if (_phase != Phase.Boot)
            {
                Enter(Phase.Boot);
            }

            Become(UplinkState.Unknown, Usable.Unknown, Reasons.Egress);
        }
        else if (_phase != Phase.Out)
        {
            EnterOut(UplinkState.Down, Reasons.Egress);
        }
        else
        {
            Become(UplinkState.Down, Usable.No, Reasons.Egress);
        }
    }

    private bool AnswersAgain() =>
        !_pathAbsent && _rounds.TwoInARow && AuthenticatedSince(_phaseSince) && _families.AllAnsweredSince(_phaseSince)
        && !(_phase == Phase.Burst && AnyHalfCaught());

    private bool AuthenticatedSince(Instant since) => !HasTls() || _lastAuthenticated >= since;

    private bool HasTls() => Array.Exists(_tracks, t => t.IsTls);

    /// <summary>Nothing true answers. Where something false still does, somebody stands between us and the world.</summary>
    private (UplinkState State, string Reason) DarkVerdict() =>
        _pathAbsent ? (UplinkState.Down, Reasons.NoPath)
        : Lie() is { } lie && _falseAlive.IsWithin(Now, FalseFresh) ? (UplinkState.Walled, lie)
        : (UplinkState.Down, Reasons.Dark);

    private bool CarrierGone() => Options.CarrierIsModem && _carrierLostAt is { } lost && Now - lost >= CarrierGrace;

    /// <summary>
    /// From the send time of the last answer; where the uplink is asked rarely, from at most a second before the first miss,
    /// because nobody looked in between.
    /// </summary>
    private Instant DarkSince() => _firstMiss is { } miss ? Instant.Max(_darkFrom, miss - SameSecond) : _darkFrom;

    private bool IsDark() =>
        _firstMiss is not null
        && Now - DarkSince() >= Options.ConfirmAfter
        && (_pathAbsent || CountTracks(t => t.LossesInDark >= Quorum) >= Math.Min(Quorum, _tracks.Length));

    private bool BothDark() =>
        Options.HasOther
        && _firstMiss is { } own
        && _other.Losses >= 2
        && _other.FirstMiss >= DarkSince() - SameSecond
        && (_other.LastAnswered is not { } answered || answered <= own + SameSecond);

    /// <summary>Something answers, yet the world is not there.</summary>
    private (UplinkState State, string Reason)? HalfDead() =>
        IsIspOnly() ? (UplinkState.IspOnly, Reasons.IspOnly)
        : IsWalled() ? (UplinkState.Walled, Lie() ?? Reasons.Walled)
        : null;

    /// <summary>Only the access network answers, and has for long enough.</summary>
    private bool IsIspOnly() =>
        _accessAlive.From is { } alive && _accessAlive.IsFresh(Now)
        && Now - Instant.Max(_offNetDarkFrom, alive) >= Options.UnusableAfter
        && CountTracks(t => t.IsOffNet && t.LossesInARow >= Quorum) >= Math.Min(Quorum, CountTracks(t => t.IsOffNet));

    /// <summary>
    /// Weak witnesses answer, and none of those that can prove who they are does; or somebody was caught lying, and nobody has proved
    /// its name since. A TLS witness that still proves its name outranks any lie: the world is there.
    /// </summary>
    private bool IsWalled() =>
        NobodyProvesItself() && _authFailingFrom is { } failing && _weakAlive.From is { } alive && _weakAlive.IsFresh(Now)
            ? Now - Instant.Max(failing, alive) >= Options.UnusableAfter
            : HasTls() && LieSince() is { } since && _falseAlive.IsWithin(Now, FalseFresh) && !(_lastAuthenticated >= since) && Now - since >= Options.UnusableAfter;

    /// <summary>Whole handshakes with each TLS witness fail, one after the other, and our own bastion is not heard.</summary>
    private bool NobodyProvesItself() =>
        HasTls() && !IsBastionHeard && Array.TrueForAll(_tracks, t => !t.IsTls || t.FullLossesInARow >= Quorum);

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
        FallSilent();
        if (_phase != Phase.Boot)
        {
            Enter(Phase.Boot);
            RestartDark(Now);
        }

        Become(UplinkState.Unknown, Usable.Unknown, reason);
    }

    private void EnterQuiet(string reason)
    {
        if (_phase == Phase.Out)
        {
            _damping.OnUp(Now);
        }

        Enter(Phase.Quiet);
        // Somebody proved its name in what ends here; handshakes that failed besides, told or not yet, begin no wall.
        _authFailingFrom = null;
        _families.OnUp();
        _nextProbe = Now + AskedEvery;
        _living = reason;
        TellLiving();
    }

    private void EnterBurst(string reason)
    {
        Enter(Phase.Burst);
        _nextHttp = Instant.Min(_nextHttp, HttpSoon(HttpWhileUnsure));
        _living = reason;
        TellLiving();
    }

    private void EnterOut(UplinkState state, string reason)
    {
        _damping.OnOut(Now);
        _recoverAfter = _damping.RecoverAfter(Options.RecoverAfter, Options.RecoverAfterMax);
        ForgetBrownouts();
        Enter(Phase.Out);
        Become(state, Usable.No, reason);
    }

    private void EnterDoubt(string reason, bool over)
    {
        _doubtOver = over;
        ForgetBrownouts();
        Enter(Phase.Doubt);
        if (over)
        {
            RestartDark(Now);
        }

        Become(UplinkState.LocalFault, Usable.Unknown, reason);
    }

    private void Enter(Phase phase)
    {
        _phase = phase;
        _phaseSince = _nextRound = Now;
        _rounds.Clear();
        _egress.StopWaiting();
    }

    private void ForgetBrownouts()
    {
        _loss.Clear();
        _slow.Clear();
    }

    /// <summary>
    /// A brownout outlasts the single misses in it: while it lasts, Up and Suspect are both Degraded. One refusal of the public address
    /// outranks all of it: never Up then.
    /// </summary>
    private void TellLiving()
    {
        if (_egress.IsRefuted)
        {
            Become(UplinkState.Suspect, Usable.Yes, Reasons.Egress);
        }
        else if (Shortcoming() is { } lacks)
        {
            _living = Reasons.Recovered;
            Become(UplinkState.Degraded, Usable.Yes, lacks);
        }
        else
        {
            Become(_phase == Phase.Quiet ? UplinkState.Up : UplinkState.Suspect, Usable.Yes, _living);
        }
    }

    private string? Shortcoming() =>
        _loss.IsDegraded ? Reasons.Degraded
        : _slow.IsSlow ? Reasons.Slow
        : _families.IsOneLost ? Reasons.FamilyLost
        : Lie();
}
