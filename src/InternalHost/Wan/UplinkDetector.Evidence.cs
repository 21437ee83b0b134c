using Common.Time;

namespace InternalHost.Wan;

/// <summary>What the events mean.</summary>
internal sealed partial class UplinkDetector
{
    private void OnAnswer(WitnessTrack track, in ProbeResult result)
    {
        if (_pathAbsent)
        {
            // Without a path it left by the other uplink, whatever it was bound to.
            return;
        }

        track.OnAnswer(result);
        var sent = result.SentAt;
        if (result.Outcome == ProbeOutcome.Authenticated && !(_lastAuthenticated > sent))
        {
            _lastAuthenticated = sent;
            _authFailingFrom = _authFailingFrom > sent ? _authFailingFrom : null;
        }

        if (!track.IsOffNet)
        {
            _accessAlive.Note(sent, _options.ConfirmAfter);
        }
        else
        {
            _offNetDarkFrom = Instant.Max(_offNetDarkFrom, sent);
            if (!track.IsTls)
            {
                _weakAlive.Note(sent, _options.ConfirmAfter);
            }
        }

        EndDark(sent);
        if (!result.IsLate)
        {
            Count(result, answered: true);
        }
    }

    private void EndDark(Instant sent)
    {
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

        var wasResting = track.IsResting;
        var inDark = result.SentAt > _darkFrom || LastAnswered is null;
        track.OnLoss(result, inDark);
        if (result.Request.Full && track.IsTls)
        {
            _authFailingFrom ??= result.SentAt;
        }

        if (inDark)
        {
            _firstMiss ??= result.SentAt;
            _lossesSinceAnswer++;
        }

        Count(result, answered: false, excused: wasResting);
        if (_phase == Phase.Quiet && !wasResting)
        {
            EnterBurst(Reasons.Missed);
        }
    }

    /// <summary>Rounds and loss figures; a witness known to be dead says nothing about the uplink's loss.</summary>
    private void Count(in ProbeResult result, bool answered, bool excused = false)
    {
        // Answers that nobody proves may be a portal's: such a round is not good, however many there are.
        _rounds.OnResult(result.Request.Round, answered, !NobodyProvesItself(), SpellLength());
        if (result.Request.Counted && !excused && _phase is (Phase.Quiet or Phase.Burst))
        {
            var was = _loss.IsDegraded;
            _loss.Add(result.SentAt, _now, lost: !answered);
            if (was != _loss.IsDegraded)
            {
                TellLiving(was ? Reasons.Recovered : Reasons.Degraded);
            }
        }
    }

    private int SpellLength() => (int)Math.Ceiling(_recoverAfter / _options.Cadence.Out);

    private void OnPathChanged(bool absent)
    {
        if (absent)
        {
            _firstMiss ??= _now;
            _rounds.Clear();
            if (_phase == Phase.Quiet)
            {
                EnterBurst(Reasons.NoPath);
            }
        }
        else
        {
            _nextRound = _now;
        }
    }

    private void OnLate(TimeSpan by)
    {
        switch (_phase)
        {
            case Phase.Quiet:
                RestartDark(_now);
                break;
            case Phase.Burst when !OtherAnsweredSince(_darkFrom):
                EnterDoubt(Reasons.Late, over: true);
                break;
            case Phase.Boot or Phase.Doubt when !OtherAnsweredSince(_phaseSince):
                RestartDark(_now);
                break;
            case Phase.Out:
                break;
            default:
                // The other uplink answered through the same loop: only the time we were not looking is taken off.
                _darkFrom = Instant.Min(_now, _darkFrom + by);
                break;
        }
    }

    private void OnAttentionChanged()
    {
        if (Attentive)
        {
            _nextRound = _nextProbe = _now;
            _proveNow = true;
        }
        else
        {
            _nextProbe = _now + _options.Cadence.Quiet;
        }
    }

    private bool OtherAnsweredSince(Instant since) => _options.HasOther && _other.LastAnswered > since;

    /// <summary>It answers now, so what this uplink shows is its own. Without another there is nobody to compare with.</summary>
    private bool OtherProven() => !_options.HasOther || _other.LastAnswered > _now - AliveSpell.Fresh;

    private void RestartDark(Instant at)
    {
        _darkFrom = _offNetDarkFrom = at;
        _firstMiss = null;
        _lossesSinceAnswer = 0;
        foreach (var track in _tracks)
        {
            track.ForgetDark();
        }
    }
}
