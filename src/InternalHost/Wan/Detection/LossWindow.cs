using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// Loss over the last minute. Each second is stood for by the first question asked in it (a single probe or a round), whatever
/// follows: a burst asks ten times as often as the quiet rotation and only after a miss, so counting all of it would make four bad
/// seconds look like a bad minute, and averaging a miss with the burst behind it would hide a bad one.
/// </summary>
[PureCore]
internal sealed class LossWindow
{
    private const int Seconds = 60;

    /// <summary>More than the window and the longest timeout together.</summary>
    private const int Ring = 64;

    /// <summary>Seconds without a question are possible where a burst ends; fewer than this say too little.</summary>
    private const int LeastSeconds = 45;

    private const double EnterAbove = 0.15;
    private const double LeaveBelow = 0.05;
    private static readonly TimeSpan LeaveAfter = TimeSpan.FromSeconds(120);

    /// <summary>95 % two-sided, for the Wilson bound: a few unlucky probes are no brownout.</summary>
    private const double Z = 1.96;

    private readonly Second[] _ring = new Second[Ring];
    private long _latest;
    private long _lastLoss;
    private Instant _badUntil;

    private struct Second
    {
        public long Id;
        public int Asked;
        public int Lost;
    }

    public bool IsDegraded { get; private set; }

    public void Clear()
    {
        Array.Clear(_ring);
        _lastLoss = 0;
        IsDegraded = false;
    }

    /// <summary>The result of a probe that stands for its second.</summary>
    public void Add(Instant sentAt, Instant at, bool lost)
    {
        var id = SecondOf(sentAt);
        ref var second = ref _ring[(int)(id % Ring)];
        second = second.Id == id ? second : new Second { Id = id };
        second.Asked++;
        if (lost)
        {
            second.Lost++;
            _lastLoss = Math.Max(_lastLoss, id);
        }

        if (id > _latest)
        {
            _latest = id;
            Judge(at);
        }
    }

    public static long SecondOf(Instant at) => at.Ticks / TimeSpan.TicksPerSecond;

    private void Judge(Instant at)
    {
        if (!IsDegraded && _lastLoss < _latest - Ring)
        {
            return;
        }

        var (mean, seconds, asked) = Mean();
        if (mean >= LeaveBelow)
        {
            _badUntil = at;
        }

        IsDegraded = IsDegraded ? at - _badUntil < LeaveAfter : seconds >= LeastSeconds && LowerBound(mean, asked) > EnterAbove;
    }

    private (double Mean, int Seconds, int Asked) Mean()
    {
        var sum = 0.0;
        var seconds = 0;
        var asked = 0;
        foreach (ref var second in _ring.AsSpan())
        {
            // The latest second is still being answered.
            if (second.Asked > 0 && second.Id < _latest && second.Id >= _latest - Seconds)
            {
                sum += (double)second.Lost / second.Asked;
                seconds++;
                asked += second.Asked;
            }
        }

        return (seconds == 0 ? 0 : sum / seconds, seconds, asked);
    }

    /// <summary>Wilson's lower bound of a share.</summary>
    private static double LowerBound(double p, int n)
    {
        const double zz = Z * Z;
        return (p + (zz / (2 * n)) - (Z * Math.Sqrt(((p * (1 - p)) + (zz / (4 * n))) / n))) / (1 + (zz / n));
    }
}
