using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// Those that have no vote: the public address, the 204, our own bastion. None of them makes an uplink dark or alive by its silence, and
/// none counts in the loss figure.
/// </summary>
internal sealed partial class UplinkDetector
{
    private static readonly TimeSpan ClassifierTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan EgressSpacing = TimeSpan.FromSeconds(1);

    /// <summary>Attention comes and goes in a brownout; the metered link is not asked each time.</summary>
    private static readonly TimeSpan AttentionSpacing = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ProofWhileAttentive = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan EgressWhileReturning = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HttpInSuspicion = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HttpWhileUnsure = TimeSpan.FromSeconds(2);

    /// <summary>While somebody is known to lie: its end is to be noticed soon.</summary>
    private static readonly TimeSpan HttpWhileLying = TimeSpan.FromSeconds(10);

    /// <summary>A connection that only proves the host key is charged for by the bastion's sshd.</summary>
    private static readonly TimeSpan BastionEvery = TimeSpan.FromSeconds(30);

    /// <summary>The tunnel's loop probe comes every 15 s.</summary>
    private static readonly TimeSpan PassiveFresh = TimeSpan.FromSeconds(16);

    private static readonly TimeSpan CalmBeforeRelaxing = TimeSpan.FromMinutes(1);

    private LieTrack _portal;
    private Instant? _lastHttp;
    private Instant _nextHttp;
    private Instant? _lastPassive;
    private Instant? _lastMiss;
    private Instant? _bastionHeard;
    private Instant _nextBastion;
    private bool _bastionRuns;

    private TimeSpan ProofInterval => Attentive && Options.Cadence.Proof > ProofWhileAttentive ? ProofWhileAttentive : Options.Cadence.Proof;

    private bool IsRelaxed => _lastPassive > Now - PassiveFresh && !(_lastMiss > Now - CalmBeforeRelaxing);

    private bool IsBastionHeard => _bastionHeard > Now - BastionEvery - PassiveFresh;

    private bool AsksEgress => Options.HasEgress && !_pathAbsent && (_phase == Phase.Quiet || _egress.IsAwaited || _egress.IsRefuted);

    private bool AsksHttp => Options.HasHttp && !_pathAbsent && _phase switch
    {
        Phase.Quiet or Phase.Burst => true,
        Phase.Out => Current.State == UplinkState.Walled,
        _ => false,
    };

    private bool AsksBastion => _bastionRuns && Options.AsksBastion && _phase == Phase.Quiet && !_pathAbsent && !(_lastPassive > Now - PassiveFresh);

    protected override void OnAddressChanged() => _egress.AskSoon(Now, EgressSpacing);

    protected override void OnPassive(Instant at)
    {
        if (!_pathAbsent)
        {
            _lastPassive = at;
            HearBastion(at);
        }
    }

    protected override void OnBastion(bool runs)
    {
        _nextBastion = runs && !_bastionRuns ? Now : _nextBastion;
        _bastionRuns = runs;
        if (runs && TrackOf(WitnessName.Bastion) is null)
        {
            _everyone = [.. _everyone, new WitnessTrack(WitnessName.Bastion)];
        }
    }

    private void AskClassifiers()
    {
        if (AsksEgress && _egress.IsDue(Now))
        {
            _egress.OnAsked(Now);
            Post(WitnessName.Egress, EgressProof.Timeout);
        }

        if (AsksHttp && Now >= _nextHttp)
        {
            _lastHttp = Now;
            _nextHttp = Now + HttpInterval();
            Post(WitnessName.Http, ClassifierTimeout);
        }

        if (AsksBastion && Now >= _nextBastion)
        {
            _nextBastion = Now + BastionEvery;
            Post(WitnessName.Bastion, ClassifierTimeout);
        }
    }

    private void Post(WitnessName classifier, TimeSpan timeout)
    {
        TrackOf(classifier)!.OnAsked();
        Post(new ProbeRequest(classifier, 0, Full: true, RandomLabel: false, timeout));
    }

    private TimeSpan HttpInterval() =>
        _portal.InARow > 0 && !_portal.IsHeld ? HttpWhileUnsure
        : _phase != Phase.Quiet ? HttpInSuspicion
        : _portal.IsHeld ? HttpWhileLying
        : ProofInterval;

    private Instant SoonerClassified(Instant next)
    {
        next = AsksEgress ? Sooner(next, _egress.NextAsk, Now) : next;
        next = Sooner(next, _egress.PatienceEnds, Now);
        next = AsksHttp ? Sooner(next, _nextHttp, Now) : next;
        return AsksBastion ? Sooner(next, _nextBastion, Now) : next;
    }

    /// <summary>The proof that a return needs; asks for it where it is missing.</summary>
    private bool LeavesByItself(Instant since)
    {
        if (!Options.HasEgress)
        {
            return true;
        }

        _egress.Await(since, Now);
        return _egress.IsSettled(since, Now);
    }

    private void OnEgress(in ProbeResult result)
    {
        Note(result);
        if (_pathAbsent || (_other.LeavesByUs && result.Outcome == ProbeOutcome.Refuted))
        {
            return;
        }

        var wasConvicted = _egress.IsConvicted;
        _egress.OnResult(result, Now, _phase == Phase.Quiet ? ProofInterval : EgressWhileReturning);
        if (wasConvicted && !_egress.IsConvicted)
        {
            LookAfterConviction();
        }
    }

    private void Pardon()
    {
        _egress.Pardon(Now);
        LookAfterConviction();
    }

    /// <summary>It was not asked while everything it answers would have been the other uplink's doing.</summary>
    private void LookAfterConviction()
    {
        _rounds.Clear();
        _nextRound = Now;
        RestartDark(Now);
    }

    private void LookAgain()
    {
        _egress.AskSoon(Now, AttentionSpacing);
        _nextHttp = Instant.Min(_nextHttp, HttpSoon(AttentionSpacing));
    }

    private Instant HttpSoon(TimeSpan spacing) => _lastHttp is { } last ? Instant.Max(Now, last + spacing) : Now;

    private void OnHttp(in ProbeResult result)
    {
        Note(result);
        if (_pathAbsent)
        {
            return;
        }

        if (result.IsAnswer)
        {
            _portal.OnHonest();
        }
        else if (result.Outcome == ProbeOutcome.Refuted)
        {
            _portal.OnRefuted(result.SentAt);
            _falseAlive.Note(result.SentAt, Options.ConfirmAfter);
            if (_phase == Phase.Quiet && _portal.InARow == 1)
            {
                EnterBurst(Reasons.Portal);
            }
        }

        _nextHttp = Instant.Min(_nextHttp, HttpSoon(HttpInterval()));
    }

    private void OnBastion(in ProbeResult result)
    {
        Note(result);
        if (result.Outcome == ProbeOutcome.Authenticated && !_pathAbsent)
        {
            HearBastion(result.SentAt);
        }
    }

    private void HearBastion(Instant at)
    {
        _bastionHeard = _bastionHeard > at ? _bastionHeard : at;
        Authenticate(at);
        EndDark(at);
    }

    /// <summary>For status only.</summary>
    private void Note(in ProbeResult result)
    {
        if (TrackOf(result.Request.Witness) is not { } track)
        {
            return;
        }

        if (result.IsAnswer)
        {
            track.OnAnswer(result);
        }
        else if (!result.IsLate)
        {
            track.OnLoss(result, inDark: false);
        }
    }

    /// <summary>Who is caught lying, if anybody: the world's portal, or every public resolver that still talks.</summary>
    private string? Lie() => _portal.IsHeld ? Reasons.Portal : HijackSince() is not null ? Reasons.Hijack : null;

    private Instant? LieSince() => _portal.IsHeld ? _portal.Since : HijackSince();

    private bool AnyLies()
    {
        foreach (var track in _tracks)
        {
            if (track.Lies.InARow > 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A resolver has just lied: two rounds more, and it is certain.</summary>
    private bool AnyHalfCaught()
    {
        foreach (var track in _tracks)
        {
            if (track.Lies.InARow > 0 && !track.Lies.IsHeld && !track.IsResting)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// One resolver that lies is that operator's doing, and the provider's own often does; when none of the public ones is honest,
    /// somebody on the way answers for them.
    /// </summary>
    private Instant? HijackSince()
    {
        Instant? since = null;
        foreach (var track in _tracks)
        {
            if (track.IsTls || !track.IsOffNet)
            {
                continue;
            }

            if (track.Lies.IsHeld)
            {
                since = since < track.Lies.Since ? since : track.Lies.Since;
            }
            else if (!track.IsResting)
            {
                return null;
            }
        }

        return since;
    }
}
