using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// Whether we ourselves were away: an event read long after it happened, or a wall clock that moved against the monotonic one (a
/// suspended machine, whose monotonic clock stood still; a stepped clock looks the same, and doubting then does no harm).
/// </summary>
[PureCore]
internal sealed class OwnPulse(TimeSpan wallOffset)
{
    /// <summary>Later than this and misses say more about us than about the uplink.</summary>
    private static readonly TimeSpan LateLimit = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan JumpLimit = TimeSpan.FromSeconds(2);

    private TimeSpan _wallOffset = wallOffset;

    /// <summary>How long nobody was looking, as far as the monotonic clock knows; null: all is well.</summary>
    /// <param name="happened">When the event being read happened, or was due.</param>
    /// <param name="wallOffset">Wall clock minus monotonic clock, read now.</param>
    public TimeSpan? Missed(Instant happened, Instant now, TimeSpan wallOffset)
    {
        var jumped = (wallOffset - _wallOffset).Duration() > JumpLimit;
        _wallOffset = wallOffset;
        var late = now - happened;
        return late > LateLimit ? late : jumped ? TimeSpan.Zero : null;
    }
}
