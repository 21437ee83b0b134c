using System.Diagnostics;
using System.Globalization;
using Bench.Detection;
using InternalHost.Simulation;

namespace Bench;

/// <summary>
/// A thousand simulated years of outages, faults and kills: no invariant is violated. Nobody else's controller can be put into this
/// world, so there is no rival.
/// </summary>
internal sealed class Simulate : IBenchmark
{
    private const int PromisedYears = 1_000;
    private const ulong Seed = 1;

    /// <summary>The promise also says how hard the years are.</summary>
    private const double OutagesPerYear = 50;
    private const double FaultsPerYear = 500;

    public string Name => "simulate";

    public string What => "violations in a thousand simulated years with crashes (--runs or --years: how many years); no rival can live in this world";

    public Task<BenchmarkResult> RunAsync(int? runs, CancellationToken ct) => Task.Run(() => Run(runs ?? PromisedYears, ct), ct);

    private BenchmarkResult Run(int years, CancellationToken ct)
    {
        var gate = new Lock();
        var shown = 0;
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var begun = TimeProvider.System.GetTimestamp();
        var report = new SimulationRun(Seed, years, crash: true)
        {
            Progress = lived =>
            {
                lock (gate)
                {
                    if ((int)(lived / years * 20) > shown)
                    {
                        shown = (int)(lived / years * 20);
                        Progress.Say(string.Create(CultureInfo.InvariantCulture, $"{lived:F0} of {years} years"));
                    }
                }
            },
        }.Live(ct);
        ct.ThrowIfCancellationRequested();
        process.Refresh();
        var cpu = (process.TotalProcessorTime - before).TotalSeconds;
        var elapsed = TimeProvider.System.GetElapsedTime(begun).TotalSeconds;
        foreach (var violation in report.Violations)
        {
            Progress.Say($"{violation.Invariant}: {violation.What}; replay: {violation.Replay}");
        }

        var faults = report.Faults.Values.Sum();
        return new BenchmarkResult(
            Name,
            new Promise("max", "<=", 0, "violations"),
            Series.Of([report.Violations.Count], string.Create(CultureInfo.InvariantCulture, $"seed {Seed}, {years} years, --crash")),
            new Dictionary<string, Series>(),
            years)
        {
            Table = new Table(
                "what was lived; no rivals: none of them can be put into this world",
                ["all", "a year"],
                [
                    Row("outages", report.Outages, years),
                    Row("of them with a way in", report.Served, years),
                    Row("faults and what people did", faults, years),
                    Row("steps, each checked", report.Steps, years),
                    Row("CPU seconds", cpu, years),
                    Row("seconds", elapsed, years),
                    new TableRow("simulated days per CPU second", [Math.Round(years * 365 / cpu, 1)]),
                ]),
            Checks =
            [
                new Check("outages a year", ">=", OutagesPerYear, "", (double)report.Outages / years),
                new Check("faults and what people did, a year", ">=", FaultsPerYear, "", (double)faults / years),
            ],
        };
    }

    private static TableRow Row(string name, double all, int years) => new(name, [Math.Round(all, 1), Math.Round(all / years, 3)]);
}
