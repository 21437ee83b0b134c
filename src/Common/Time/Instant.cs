namespace Common.Time;

/// <summary>
/// A moment on the machine's monotonic clock (CLOCK_MONOTONIC), in 100 ns ticks since an origin that is fixed for one boot of the
/// machine. Decisions use this, never the wall clock. It means the same in two processes of one boot; across boots it is rebased
/// by <see cref="Rebase"/>.
/// </summary>
public readonly record struct Instant(long Ticks) : IComparable<Instant>
{
    /// <summary>Later than any moment that will come.</summary>
    public static readonly Instant Never = new(long.MaxValue);

    public static Instant Now(TimeProvider time) => new(time.GetElapsedTime(0, time.GetTimestamp()).Ticks);

    public static Instant operator +(Instant at, TimeSpan span) => at == Never ? Never : new(at.Ticks + span.Ticks);

    public static Instant operator -(Instant at, TimeSpan span) => at == Never ? Never : new(at.Ticks - span.Ticks);

    public static TimeSpan operator -(Instant later, Instant earlier) => new(later.Ticks - earlier.Ticks);

    public static bool operator <(Instant a, Instant b) => a.Ticks < b.Ticks;

    public static bool operator >(Instant a, Instant b) => a.Ticks > b.Ticks;

    public static bool operator <=(Instant a, Instant b) => a.Ticks <= b.Ticks;

    public static bool operator >=(Instant a, Instant b) => a.Ticks >= b.Ticks;

    public static Instant Min(Instant a, Instant b) => a < b ? a : b;

    public static Instant Max(Instant a, Instant b) => a > b ? a : b;

    /// <summary>Moves a moment of an earlier boot into this one, as if no time had passed between the two given readings.</summary>
    public Instant Rebase(Instant thenRead, Instant nowRead) => this == Never ? Never : new(nowRead.Ticks + (Ticks - thenRead.Ticks));

    public int CompareTo(Instant other) => Ticks.CompareTo(other.Ticks);

    public override string ToString() => this == Never ? "never" : string.Create(null, $"{TimeSpan.FromTicks(Ticks).TotalSeconds:F3}s");
}
