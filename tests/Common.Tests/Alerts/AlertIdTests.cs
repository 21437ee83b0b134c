using Common.Alerts;

namespace Common.Tests.Alerts;

public sealed class AlertIdTests
{
    [Fact]
    public void Same_seed_same_id_on_every_machine_and_for_ever() => Assert.Equal("TXXJ", AlertId.From("home/outage-17/open"));

    [Fact]
    public void Longer_id_begins_with_the_short_one() =>
        Assert.StartsWith(AlertId.From("home/outage-17/open"), AlertId.From("home/outage-17/open", AlertId.LongLength));

    [Fact]
    public void Ids_are_unambiguous_and_spread()
    {
        var ids = Enumerable.Range(0, 2_000).Select(i => AlertId.From($"home/outage-{i}/open")).ToList();

        Assert.All(ids, id => Assert.True(id.Length == 4 && id.All(AlertId.Alphabet.Contains)));
        Assert.InRange(ids.Distinct().Count(), 1_985, 2_000); // the birthday of 2,000 among 810,000 is 2.5 pairs
    }
}
