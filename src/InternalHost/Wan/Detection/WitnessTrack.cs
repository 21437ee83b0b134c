using System.Collections.Immutable;
using System.Net.Sockets;
using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>What one detector remembers of one witness.</summary>
[PureCore]
internal sealed class WitnessTrack(WitnessName name)
{
    private static readonly long MinTimeout = TimeSpan.FromMilliseconds(400).Ticks;
    private static readonly long MaxTimeout = TimeSpan.FromMilliseconds(1000).Ticks;

    /// <summary>So many misses in a row, while others answer, and the witness itself is taken to be dead.</summary>
    private const int RestingLosses = 3;

    private const int MaxDoublings = 2;

    private long _srtt;
    private long _fullSrtt;
    private int _losses;
    private int _fullLosses;
    private LieTrack _lies;

    public WitnessName Name { get; } = name;

    public bool IsTls { get; } = name.IsTls();

    public bool IsOffNet { get; } = name.IsOffNet();

    public long Asked { get; private set; }

    public long Answers { get; private set; }

    public Instant? LastAnswered { get; private set; }

    public int LossesInARow { get; private set; }

    /// <summary>Whole handshakes failed in a row.</summary>
    public int FullLossesInARow { get; private set; }

    /// <summary>Misses among the probes sent since the uplink's last answer.</summary>
    public int LossesInDark { get; private set; }

    public int Turns { get; set; }

    /// <summary>When it was last asked below a random label.</summary>
    public Instant LastRandom { get; set; }

    /// <summary>By which it can be asked; empty: they are not told apart.</summary>
    public ImmutableArray<AddressFamily> Families { get; init; } = [];

    /// <summary>A resolver that gives an address to names that do not exist.</summary>
    public LieTrack Lies => _lies;

    public TimeSpan SmoothedRtt => new(_srtt != 0 ? _srtt : _fullSrtt);

    /// <summary>Its own fault, not the uplink's: it no longer raises suspicion.</summary>
    public bool IsResting => LossesInARow >= RestingLosses;

    /// <summary>Nothing of earlier trouble is remembered.</summary>
    public bool IsAtRest => LossesInARow == 0 && FullLossesInARow == 0 && _losses == 0 && _fullLosses == 0 && _lies.InARow == 0;

    /// <summary>clamp(4 * SRTT, 400 ms, 1 s), doubled by each miss; a handshake takes several round trips and has its own. All of it in a burst: slow is not dark.</summary>
    public TimeSpan Timeout(bool full, bool patient)
    {
        if (patient)
        {
            return new(MaxTimeout);
        }

        var srtt = full && IsTls ? _fullSrtt : _srtt;
        var losses = full && IsTls ? _fullLosses : _losses;
        return new(srtt == 0 ? MaxTimeout : Math.Min(Math.Max(4 * srtt, MinTimeout) << losses, MaxTimeout));
    }

    public void OnAsked() => Asked++;

    public void OnAnswer(in ProbeResult result)
    {
        Answers++;
        LossesInARow = 0;
        LastAnswered = LastAnswered is { } last && last > result.SentAt ? last : result.SentAt;
        (result.Request.Full && IsTls ? ref _fullLosses : ref _losses) = 0;
        Smooth(ref result.Request.Full && IsTls ? ref _fullSrtt : ref _srtt, (result.At - result.SentAt).Ticks);
        if (result.Outcome == ProbeOutcome.Authenticated)
        {
            FullLossesInARow = 0;
        }

        if (result.Request.RandomLabel)
        {
            _lies.OnHonest();
        }
    }

    public void OnLoss(in ProbeResult result, bool inDark)
    {
        LossesInARow++;
        ref var losses = ref result.Request.Full && IsTls ? ref _fullLosses : ref _losses;
        losses = Math.Min(losses + 1, MaxDoublings);
        FullLossesInARow += result.Request.Full && IsTls ? 1 : 0;
        LossesInDark += inDark ? 1 : 0;
        if (result.Outcome == ProbeOutcome.Refuted && !IsTls)
        {
            _lies.OnRefuted(result.SentAt);
        }
    }

    public void ForgetDark() => LossesInDark = 0;

    /// <summary>Falls slowly; a jump is followed at once, or answers that are only slow would long be called lost.</summary>
    private static void Smooth(ref long srtt, long rtt) =>
        srtt = srtt == 0 ? Math.Max(1, rtt) : Math.Max(1, srtt + ((rtt - srtt) / (rtt > 2 * srtt ? 2 : 8)));
}
