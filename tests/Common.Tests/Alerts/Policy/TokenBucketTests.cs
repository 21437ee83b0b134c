using Common.Alerts.Policy;
using Common.Time;

namespace Common.Tests.Alerts.Policy;

public sealed class TokenBucketTests
{
    private static readonly BucketRate SixInTenMinutes = new(6, TimeSpan.FromMinutes(10));
    private static readonly Instant Start = new(TimeSpan.FromHours(3).Ticks);

    [Fact]
    public void Burst_ends_when_the_capacity_is_used_and_one_comes_back_each_gap()
    {
        var bucket = TokenBucket.Full;
        for (var n = 0; n < 6; n++)
        {
            bucket = bucket.Take(Start, SixInTenMinutes)!.Value;
        }

        Assert.Null(bucket.Take(Start + TimeSpan.FromSeconds(99), SixInTenMinutes));
        Assert.Equal(1, bucket.Available(Start + TimeSpan.FromSeconds(100), SixInTenMinutes));
        Assert.Equal(6, bucket.Available(Start + TimeSpan.FromDays(9), SixInTenMinutes));
    }

    /// <summary>A moment that this boot cannot have had: the file is of another machine, or damaged. Never worse than empty, never better.</summary>
    [Theory]
    [InlineData(long.MaxValue / 4)]
    [InlineData(long.MinValue / 2)]
    public void Absurd_moment_is_an_empty_or_a_full_bucket(long ticks)
    {
        var bucket = new TokenBucket(new Instant(ticks));

        Assert.Equal(ticks > 0 ? 0 : 6, bucket.Available(Start, SixInTenMinutes));
        Assert.Equal(ticks > 0 ? 1 : 6, new TokenBucket(Start + TimeSpan.FromMinutes(10)).Available(Start + TimeSpan.FromSeconds(ticks > 0 ? 100 : 600), SixInTenMinutes));
    }

    /// <summary>Against the definition: in no stretch of time do more go than the capacity and what the stretch gives back, and what is refused had to be.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void No_stretch_of_time_lets_more_go_than_the_rate(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 50; round++)
        {
            var rate = new BucketRate(random.Next(1, 40), TimeSpan.FromSeconds(random.Next(1, 100_000)));
            var (bucket, now, tokens) = (TokenBucket.Full, Start, (double)rate.Capacity);
            var taken = new List<Instant>();
            for (var step = 0; step < 300; step++)
            {
                var pause = rate.Gap * (random.NextDouble() * random.Next(1, 4));
                now += pause;
                tokens = Math.Min(rate.Capacity, tokens + (pause / rate.Gap));
                var floor = random.Next(0, rate.Capacity);
                var next = bucket.Take(now, rate, floor);
                Assert.True(next is not null == tokens - 1 >= floor || Math.Abs(tokens - 1 - floor) < 1e-3, $"seed {seed} round {round} step {step}: {tokens} left, floor {floor}");
                (bucket, tokens) = next is { } one ? (one, tokens - 1) : (bucket, tokens);
                if (next is not null)
                {
                    taken.Add(now);
                }
            }

            for (var i = 0; i < taken.Count; i++)
            {
                for (var j = i; j < taken.Count; j++)
                {
                    Assert.True(j - i + 1 <= rate.Capacity + ((taken[j] - taken[i]) / rate.Gap) + 1e-3, $"seed {seed} round {round}: {j - i + 1} in {taken[j] - taken[i]}");
                }
            }
        }
    }

    /// <summary>Across reboots: the monotonic clock begins anew, and as if no time had passed.</summary>
    [Fact]
    public void Reboot_gives_nothing_back()
    {
        var bucket = TokenBucket.Full;
        for (var n = 0; n < 6; n++)
        {
            bucket = bucket.Take(Start, SixInTenMinutes)!.Value;
        }

        var next = new TokenBucket(bucket.FullAt.Rebase(Start, new Instant(TimeSpan.FromSeconds(4).Ticks)));

        Assert.Equal(0, next.Available(new Instant(TimeSpan.FromSeconds(5).Ticks), SixInTenMinutes));
        Assert.Equal(1, next.Available(new Instant(TimeSpan.FromSeconds(104).Ticks), SixInTenMinutes));
    }
}
