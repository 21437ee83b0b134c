using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// Whether round trips have been far above what this uplink usually takes for a minute: the median of the last 20 s above three times
/// the baseline and above 500 ms. A median is above a bound exactly where more than half of the samples are, so one mark for each
/// second is enough. Seconds are stood for as in <see cref="LossWindow"/>; a whole handshake is no round trip and does not count.
/// </summary>
[PureCore]
internal sealed class SlowWindow
{
    private const int Seconds = 20;
    private const int LeastSamples = 8;
    private const int Times = 3;
    private static readonly long Floor = TimeSpan.FromMilliseconds(500).Ticks;

    /// <summary>The median passes the bound ten seconds after the round trips do.</summary>
    private static readonly TimeSpan EnterAfter = TimeSpan.FromSeconds(50);

    private static readonly TimeSpan LeaveAfter = TimeSpan.FromSeconds(120);

    /// <summary>The baseline follows in about an hour; one that is slow all day is no longer slow, it is like that.</summary>
    private const long Follow = 3600;
    private const long FollowSlow = 86_400;

    private readonly byte[] _ring = new byte[Seconds];
    private long _latest;
    private int _count;
    private int _over;
    private long _baseline;
    private long _samples;
    private Instant? _since;

    private const byte Under = 1;
    private const byte Over = 2;

    public bool IsSlow { get; private set; }

    /// <summary>What a round trip usually takes here.</summary>
    public TimeSpan Baseline => new(_baseline);

    public void Clear()
    {
        Array.Clear(_ring);
        _count = _over = 0;
        _since = null;
        IsSlow = false;
    }

    public void Add(Instant sentAt, Instant at, TimeSpan rtt)
    {
        var second = LossWindow.SecondOf(sentAt);
        if (second <= _latest - Seconds)
        {
            return;
        }

        Slide(second);
        var over = _samples > 0 && rtt.Ticks > Math.Max(Times * _baseline, Floor);
        ref var slot = ref _ring[(int)(second % Seconds)];
        if (slot == 0)
        {
            slot = over ? Over : Under;
            _count++;
            _over += over ? 1 : 0;
        }

        Learn(rtt.Ticks, over);
        Judge(at);
    }

    private void Slide(long second)
    {
        for (var s = Math.Max(_latest + 1, second - Seconds + 1); s <= second; s++)
        {
            ref var slot = ref _ring[(int)(s % Seconds)];
            _count -= slot == 0 ? 0 : 1;
            _over -= slot == Over ? 1 : 0;
            slot = 0;
        }

        _latest = Math.Max(_latest, second);
    }

    private void Learn(long rtt, bool over)
    {
        _samples = Math.Min(_samples + 1, Follow);
        _baseline += (rtt - _baseline) / (over ? FollowSlow : _samples);
    }

    private void Judge(Instant at)
    {
        var over = _over * 2 > _count && _count >= LeastSamples;
        if (over == IsSlow)
        {
            _since = null;
            return;
        }

        _since ??= at;
        if (at - _since.Value >= (IsSlow ? LeaveAfter : EnterAfter))
        {
            IsSlow = over;
            _since = null;
        }
    }
}
