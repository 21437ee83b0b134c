using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>A link that falls again soon after it came back must prove itself twice as long each time; calm halves it again.</summary>
[PureCore]
internal struct FlapDamping
{
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(10);

    private int _level;
    private Instant? _upSince;

    public void OnUp(Instant at) => _upSince = at;

    public void OnOut(Instant at)
    {
        if (_upSince is not { } since)
        {
            return;
        }

        _level = at - since < Calm ? _level + 1 : Math.Max(0, _level - (int)Math.Min(100, (at - since) / Calm));
        _upSince = null;
    }

    public readonly TimeSpan RecoverAfter(TimeSpan first, TimeSpan max)
    {
        var doubled = first * Math.Pow(2, Math.Min(_level, 20));
        return doubled < max ? doubled : max;
    }
}
