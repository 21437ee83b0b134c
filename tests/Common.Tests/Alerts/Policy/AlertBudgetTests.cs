using System.Collections.Immutable;
using Common.Alerts.Policy;
using Common.Time;

namespace Common.Tests.Alerts.Policy;

public sealed class AlertBudgetTests
{
    private static readonly Instant Start = new(TimeSpan.FromHours(3).Ticks);

    [Theory]
    [InlineData(AlertLane.Reserved, 6)]
    [InlineData(AlertLane.ReservedAgain, 5)]
    [InlineData(AlertLane.Ordinary, 3)]
    [InlineData(AlertLane.OrdinaryAgain, 2)]
    public void Burst_of_texts_stops_where_the_lane_ends(AlertLane lane, int texts) => Assert.Equal(texts, TakeAll([], "sms", lane, Start).Count);

    [Fact]
    public void What_everybody_may_use_leaves_half_for_the_critical_and_a_part_for_another()
    {
        var (_, afterStorm) = TakeAll([], "sms", AlertLane.OrdinaryAgain, Start);
        var (another, afterAnother) = TakeAll(afterStorm, "sms", AlertLane.Ordinary, Start);
        var (critical, _) = TakeAll(afterAnother, "sms", AlertLane.Reserved, Start);

        Assert.Equal((1, 3), (another, critical));
    }

    [Fact]
    public void Day_has_thirty_texts_and_half_of_them_are_reserved()
    {
        var (buckets, sent) = (ImmutableArray<TokenBucket>.Empty, 0);
        for (var minute = 0; minute < 600; minute++)
        {
            while (AlertBudget.Take(buckets, "sms", AlertLane.Ordinary, Start + TimeSpan.FromMinutes(minute)) is { } taken)
            {
                (buckets, sent) = (taken, sent + 1);
            }
        }

        // Ten hours give twelve of the day's thirty back.
        Assert.Equal(15 + 12, sent);
        Assert.NotNull(AlertBudget.Take(buckets, "sms", AlertLane.Reserved, Start + TimeSpan.FromHours(10)));
    }

    [Fact]
    public void Channel_that_costs_nothing_has_a_wider_rate_of_its_own()
    {
        Assert.Equal(30, TakeAll([], "telegram", AlertLane.Reserved, Start).Count);
        Assert.Equal(15, TakeAll([], "webhook", AlertLane.Ordinary, Start).Count);
    }

    [Fact]
    public void Refused_takes_from_no_bucket()
    {
        var (_, empty) = TakeAll([], "sms", AlertLane.Reserved, Start);

        Assert.Null(AlertBudget.Take(empty, "sms", AlertLane.Reserved, Start));
        Assert.Equal(24, empty[1].Available(Start, AlertBudget.Rates("sms")[1]));
    }

    private static (int Count, ImmutableArray<TokenBucket> Left) TakeAll(ImmutableArray<TokenBucket> buckets, string channel, AlertLane lane, Instant now)
    {
        var count = 0;
        for (; AlertBudget.Take(buckets, channel, lane, now) is { } taken; count++)
        {
            buckets = taken;
        }

        return (count, buckets);
    }
}
