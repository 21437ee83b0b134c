using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// Whether an uplink leaves by itself: when its public address is asked for, and what the answers amount to. A router that falls over
/// by itself answers every other probe. One refusal is not believed, two in a row are (silence between them does not count); silence
/// says nothing, because STUN may be blocked, and is waited for a few seconds only.
/// </summary>
[PureCore]
internal sealed class EgressProof
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    /// <summary>One question's timeout, and the beginning of a second one.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);

    /// <summary>A question whose end was never told is given up.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromSeconds(10);

    private const int Convincing = 2;
    private const int Retries = 3;

    private Instant _next;
    private Instant? _asked;
    private Instant? _lastAsked;
    private Instant? _foundAt;
    private Instant? _ownAt;
    private Instant? _awaitedFor;
    private Instant _awaitedSince;
    private int _refusals;
    private int _silences;

    /// <summary>The last finding: it left by the other uplink. Never Up then (I9).</summary>
    public bool IsRefuted => _refusals > 0;

    /// <summary>Believed.</summary>
    public bool IsConvicted => _refusals >= Convincing;

    /// <summary>A return to Up waits for the proof.</summary>
    public bool IsAwaited => _awaitedFor is not null;

    public Instant NextAsk => _asked is { } asked ? asked + Forgotten : _next;

    /// <summary>When the waiting ends, whatever comes.</summary>
    public Instant? PatienceEnds => _awaitedFor is null ? null : _awaitedSince + Patience;

    /// <summary>Asks as soon as may be; not more often than every <paramref name="spacing"/>.</summary>
    public void AskSoon(Instant now, TimeSpan spacing) =>
        _next = Instant.Min(_next, _lastAsked is { } last ? Instant.Max(now, last + spacing) : now);

    /// <summary>A return is ready but for this proof: it must have been sent at <paramref name="since"/> or later.</summary>
    public void Await(Instant since, Instant now)
    {
        if (_awaitedFor != since)
        {
            _awaitedFor = since;
            _awaitedSince = now;
            _next = now;
        }
    }

    /// <summary>Another phase: what it waited for is over.</summary>
    public void StopWaiting() => _awaitedFor = null;

    /// <summary>Proven since then, or waited for long enough.</summary>
    public bool IsSettled(Instant since, Instant now) => IsOwnSince(since) || (_awaitedFor == since && now - _awaitedSince >= Patience);

    public bool IsOwnSince(Instant since) => _ownAt >= since;

    public bool IsDue(Instant now) => now >= NextAsk;

    public void OnAsked(Instant now) => _asked = _lastAsked = now;

    /// <param name="every">When to ask again while all is well.</param>
    public void OnResult(in ProbeResult result, Instant now, TimeSpan every)
    {
        _asked = result.IsLate ? _asked : null;
        if (result.SentAt < _foundAt)
        {
            return;
        }

        if (result.IsAnswer)
        {
            _foundAt = _ownAt = result.SentAt;
            _refusals = _silences = 0;
            _next = now + every;
        }
        else if (result.Outcome == ProbeOutcome.Refuted)
        {
            _foundAt = result.SentAt;
            _refusals++;
            _silences = 0;
            _next = now + (IsConvicted ? Retry : Again);
        }
        else if (!result.IsLate)
        {
            _silences = Math.Min(_silences + 1, Retries);
            _next = now + AfterSilence(every);
        }
    }

    /// <summary>The other uplink was found to leave by this one, so this one cannot leave by that.</summary>
    public void Pardon(Instant now)
    {
        _refusals = 0;
        _foundAt = null;
        AskSoon(now, Again);
    }

    private TimeSpan AfterSilence(TimeSpan every)
    {
        if (_silences < Retries)
        {
            return IsAwaited || IsRefuted ? Again : Retry;
        }

        return IsAwaited || IsRefuted ? Retry : every;
    }
}
