using Common.Time;

namespace Common.Alerts.Policy;

/// <summary>So many in so long, refilled evenly: one each <see cref="Gap"/>.</summary>
/// <param name="Capacity">At least 1.</param>
public readonly record struct BucketRate(int Capacity, TimeSpan Per)
{
    public TimeSpan Gap => Per / Capacity;
}

/// <summary>
/// A token bucket of which one moment is kept: when it is full again. On the monotonic clock, so that no step of the wall clock fills
/// it; a moment of an earlier boot is rebased before it comes here, so that a restart does not either.
/// </summary>
[PureCore]
public readonly record struct TokenBucket(Instant FullAt)
{
    /// <summary>Nothing was taken yet.</summary>
    public static readonly TokenBucket Full = new(new Instant(long.MinValue / 2));

    /// <summary>Whole tokens that can be taken now.</summary>
    public int Available(Instant now, BucketRate rate) => (int)((rate.Per - Missing(now, rate)).Ticks / rate.Gap.Ticks);

    /// <summary>The bucket with one token fewer; null where less than <paramref name="floor"/> would be left.</summary>
    public TokenBucket? Take(Instant now, BucketRate rate, int floor = 0) =>
        Available(now, rate) - 1 >= floor ? new TokenBucket(now + Missing(now, rate) + rate.Gap) : null;

    /// <summary>How long it takes to fill; never more than from empty, whatever was kept.</summary>
    private TimeSpan Missing(Instant now, BucketRate rate) =>
        FullAt <= now ? TimeSpan.Zero : FullAt - now is var missing && missing < rate.Gap * rate.Capacity ? missing : rate.Gap * rate.Capacity;
}
