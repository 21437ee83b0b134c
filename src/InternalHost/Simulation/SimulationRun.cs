using System.Collections.Concurrent;
using Common.Time;

namespace InternalHost.Simulation;

/// <summary>Years of life, cut into worlds with a seed each so that they can be lived side by side and replayed alone.</summary>
internal sealed class SimulationRun(ulong seed, double years, bool crash)
{
    /// <summary>Long enough for alerts to share short ids and journals to be trimmed; short enough to be replayed in seconds.</summary>
    public static readonly TimeSpan WorldLength = TimeSpan.FromDays(365);

    private static readonly TimeSpan Year = TimeSpan.FromDays(365);

    public Parts Parts { get; init; } = Parts.Real;

    /// <summary>Worlds that are lived at the same time; the report is the same for any number.</summary>
    public int Processors { get; init; } = Environment.ProcessorCount;

    /// <summary>A violation ends its world, and the worlds after it are lived all the same.</summary>
    public bool GoesOn { get; init; }

    /// <summary>Called with the years lived so far; from any thread.</summary>
    public Action<double> Progress { get; init; } = _ => { };

    /// <summary>Lives all of it on all processors. Worlds are put together in their order, so the report does not depend on who was first.</summary>
    /// <param name="ct">Ends it early: the report is of the years that were lived to their end (<see cref="SimulationReport.Lived"/>).</param>
    public SimulationReport Live(CancellationToken ct = default)
    {
        var worlds = (int)Math.Ceiling(years * Year / WorldLength);
        var reports = new SimulationReport?[worlds];
        var lived = 0;
        // Handed out one by one and in their order: a run that breaks early has not begun with its last years.
        var inOrder = Partitioner.Create(Enumerable.Range(0, worlds), EnumerablePartitionerOptions.NoBuffering);
        Parallel.ForEach(inOrder, new ParallelOptions { MaxDegreeOfParallelism = Processors }, (index, loop) =>
        {
            if (LiveOne(index, ct) is { } report)
            {
                reports[index] = report;
                Progress(Math.Min(years, Interlocked.Increment(ref lived) * (WorldLength / Year)));
            }

            if (reports[index] is null || (reports[index] is { Violations.Count: > 0 } && !GoesOn))
            {
                // Earlier worlds are still lived to their end: the first violation is the same on every machine.
                loop.Break();
            }
        });
        var total = new SimulationReport(seed, years);
        foreach (var report in reports)
        {
            if (report is null)
            {
                break;
            }

            total.Add(report);
            if (report.Violations.Count > 0 && !GoesOn)
            {
                // Later worlds may have been lived or not, as there were processors.
                break;
            }
        }

        return total;
    }

    /// <summary>Replays to a moment: only the world that it falls into. What happened last is in the world's trace.</summary>
    public (SimulationReport Report, World World) Replay(TimeSpan until, bool keepAll)
    {
        var index = (int)(until / WorldLength);
        var world = new World(Options(index) with { Until = until - (index * WorldLength) });
        if (keepAll)
        {
            world.Trace.KeepAll();
            world.Trace.Detailed = true;
        }

        world.Live();
        return (SimulationReport.Of(seed, world, index * WorldLength, (until - (index * WorldLength)) / Year), world);
    }

    /// <summary>Null: it was ended early.</summary>
    private SimulationReport? LiveOne(int index, CancellationToken ct)
    {
        var options = Options(index);
        using var world = new World(options);
        world.Live(ct);
        return ct.IsCancellationRequested ? null : SimulationReport.Of(seed, world, index * WorldLength, options.Length / Year);
    }

    private WorldOptions Options(int index)
    {
        var length = (years * Year) - (index * WorldLength);
        return new WorldOptions(Chance.Derive(seed, (ulong)index), length < WorldLength && length > TimeSpan.Zero ? length : WorldLength, crash) { Parts = Parts };
    }
}
