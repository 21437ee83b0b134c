using Common;
using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>
/// Somebody answers in a witness's place: a portal's page for the 204, an address for a name that does not exist. Three in a row are
/// held to be no accident; one honest answer ends it.
/// </summary>
[PureCore]
internal struct LieTrack
{
    private const int Held = 3;

    public int InARow { get; private set; }

    /// <summary>Send time of the first of them.</summary>
    public Instant? Since { get; private set; }

    public readonly bool IsHeld => InARow >= Held;

    public void OnRefuted(Instant sent)
    {
        Since ??= sent;
        InARow = Math.Min(InARow + 1, Held);
    }

    public void OnHonest()
    {
        Since = null;
        InARow = 0;
    }
}
