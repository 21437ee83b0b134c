using System.Text.Json;
using InternalHost.Cloud;
using InternalHost.Simulation;

namespace InternalHost.Tests.Simulation;

[Collection(nameof(SimulationCollection))]
public sealed class SimulationTests
{
    /// <summary>Its first world has a machine that is stopped and started; in the next three there is none, and the flaw makes two.</summary>
    private const ulong Seed = 8;

    private const double EachLives = 2;

    /// <summary>Lived once, by whichever test comes first.</summary>
    internal static readonly Dictionary<ulong, Lazy<SimulationReport>> Years = new[] { 101ul, 102ul, 103ul }
        .ToDictionary(seed => seed, seed => new Lazy<SimulationReport>(() => new SimulationRun(seed, EachLives, crash: true).Live()));

    [Theory]
    [InlineData(101)]
    [InlineData(102)]
    [InlineData(103)]
    public void Invariants_hold_through_years_of_outages_and_crashes(ulong seed)
    {
        var report = Years[seed].Value;

        Assert.Empty(report.Violations);
        Assert.True(report.Outages >= 50 * EachLives, $"{report.Outages} outages");
        Assert.True(report.Faults.Values.Sum() >= 500 * EachLives, $"{report.Faults.Values.Sum()} faults");
    }

    [Fact]
    public void The_same_seed_gives_the_same_life()
    {
        Assert.Equal(Story(7), Story(7));
        Assert.NotEqual(Story(7), Story(8));
    }

    [Fact]
    public void A_violation_is_reported_alike_by_any_number_of_processors_and_replayed_by_its_second()
    {
        var (one, many) = (Flawed(processors: 1), Flawed(processors: 4));
        var report = one.Live();

        var violation = Assert.Single(report.Violations);
        Assert.True(violation.T >= SimulationRun.WorldLength.TotalSeconds, $"{violation.T} is in the first world");
        Assert.Equal($"internalhost simulate --seed {Seed} --crash --until {violation.T + 0.001:F3}", violation.Replay);
        Assert.Equal(Json(report), Json(many.Live()));
        var (replayed, world) = one.Replay(TimeSpan.FromSeconds(violation.T + 0.001), keepAll: false);
        using (world)
        {
            Assert.Equal(violation, Assert.Single(replayed.Violations));
        }
    }

    [Fact]
    public void Told_to_go_on_it_tells_of_the_violations_of_every_year()
    {
        // Each year is broken within days.
        var run = new SimulationRun(Seed, 3, crash: true) { Processors = 1, GoesOn = true, Parts = Mistakes.ByName["lost alert"].Plant() };

        var report = run.Live();

        Assert.Equal([0, 1, 2], report.Violations.Select(v => (int)(v.T / SimulationRun.WorldLength.TotalSeconds)));
        Assert.Equal(3, report.Invariants["I4"].Violated);
    }

    [Fact]
    public void Ended_early_it_reports_the_years_that_were_lived()
    {
        using var ending = new CancellationTokenSource();
        var run = new SimulationRun(Seed, 1000, crash: true) { Processors = 1, Progress = lived => Cancel(ending, lived >= 1) };

        var report = run.Live(ending.Token);

        Assert.Equal((1000, 1), (report.Years, report.Lived));
        Assert.True(report.Outages >= 50, $"{report.Outages} outages");
        Assert.Empty(report.Violations);
    }

    private static void Cancel(CancellationTokenSource source, bool now)
    {
        if (now)
        {
            source.Cancel();
        }
    }

    private static SimulationRun Flawed(int processors) => new(Seed, 4, crash: true)
    {
        Processors = processors,
        Parts = new Parts
        {
            Cloud = (world, cloud) =>
            {
                for (var n = 0; n < 2 && cloud.Lifecycle == Lifecycle.Snapshot; n++)
                {
                    world.Provider.StartAnother(Actor.Controller);
                }

                return cloud;
            },
        },
    };

    private static string Json(SimulationReport report) => JsonSerializer.Serialize(report);

    private static string Story(ulong seed)
    {
        using var world = new World(new WorldOptions(seed, TimeSpan.FromDays(40), Crash: true));
        world.Trace.KeepAll();
        world.Live();
        return string.Join('\n', world.Trace.Lines());
    }
}
