using System.Globalization;
using InternalHost.Wan.Detection;

namespace Bench.Detection;

/// <summary>
/// False Downs on lines that are bad but not down: throttled ping, dead operators, brownouts, a dead resolver, heavy loss. Same
/// detector and preset as <see cref="Detect"/>; the rivals see the same weather.
/// </summary>
internal sealed class FalseDown : IBenchmark
{
    /// <summary>Seven scenarios of this many days are a year and some days.</summary>
    private const int PromisedDays = 53;

    private const int MostShown = 20;
    private const double MonthDays = 30;
    private const double MicroOutagesPerMonth = 10;

    /// <summary>Fewer days than this say too little about the models.</summary>
    private const int DaysToCheckModels = 30;

    private const double ModelTolerancePercent = 10;

    /// <summary>What research/wan.md, section 3, counted per 30 days; only figures large enough to be more than luck.</summary>
    private static readonly (string Scenario, string Monitor, double Known)[] Known =
    [
        ("S2", "pfSense", 173), ("S4", "pfSense", 1462), ("S6", "pfSense", 119), ("S8", "pfSense", 227),
        ("S2", "OPNsense", 180), ("S4", "OPNsense", 1482), ("S6", "OPNsense", 119), ("S8", "OPNsense", 437),
        ("S4", "Peplink", 313), ("S4", "mwan3 5/2/3/8", 159),
    ];

    public string Name => "false-down";

    public string What => "false Down per 30 days on bad lines, a simulated year (--runs: days of each scenario); rivals as in detect";

    public Task<BenchmarkResult> RunAsync(int? runs, CancellationToken ct) => Task.Run(() => Run(runs ?? PromisedDays, ct), ct);

    private BenchmarkResult Run(int days, CancellationToken ct)
    {
        var rows = new List<TableRow>();
        var total = 0;
        var harmless = Scenarios.Harmless(days, seed: 11).ToList();
        foreach (var scenario in harmless)
        {
            var ours = Ours(scenario, DetectorPreset.Balanced, ct);
            total += ours;
            rows.Add(Row(scenario, ours, days, ct));
        }

        var micro = Scenarios.MicroOutages(days, seed: 12);
        var microOurs = Ours(micro, DetectorPreset.Balanced, ct);
        var microSatellite = Ours(micro, DetectorPreset.Satellite, ct);
        var judged = rows.ToList();
        rows.Add(Row(micro, microOurs, days, ct));

        return new BenchmarkResult(
            Name,
            new Promise("max", "<=", 0, "false Down per 30 days"),
            Column(judged, 0, "internalhost, balanced"),
            LineMonitors.All.Select((m, i) => (m.Name, Series: Column(judged, i + 1, m.Model))).ToDictionary(r => r.Name, r => r.Series, StringComparer.Ordinal),
            days)
        {
            Table = new Table("false Down per 30 days", ["ours", .. LineMonitors.All.Select(m => m.Name)], rows),
            Checks =
            [
                new Check(string.Create(CultureInfo.InvariantCulture, $"false Down in {harmless.Count * days} simulated days of S1-S4, S6-S8"), "<=", 0, "", total),
                new Check("S5, balanced, per 30 days", "<=", MicroOutagesPerMonth, "", microOurs * MonthDays / days),
                new Check("S5, satellite, per 30 days", "<=", 0, "", microSatellite * MonthDays / days),
                .. days < DaysToCheckModels ? [] : ModelChecks(rows),
            ],
        };
    }

    private static IEnumerable<Check> ModelChecks(List<TableRow> rows)
    {
        foreach (var (scenario, monitor, known) in Known)
        {
            var column = 1 + LineMonitors.All.TakeWhile(m => m.Name != monitor).Count();
            var counted = rows.Single(r => r.Name.StartsWith(scenario, StringComparison.Ordinal)).Values[column];
            yield return new Check(
                string.Create(CultureInfo.InvariantCulture, $"model of {monitor}, {scenario}: {counted:0} where research has {known:0}, apart by"), "<=", ModelTolerancePercent, "%",
                Math.Abs(counted / known - 1) * 100);
        }
    }

    private static int Ours(Scenario scenario, DetectorPreset preset, CancellationToken ct)
    {
        Progress.Say($"ours ({preset}) on {scenario.Name}: {scenario.What}");
        var downs = OurDetector.Downs(OurDetector.Watch(scenario, preset, seed: 1, ct)).ToList();
        foreach (var down in downs.Take(MostShown))
        {
            Progress.Say(string.Create(CultureInfo.InvariantCulture, $"  false at {down.At:F3} s: {down.State} ({down.Reason})"));
        }

        return downs.Count;
    }

    private static TableRow Row(Scenario scenario, int ours, int days, CancellationToken ct)
    {
        Progress.Say($"rivals on {scenario.Name}");
        var values = new List<double> { ours };
        foreach (var monitor in LineMonitors.All)
        {
            ct.ThrowIfCancellationRequested();
            values.Add(monitor.Watch(new Weather(scenario, seed: 13)).Count(w => w.Down));
        }

        return new TableRow($"{scenario.Name} {scenario.What}", [.. values.Select(v => Math.Round(v * MonthDays / days, 2))]);
    }

    private static Series Column(IReadOnlyList<TableRow> rows, int column, string version) => Series.Of([.. rows.Select(r => r.Values[column])], version);
}
