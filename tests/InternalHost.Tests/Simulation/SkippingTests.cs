using InternalHost.Simulation;

namespace InternalHost.Tests.Simulation;

/// <summary>A quiet stretch that is skipped and one that is lived second by second come to the same.</summary>
[Collection(nameof(SimulationCollection))]
public sealed class SkippingTests
{
    /// <summary>
    /// These depend on what a detector learns in hours of calm (what a round trip usually takes), on a phase of 37 s (random labels), or on
    /// how many digits a journalled time has (which write finds the disk full): nothing that the length of a calm must not change.
    /// </summary>
    private static readonly HashSet<FaultKind> Slow = [FaultKind.Latency, FaultKind.BackupSlow, FaultKind.Hijack, FaultKind.DiskFull];

    private const int Worlds = 9;

    /// <summary>Windows: the stretches between two scenes, a hundred and more in each world. What follows each is compared to the last tick.</summary>
    [Fact]
    public void Skipping_and_stepping_agree_on_a_thousand_windows()
    {
        var windows = new int[Worlds];
        Parallel.For(0, Worlds, i =>
        {
            var (skipped, scenes) = Live((ulong)i + 1, livesQuiet: false);
            var (lived, _) = Live((ulong)i + 1, livesQuiet: true);
            Assert.Equal(skipped, lived);
            windows[i] = scenes;
        });

        Assert.True(windows.Sum() >= 1_000, $"{windows.Sum()} windows");
    }

    private static (string Story, int Scenes) Live(ulong seed, bool livesQuiet)
    {
        using var world = new World(new WorldOptions(seed, TimeSpan.FromDays(20), Crash: true) { LivesQuiet = livesQuiet, LongestQuiet = 1, Without = Slow });
        world.Trace.KeepAll();

        world.Live();

        Assert.True(world.Invariants.Violation is null, $"seed {seed}: {world.Invariants.Violation}\n{string.Join((char)10, world.Trace.Lines().TakeLast(40))}");
        return (string.Join('\n', world.Trace.Lines()), world.Trace.Lines().Count(l => l.Contains("  scene ", StringComparison.Ordinal)));
    }
}
