using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>How long a kind of witness has been answering without a gap.</summary>
[PureCore]
internal struct AliveSpell
{
    /// <summary>A witness that answered this recently is alive.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(3);

    private Instant? _last;

    /// <summary>Send time of the first answer of the spell.</summary>
    public Instant? From { get; private set; }

    public void Note(Instant sent, TimeSpan gap)
    {
        if (_last is not { } last || sent - last > gap)
        {
            From = sent;
        }

        _last = _last > sent ? _last : sent;
    }

    public readonly bool IsFresh(Instant at) => IsWithin(at, Fresh);

    public readonly bool IsWithin(Instant at, TimeSpan span) => _last > at - span;
}
