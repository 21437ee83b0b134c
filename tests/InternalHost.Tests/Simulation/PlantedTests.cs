using InternalHost.Simulation;
using Xunit.Abstractions;

namespace InternalHost.Tests.Simulation;

/// <summary>Mistakes put into the daemon by name; the invariants have to find each within fifty years (docs/simulation.md).</summary>
[Collection(nameof(SimulationCollection))]
public sealed class PlantedTests(ITestOutputHelper output)
{
    private const int Years = 50;

    public static TheoryData<string> Names => [.. Mistakes.ByName.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_planted_mistake_is_found(string name)
    {
        var mistake = Mistakes.ByName[name];
        for (var year = 1; year <= Years; year++)
        {
            using var world = new World(new WorldOptions((ulong)year, SimulationRun.WorldLength, Crash: true) { Parts = mistake.Plant() });
            world.Live();
            if (world.Invariants.Violation is { } found && mistake.Breaks.Split(' ').Contains(found.Invariant))
            {
                output.WriteLine($"{name}: {found.Invariant} after {year - 1 + (found.At / SimulationRun.WorldLength):F2} years: {found.What}");
                return;
            }
        }

        Assert.Fail($"{name}: {mistake.Breaks} did not break in {Years} years");
    }
}
