using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Simulation;

namespace InternalHost.Tests.Simulation;

/// <summary>Every event is met in every state in which it can come: in years of chance, in scenes made for it, or told to the machine.</summary>
[Collection(nameof(SimulationCollection))]
public sealed class CoverageTests
{
    private const int Seeds = 3;

    [Fact]
    public void Every_pair_that_can_be_is_seen()
    {
        var seen = new Coverage();
        foreach (var report in SimulationTests.Years.Values)
        {
            seen.Add(report.Value.Coverage);
        }

        var scenes = OddScenes.ByName.SelectMany(s => Enumerable.Range(1, Seeds).SelectMany(seed => new[] { Lifecycle.StopStart, Lifecycle.Snapshot }.Select(l => (s.Key, s.Value, Seed: seed, Kind: l)))).ToList();
        var lived = new Coverage[scenes.Count];
        Parallel.For(0, scenes.Count, i => lived[i] = Live(scenes[i].Key, scenes[i].Value, (ulong)scenes[i].Seed, scenes[i].Kind));
        Array.ForEach(lived, seen.Add);
        seen.Add(RareOnes.Told());

        var missing = string.Join(", ", seen.Missing().Select(m => $"{m.Event} in {m.Phase}"));
        Assert.True(missing.Length == 0, $"not seen: {missing}");
    }

    [Fact]
    public void A_pair_that_cannot_be_ends_the_world()
    {
        using var world = new World(new WorldOptions(1, TimeSpan.FromDays(20), Crash: false));

        world.Observe(FailoverState.Initial, new FailoverEvent.TunnelVerified(default, 0), new FailoverStep(FailoverState.Initial, []));

        Assert.Equal("pairs", world.Invariants.Violation?.Invariant);
        Assert.StartsWith("verified in Standby: ", world.Invariants.Violation?.What, StringComparison.Ordinal);
    }

    [Fact]
    public void Pairs_that_cannot_be_name_states_and_events_that_there_are()
    {
        var all = from phase in Coverage.Phases from ev in Coverage.Events select (phase, ev);

        Assert.Equal(Coverage.Possible, all.Count(p => PairsThatCannotBe.Why(p.phase, p.ev) is null));
        Assert.All(all, p => Assert.NotEqual("", PairsThatCannotBe.Why(p.phase, p.ev)));
    }

    private static Coverage Live(string name, Fault[] script, ulong seed, Lifecycle lifecycle)
    {
        using var world = new World(new WorldOptions(seed, TimeSpan.FromDays(20), Crash: false) { Script = script, Lifecycle = lifecycle });

        world.Live();

        Assert.True(world.Invariants.Violation is null, $"{name}, seed {seed}, {lifecycle}: {world.Invariants.Violation}\n{string.Join('\n', world.Trace.Lines().TakeLast(40))}");
        return world.Coverage;
    }
}
