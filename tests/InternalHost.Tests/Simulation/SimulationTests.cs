using InternalHost.Simulation;

namespace InternalHost.Tests.Simulation;

public sealed class SimulationTests
{
    [Theory]
    [InlineData(101)]
    [InlineData(102)]
    [InlineData(103)]
    public void Invariants_hold_through_years_of_outages_and_crashes(ulong seed)
    {
        const double Years = 2;

        var report = new SimulationRun(seed, Years, crash: true).Live();

        Assert.Empty(report.Violations);
        Assert.True(report.Outages >= 50 * Years, $"{report.Outages} outages");
        Assert.True(report.Faults.Values.Sum() >= 500 * Years, $"{report.Faults.Values.Sum()} faults");
    }

    [Fact]
    public void The_same_seed_gives_the_same_life()
    {
        Assert.Equal(Story(7), Story(7));
        Assert.NotEqual(Story(7), Story(8));
    }

    private static string Story(ulong seed)
    {
        using var world = new World(new WorldOptions(seed, TimeSpan.FromDays(40), Crash: true));
        world.Trace.KeepAll();
        world.Live();
        return string.Join('\n', world.Trace.Lines());
    }
}
