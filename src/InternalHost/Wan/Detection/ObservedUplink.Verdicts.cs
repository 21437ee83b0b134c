using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>From readings to a verdict.</summary>
internal sealed partial class ObservedUplink
{
    private TimeSpan ContradictedAfter => Options.UnusableAfter > Options.ConfirmAfter ? Options.UnusableAfter : Options.ConfirmAfter;

    protected override void Judge()
    {
        if (IsUnheard)
        {
            FallSilent();
            ForgetAll();
            EnterBoot(Reasons.Silent);
        }
        else if (_egress.IsConvicted)
        {
            Convict();
        }
        else if (_phase == Phase.Out)
        {
            JudgeOut();
        }
        else if (_phase is Phase.Up or Phase.Suspect)
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
        if (IsDown())
        {
            if (BothDark())
            {
                _doubtOver = false;
                Enter(Phase.Doubt);
                Become(UplinkState.LocalFault, Usable.Unknown, Reasons.BothDark);
            }
            else
            {
                EnterOut(Reasons.Observed);
            }
        }
        else if (NobodySpeaks())
        {
            EnterBoot(Reasons.Silent);
        }
        else if (_phase == Phase.Up)
        {
            JudgeUp();
        }
        else if (SaysUp(2) && LeavesByItself(_phaseSince) && !_egress.IsRefuted)
        {
            EnterUp(Reasons.Answered);
        }
    }

    private void JudgeUp()
    {
        if (_egress.IsRefuted || AnySays(Sight.Down))
        {
            Enter(Phase.Suspect);
            _egress.AskSoon(Now, LeastInterval);
            Become(UplinkState.Suspect, Usable.Yes, _egress.IsRefuted ? Reasons.Egress : Reasons.Missed);
        }
    }

    private void JudgeUnsure()
    {
        var down = IsDown();
        if (SaysUp(2) && LeavesByItself(_phaseSince) && !_egress.IsRefuted)
        {
            EnterUp(Reasons.Answered);
        }
        else if (!EverUp && down)
        {
            Become(UplinkState.Unknown, Usable.Unknown, Reasons.NeverUp);
        }
        else if (down && OtherProven() && (_phase == Phase.Boot || _doubtOver))
        {
            EnterOut(Reasons.Observed);
        }
        else if (_phase == Phase.Boot && Now - _phaseSince >= ObserverTrack.Stale && NobodySpeaks())
        {
            Become(UplinkState.Unknown, Usable.Unknown, Reasons.Silent);
        }
    }

    private void JudgeOut()
    {
        if (SaysUp(Readings) && UpSince() is { } since && Now - since >= _recoverAfter && LeavesByItself(since) && !_egress.IsRefuted)
        {
            EnterUp(Reasons.Recovered);
        }
        else if (Current.Reason == Reasons.Egress && IsDown())
        {
            Become(UplinkState.Down, Usable.No, Reasons.Observed);
        }
    }

    private void Convict()
    {
        if (EverUp)
        {
            if (_phase != Phase.Out)
            {
                EnterOut(Reasons.Egress);
            }

            Become(UplinkState.Down, Usable.No, Reasons.Egress);
        }
        else
        {
            EnterBoot(Reasons.Egress);
        }
    }

    private bool IsDown()
    {
        foreach (var observer in _observers)
        {
            if (observer.Downs < Readings || observer.DownSince is not { } since || observer.Says(Now) != Sight.Down)
            {
                continue;
            }

            if (observer.IsWeak
                ? Now - since >= OutsideDark && OtherAnswers() && !AnySays(Sight.Up)
                : Now - since >= (AnySays(Sight.Up) ? ContradictedAfter : Options.ConfirmAfter) && !IsOutranked(observer))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The relay proves the world, and that it leaves by the primary's own address: then the router is mistaken.</summary>
    private bool IsOutranked(ObserverTrack observer) =>
        observer.Name == WitnessName.Router && Options.HasEgress && Of(WitnessName.Lan)?.Says(Now) == Sight.Up
        && observer.DownSince is { } since && _egress.IsOwnSince(since) && !_egress.IsRefuted;

    private bool AnySays(Sight sight)
    {
        foreach (var observer in _observers)
        {
            if (!observer.IsWeak && observer.Says(Now) == sight)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A strong observer says so, that many times in a row, and none says down.</summary>
    private bool SaysUp(int readings)
    {
        var up = false;
        foreach (var observer in _observers)
        {
            var says = observer.IsWeak ? Sight.None : observer.Says(Now);
            if (says == Sight.Down && !IsOutranked(observer))
            {
                return false;
            }

            up |= says == Sight.Up && observer.Ups >= readings;
        }

        return up;
    }

    /// <summary>Nobody strong says anything, and the weak one has nothing to say against it either.</summary>
    private bool NobodySpeaks() => !AnySays(Sight.Up) && !AnySays(Sight.Down);

    private Instant? UpSince()
    {
        Instant? latest = null;
        foreach (var observer in _observers)
        {
            if (!observer.IsWeak && observer.Says(Now) == Sight.Up)
            {
                latest = latest > observer.UpSince ? latest : observer.UpSince;
            }
        }

        return latest;
    }

    private Instant? FirstDown()
    {
        Instant? first = null;
        foreach (var observer in _observers)
        {
            if (!observer.IsWeak)
            {
                first = first < observer.DownSince ? first : observer.DownSince ?? first;
            }
        }

        return first;
    }

    private int StrongDowns()
    {
        var most = 0;
        foreach (var observer in _observers)
        {
            most = observer.IsWeak ? most : Math.Max(most, observer.Downs);
        }

        return most;
    }

    /// <summary>The backup went dark between our last reading "up" and the first "down": nearer to us than to them.</summary>
    private bool BothDark() =>
        Options.HasOther && FirstDown() is { } own && _other.Losses >= 2
        && _other.FirstMiss >= (LastAnswered ?? own) - SameSecond
        && (_other.LastAnswered is not { } answered || answered <= own + SameSecond);

    private bool OtherProven() => !Options.HasOther || OtherAnswers();

    private bool OtherAnswers() => _other.LastAnswered > Now - AliveSpell.Fresh;

    private bool LeavesByItself(Instant since)
    {
        if (!Options.HasEgress)
        {
            return true;
        }

        _egress.Await(since, Now);
        return _egress.IsSettled(since, Now);
    }

    private void ForgetDowns()
    {
        foreach (var observer in _observers)
        {
            observer.ForgetDowns();
        }
    }

    private void ForgetAll()
    {
        foreach (var observer in _observers)
        {
            observer.Forget();
        }
    }

    private void EnterBoot(string reason)
    {
        if (_phase != Phase.Boot)
        {
            Enter(Phase.Boot);
        }

        Become(UplinkState.Unknown, Usable.Unknown, reason);
    }

    private void EnterUp(string reason)
    {
        if (_phase == Phase.Out)
        {
            _damping.OnUp(Now);
        }

        Enter(Phase.Up);
        Become(UplinkState.Up, Usable.Yes, reason);
    }

    private void EnterOut(string reason)
    {
        _damping.OnOut(Now);
        _recoverAfter = _damping.RecoverAfter(Options.RecoverAfter, Options.RecoverAfterMax);
        Enter(Phase.Out);
        Become(UplinkState.Down, Usable.No, reason);
    }

    private void Enter(Phase phase)
    {
        _phase = phase;
        _phaseSince = Now;
        _egress.StopWaiting();
    }
}
