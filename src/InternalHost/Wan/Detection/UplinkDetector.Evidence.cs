using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>What the events mean.</summary>
internal sealed partial class UplinkDetector
{
    /// <summary>Rounds come each second while it matters: this long without any answer is a silence.</summary>
    private static readonly TimeSpan ReturnAfter = TimeSpan.FromSeconds(3);

    private void OnVote(in ProbeResult result)
    {
        var track = TrackOf(result.Request.Witness);
        if (track is not null && result.IsAnswer)
        {
            OnAnswer(track, result);
        }
        else if (track is not null && !result.IsLate)
        {
            OnLoss(track, result);
        }
    }

    private void OnAnswer(WitnessTrack track, in ProbeResult result)
    {
        if (_pathAbsent)
        {
            // Without a path it left by the other uplink, whatever it was bound to.
            return;
        }

        track.OnAnswer(result);
        var sent = result.SentAt;
        _families.OnAnswer(result.Request.Family, sent);
        if (result.Outcome == ProbeOutcome.Authenticated)
        {
            Authenticate(sent);
        }

        if (!track.IsOffNet)
        {
            _accessAlive.Note(sent, Options.ConfirmAfter);
        }
        else
        {
            _offNetDarkFrom = Instant.Max(_offNetDarkFrom, sent);
            if (!track.IsTls)
            {
                _weakAlive.Note(sent, Options.ConfirmAfter);
            }
        }

        EndDark(sent);
        if (result.Request.Counted && !result.Request.Full && _phase is (Phase.Quiet or Phase.Burst))
        {
            _slow.Add(sent, Now, result.At - sent);
        }

        if (!result.IsLate)
        {
            Count(result, answered: true);
        }
    }

    private void Authenticate(Instant sent)
    {
        if (!(_lastAuthenticated > sent))
        {
            _lastAuthenticated = sent;
            _authFailingFrom = _authFailingFrom > sent ? _authFailingFrom : null;
        }
    }

    private void EndDark(Instant sent)
    {
        if (Current.State != UplinkState.Up && !(LastAnswered > sent - ReturnAfter))
        {
            Returned = sent;
        }

        LastAnswered = LastAnswered is { } last && last > sent ? last : sent;
        if (sent < _darkFrom)
        {
            return;
        }

        _darkFrom = sent;
        _firstMiss = null;
        _lossesSinceAnswer = 0;
        foreach (var track in _tracks)
        {
            track.ForgetDark();
        }
    }

    private void OnLoss(WitnessTrack track, in ProbeResult result)
    {
        if (result.SentAt < _distrustBefore)
        {
            // We were not looking: neither an answer nor a miss.
            return;
        }

        var family = result.Request.Family;
        var relied = _families.IsInUse(family);
        _families.OnLoss(family, result.SentAt);
        if (!relied)
        {
            return;
        }

        if (result.Outcome == ProbeOutcome.Refuted)
        {
            _falseAlive.Note(result.SentAt, Options.ConfirmAfter);
        }

        // Where nobody is awake, nobody would be left to notice an outage.
        var excused = IsDiscounted(track) && !Array.TrueForAll(_tracks, IsDiscounted);
        var inDark = result.SentAt > _darkFrom || LastAnswered is null;
        track.OnLoss(result, inDark);
        if (result.Request.Full && track.IsTls && (_phase != Phase.Quiet || result.SentAt >= _phaseSince))
        {
            _authFailingFrom ??= result.SentAt;
        }

        if (inDark)
        {
            _firstMiss ??= result.SentAt;
            _lossesSinceAnswer++;
        }

        Count(result, answered: false, excused);
        if (_phase == Phase.Quiet && !excused)
        {
            _lastMiss = Now;
            EnterBurst(Reasons.Missed);
        }
    }

    /// <summary>Its misses are its own affair: dead, or known to lie.</summary>
    private static bool IsDiscounted(WitnessTrack track) => track.IsResting || track.Lies.IsHeld;

    /// <summary>Rounds and loss figures; a witness known to be dead says nothing about the uplink's loss.</summary>
    private void Count(in ProbeResult result, bool answered, bool excused = false)
    {
        // Answers that nobody proves may be a portal's: such a round is not good, however many there are.
        _rounds.OnResult(result.Request.Round, answered, !NobodyProvesItself(), SpellLength());
        if (result.Request.Counted && !excused && _phase is (Phase.Quiet or Phase.Burst))
        {
            _loss.Add(result.SentAt, Now, lost: !answered);
        }
    }

    private int SpellLength() => (int)Math.Ceiling(_recoverAfter / Options.Cadence.Out);

    private void OnPathChanged(bool absent)
    {
        if (absent)
        {
            _firstMiss ??= Now;
            _rounds.Clear();
            if (_phase == Phase.Quiet)
            {
                EnterBurst(Reasons.NoPath);
            }
        }
        else
        {
            _nextRound = Now;
            _egress.AskSoon(Now, EgressSpacing);
        }
    }

    private void OnLateInPhase(TimeSpan by)
    {
        switch (_phase)
        {
            case Phase.Quiet:
                RestartDark(Now);
                break;
            case Phase.Burst when !OtherAnsweredSince(_darkFrom):
                EnterDoubt(Reasons.Late, over: true);
                break;
            case Phase.Boot or Phase.Doubt when !OtherAnsweredSince(_phaseSince):
                RestartDark(Now);
                break;
            case Phase.Out:
                break;
            default:
                // The other uplink answered through the same loop: only the time we were not looking is taken off.
                _darkFrom = Instant.Min(Now, _darkFrom + by);
                break;
        }
    }

    protected override void OnAttentionChanged()
    {
        if (Attentive)
        {
            _nextRound = _nextProbe = Now;
            _proveNow = true;
            LookAgain();
        }
        else
        {
            _nextProbe = Now + Options.Cadence.Quiet;
        }
    }

    private bool OtherAnsweredSince(Instant since) => Options.HasOther && _other.LastAnswered > since;

    /// <summary>It answers now, so what this uplink shows is its own. Without another there is nobody to compare with.</summary>
    private bool OtherProven() => !Options.HasOther || _other.LastAnswered > Now - AliveSpell.Fresh;

    private void RestartDark(Instant at)
    {
        _darkFrom = _offNetDarkFrom = at;
        // Without a path nothing is asked, so nothing will be missed: that there is none is the miss.
        _firstMiss = _pathAbsent ? at : null;
        _lossesSinceAnswer = 0;
        foreach (var track in _tracks)
        {
            track.ForgetDark();
        }
    }
}
