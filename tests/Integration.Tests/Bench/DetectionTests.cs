using System.Text.Json;
using Bench;
using Bench.Detection;

namespace Integration.Tests.Bench;

/// <summary>The rivals' models, the generated worlds, and both benchmarks in their shortest form. All in virtual time.</summary>
public sealed class DetectionTests
{
    [Theory]
    [InlineData("pfSense", 13.9, 15.6, 40, 75)]
    [InlineData("OPNsense", 14.9, 17.1, 40, 75)]
    [InlineData("Peplink", 15, 20, 9, 16)]
    [InlineData("mwan3", 80, 90.2, 39, 60)]
    [InlineData("mwan3 5/2/3/8", 22, 27.2, 34, 46)]
    public void Model_blackout_is_seen_and_forgotten_when_its_rules_say(string name, double soonest, double latest, double soonestUp, double latestUp)
    {
        var monitor = LineMonitors.All.Single(m => m.Name == name);
        var blackouts = Scenarios.Blackouts("hard", 50, 120, 600, seed: 9);

        var said = monitor.Watch(new Weather(blackouts, seed: 1)).ToList();

        Assert.Equal(100, said.Count);
        for (var i = 0; i < 50; i++)
        {
            var (down, up) = (said[2 * i], said[(2 * i) + 1]);
            Assert.True(down.Down && !up.Down);
            Assert.InRange(down.At - blackouts.Outages[i].From, soonest, latest);
            Assert.InRange(up.At - blackouts.Outages[i].To, soonestUp, latestUp);
        }
    }

    [Fact]
    public void Models_are_silent_on_a_good_line()
    {
        var calm = new Scenario("calm", "", 86_400, [], []);

        Assert.All(LineMonitors.All, m => Assert.Empty(m.Watch(new Weather(calm, seed: 1))));
    }

    [Fact]
    public void Weather_loses_the_share_that_it_should_and_only_on_its_lane()
    {
        var weather = new Weather(new Scenario("", "", 100, [new Change(50, Lane.DnsA, 0.3)], []), seed: 1);

        var before = Enumerable.Range(0, 1000).Count(_ => weather.Passes(Lane.DnsA, 49.9));
        var after = Enumerable.Range(0, 100_000).Count(_ => weather.Passes(Lane.DnsA, 50)) / 100_000.0;

        Assert.Equal(1000, before);
        Assert.InRange(after, 0.69, 0.71);
        Assert.True(weather.Passes(Lane.DnsB, 51));
    }

    [Fact]
    public void Scenarios_same_seed_same_world_in_the_order_of_time()
    {
        Assert.Equal(All(1).SelectMany(s => s.Changes), All(1).SelectMany(s => s.Changes));
        Assert.NotEqual(All(1).SelectMany(s => s.Changes), All(2).SelectMany(s => s.Changes));
        Assert.All(All(3), s =>
        {
            Assert.True(s.Changes.Zip(s.Changes.Skip(1)).All(p => p.First.At <= p.Second.At), s.Name);
            Assert.True(s.Changes.Count > 0 && s.Changes[^1].At <= s.Seconds, s.Name);
        });

        static IEnumerable<Scenario> All(int seed) =>
        [
            .. Scenarios.Harmless(3, seed), Scenarios.MicroOutages(3, seed), Scenarios.Blackouts("hard", 5, 120, 600, seed),
            .. Scenarios.HalfDead(5, seed), Scenarios.RouterFallsOver(5, seed),
        ];
    }

    [Fact]
    public void Delays_an_outage_seen_after_its_end_or_not_at_all_is_missed()
    {
        Outage[] outages = [new(10, 20), new(30, 40), new(50, 60)];

        Assert.Equal([5, null, 1], Detections.Delays(outages, [15, 45, 51]));
    }

    [Fact]
    public async Task Detect_short_run_misses_nothing_and_the_models_are_who_they_claim_to_be()
    {
        var result = await new Detect().RunAsync(24, CancellationToken.None);

        Assert.Equal((24, 24, 0), (result.Runs, result.Ours.N, result.Ours.Missed));
        Assert.InRange(result.Ours.P99, 6.8, 8.5);
        Assert.Equal(LineMonitors.All.Select(m => m.Name), result.Rivals.Keys);
        Assert.Equal("", string.Join('\n', result.Checks!.Where(c => !c.Holds && c.What.StartsWith("model", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task False_down_short_run_is_never_fooled_where_others_are()
    {
        var result = await new FalseDown().RunAsync(3, CancellationToken.None);

        Assert.Equal(0, result.Ours.Max);
        Assert.True(result.Rivals["pfSense"].Max > 1000);
        Assert.Equal(["S1", "S2", "S3", "S4", "S6", "S7", "S8", "S5"], result.Table!.Rows.Select(r => r.Name[..2]));
        Assert.True(result.Checks![0].Holds, result.Checks[0].ToString());
    }

    [Fact]
    public void Result_with_a_model_that_is_somebody_else_does_not_hold()
    {
        var ours = Series.Of([7, 7.5], "x");
        var good = new BenchmarkResult("detect", new Promise("p99", "<=", 8.5, "s"), ours, new Dictionary<string, Series>(StringComparer.Ordinal), 2);
        var bad = good with { Checks = [new Check("model of mwan3", "<=", 10, "%", 10.1)] };

        Assert.True(good.Holds);
        Assert.False(bad.Holds);
        Assert.False(JsonSerializer.SerializeToElement(bad).GetProperty("Holds").GetBoolean());
    }
}
