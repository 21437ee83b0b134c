using InternalHost.Wan.Detection;

namespace Bench.Detection;

/// <summary>From a hard blackout to Down, ours and the models of others, on the same blackouts; with what else must be noticed in time.</summary>
internal sealed class Detect : IBenchmark
{
    private const int PromisedRuns = 1298;
    private const int HalfDeadShare = 6;
    private const double FlaggedWithin = 45;
    private const double FallOverWithin = 75;
    private const double CaughtPercent = 99.5;

    /// <summary>A model further than this from research/wan.md is not the rival that it claims to be.</summary>
    private const double ModelTolerancePercent = 10;

    public string Name => "detect";

    public string What => "blackout -> Down, simulated; rivals: models of dpinger (pfSense, OPNsense), Peplink, mwan3 on the same traces";

    public Task<BenchmarkResult> RunAsync(int? runs, CancellationToken ct) => Task.Run(() => Run(runs ?? PromisedRuns, ct), ct);

    private BenchmarkResult Run(int count, CancellationToken ct)
    {
        var hard = Scenarios.Blackouts("hard", count, 120, 600, seed: 1);
        var brief = Scenarios.Blackouts("brief", count, 12, 45, seed: 2);
        var delays = OurDelays(hard, ct);
        var caught = OurDelays(brief, ct);
        var ours = SeriesOf(delays, "internalhost, balanced");
        var checks = new List<Check>
        {
            new("p50 of the blackouts", "<=", 7.8, "s", ours.P50),
            new("blackouts of 12-45 s caught", ">=", CaughtPercent, "%", 100.0 * caught.Count(d => d is not null) / caught.Count),
        };
        checks.AddRange(Scenarios.HalfDead(Math.Max(1, count / HalfDeadShare), seed: 3).SelectMany(s => Noticed(s, FlaggedWithin, ct)));
        checks.AddRange(Noticed(Scenarios.RouterFallsOver(Math.Max(1, count / HalfDeadShare), seed: 4), FallOverWithin, ct));

        var rivals = new Dictionary<string, Series>(StringComparer.Ordinal);
        foreach (var monitor in LineMonitors.All)
        {
            ct.ThrowIfCancellationRequested();
            Progress.Say($"{monitor.Name} on {hard.What}");
            var series = SeriesOf(Detections.Delays(hard.Outages, monitor.Watch(new Weather(hard, seed: 5)).Where(w => w.Down).Select(w => w.At)), monitor.Model);
            rivals[monitor.Name] = series;
            checks.Add(new Check(
                $"model of {monitor.Name}, mean {series.Mean:0.0} s where research has {monitor.KnownMean:0.0} s, apart by", "<=", ModelTolerancePercent, "%",
                Math.Abs(series.Mean / monitor.KnownMean - 1) * 100));
        }

        return new BenchmarkResult(Name, new Promise("p99", "<=", 8.5, "s"), ours, rivals, count)
        {
            Parts = new Dictionary<string, Series>(StringComparer.Ordinal) { ["blackouts of 12-45 s"] = SeriesOf(caught, "") },
            Checks = checks,
        };
    }

    private static List<double?> OurDelays(Scenario scenario, CancellationToken ct)
    {
        Progress.Say($"ours on {scenario.What}");
        return OurDetector.Delays(scenario.Outages, OurDetector.Watch(scenario, DetectorPreset.Balanced, seed: 1, ct));
    }

    /// <summary>Found unusable in time, and not called usable again before it is over.</summary>
    private static IEnumerable<Check> Noticed(Scenario scenario, double within, CancellationToken ct)
    {
        Progress.Say($"ours on {scenario.What}, {scenario.Outages.Count} times");
        var told = OurDetector.Watch(scenario, DetectorPreset.Balanced, seed: 1, ct);
        var delays = OurDetector.Delays(scenario.Outages, told);
        var slowest = delays.Max(d => d ?? double.PositiveInfinity);
        var readUsable = scenario.Outages.Count(o => told.Any(t => t.Usable == Usable.Yes && t.At > o.From + within && t.At < o.To));
        yield return new Check($"{scenario.Name} ({scenario.What}): unusable after at most", "<=", within, "s", slowest);
        yield return new Check($"{scenario.Name}: read as usable after that", "<=", 0, $"of {scenario.Outages.Count}", readUsable);
    }

    private static Series SeriesOf(List<double?> delays, string version) =>
        Series.Of([.. delays.OfType<double>()], version, delays.Count(d => d is null));
}

internal static class Progress
{
    public static void Say(string what) => Console.Error.WriteLine($"  {what} ...");
}
