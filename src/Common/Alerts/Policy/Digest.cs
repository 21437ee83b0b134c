using Common.Time;

namespace Common.Alerts.Policy;

/// <summary>
/// Repeats of something that was told, counted until the window ends. A digest opens the next window, twice as long: a storm that goes
/// on all day is a few messages.
/// </summary>
/// <param name="Ends">Monotonic.</param>
/// <param name="Repeats">Not told yet.</param>
/// <param name="First">Wall times, for people: of the first and last repeat. Meaningful only where there are any.</param>
[PureCore]
public readonly record struct Digest(Instant Ends, TimeSpan Length, int Repeats, DateTimeOffset First, DateTimeOffset Last)
{
    /// <summary>A repeat within this is not news.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <summary>What the owner asked not to be told of is still counted, and told once a day.</summary>
    public static readonly TimeSpan AllowedWindow = TimeSpan.FromDays(1);

    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <param name="wall">For people.</param>
    public static Digest Open(Instant now, TimeSpan length, DateTimeOffset wall) => new(now + length, length, 0, wall, wall);

    public Digest Add(DateTimeOffset wall) => this with { Repeats = Repeats + 1, First = Repeats == 0 ? wall : First, Last = wall };

    /// <summary>The window that follows when this one is over; null: nothing came, it is forgotten.</summary>
    public Digest? Next(Instant now) => Repeats == 0 ? null
        : Open(now, Length >= Longest ? Length : Length * 2 > Longest ? Longest : Length * 2, Last);
}
