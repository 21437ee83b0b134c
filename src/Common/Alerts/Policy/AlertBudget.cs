using System.Collections.Immutable;
using Common.Time;

namespace Common.Alerts.Policy;

/// <summary>How much of a budget an alert may use. The part that is not for everybody is kept for what nobody may miss.</summary>
public enum AlertLane
{
    Unknown = 0,

    /// <summary>Critical, or seen for the first time: down to the last message.</summary>
    Reserved = 1,

    /// <summary>Critical again and again by the same subject: the last sixth stays for another's.</summary>
    ReservedAgain = 2,

    /// <summary>Down to the reserved half.</summary>
    Ordinary = 3,

    /// <summary>A subject that has been told of a moment ago: a third of the ordinary half stays for the others.</summary>
    OrdinaryAgain = 4,
}

/// <summary>
/// Messages about logins that may go to one recipient by one channel: a rate for bursts and one for the day. Outages' own texts do not
/// come here: nothing that people do at a login can use up theirs.
/// </summary>
[PureCore]
public static class AlertBudget
{
    /// <summary>Each costs money, and a phone that rings 31 times a day is switched off.</summary>
    private static readonly ImmutableArray<BucketRate> Costly = [new(6, TimeSpan.FromMinutes(10)), new(30, TimeSpan.FromDays(1))];

    private static readonly ImmutableArray<BucketRate> Free = [new(30, TimeSpan.FromMinutes(10)), new(300, TimeSpan.FromDays(1))];

    /// <param name="channel">With the site behind an @, where several sites bring one each.</param>
    public static ImmutableArray<BucketRate> Rates(string channel) => channel == "sms" || channel.StartsWith("sms@", StringComparison.Ordinal) ? Costly : Free;

    /// <summary>Takes one message of each rate, or nothing: null.</summary>
    public static ImmutableArray<TokenBucket>? Take(ImmutableArray<TokenBucket> buckets, string channel, AlertLane lane, Instant now)
    {
        var rates = Rates(channel);
        var taken = rates.Select((rate, i) => buckets.ElementAtOrDefault(i, TokenBucket.Full).Take(now, rate, Floor(rate, lane))).ToList();
        return taken.TrueForAll(t => t is not null) ? [.. taken.Select(t => t!.Value)] : null;
    }

    /// <summary>Takes what there is, whoever it was kept for: for the one message that says that others are not sent.</summary>
    public static ImmutableArray<TokenBucket> TakeAnyway(ImmutableArray<TokenBucket> buckets, string channel, Instant now) =>
        [.. Rates(channel).Select((rate, i) => buckets.ElementAtOrDefault(i, TokenBucket.Full) is var b ? b.Take(now, rate) ?? b : b)];

    private static int Floor(BucketRate rate, AlertLane lane) => lane switch
    {
        AlertLane.Reserved => 0,
        AlertLane.ReservedAgain => rate.Capacity / 6,
        AlertLane.Ordinary => rate.Capacity / 2,
        _ => rate.Capacity * 2 / 3,
    };

    private static TokenBucket ElementAtOrDefault(this ImmutableArray<TokenBucket> buckets, int index, TokenBucket otherwise) =>
        index < buckets.Length ? buckets[index] : otherwise;
}
