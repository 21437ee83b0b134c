using System.Text.Json.Serialization;

namespace Bench;

/// <summary>What one contender reached, in the promise's unit.</summary>
/// <param name="Version">Which build or version was measured.</param>
/// <param name="Missed">Runs that reached nothing within the limit; they count as worse than any number.</param>
internal sealed record Series(int N, double P50, double P99, double Min, double Max, double Mean, string Version, int Missed = 0)
{
    public static Series Of(IReadOnlyCollection<double> samples, string version, int missed = 0)
    {
        if (samples.Count == 0)
        {
            return new Series(0, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN, version, missed);
        }

        var sorted = samples.Order().ToArray();
        return new Series(
            sorted.Length + missed, Round(Rank(sorted, 0.50)), Round(Rank(sorted, 0.99)), Round(sorted[0]), Round(sorted[^1]), Round(sorted.Average()), version, missed);
    }

    /// <summary>Nearest rank: a value that was really measured.</summary>
    private static double Rank(double[] sorted, double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];

    private static double Round(double value) => Math.Round(value, 4);

    public double Value(string metric) => metric switch
    {
        "p50" => P50,
        "p99" => P99,
        "min" => Min,
        "max" => Max,
        "mean" => Mean,
        _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, "p50, p99, min, max, mean"),
    };
}

/// <param name="Metric">p50, p99, min, max or mean of our series.</param>
/// <param name="Op">&lt;= or &gt;=.</param>
internal sealed record Promise(string Metric, string Op, double Value, string Unit)
{
    public bool HoldsFor(Series ours) => ours.Missed == 0 && Op switch
    {
        "<=" => ours.Value(Metric) <= Value,
        ">=" => ours.Value(Metric) >= Value,
        _ => throw new InvalidOperationException($"{Op}?"),
    };
}

/// <param name="Measured">What came out.</param>
internal sealed record Check(string What, string Op, double Value, string Unit, double Measured)
{
    public bool Holds => Op switch
    {
        "<=" => Measured <= Value,
        ">=" => Measured >= Value,
        _ => throw new InvalidOperationException($"{Op}?"),
    };
}

internal sealed record Table(string Title, IReadOnlyList<string> Columns, IReadOnlyList<TableRow> Rows);

internal sealed record TableRow(string Name, IReadOnlyList<double> Values);

/// <summary>The contract of bench/results/NAME.json. <see cref="Holds"/> is computed here and nowhere else.</summary>
internal sealed record BenchmarkResult(string Benchmark, Promise Promise, Series Ours, IReadOnlyDictionary<string, Series> Rivals, int Runs)
{
    public bool Holds => Promise.HoldsFor(Ours) && (Checks ?? []).All(c => c.Holds);

    /// <summary>What must hold besides: further promises on the same run, and that the rivals' models are what they claim to be.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Check>? Checks { get; init; }

    /// <summary>Figures by row and column.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Table? Table { get; init; }

    /// <summary>Breakdown that the promise does not rest on: by mode, for example.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, Series>? Parts { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Machine { get; init; }
}

/// <summary>One benchmark of DESIGN 10.</summary>
internal interface IBenchmark
{
    string Name { get; }

    /// <summary>One line for --list.</summary>
    string What { get; }

    /// <param name="runs">How many were asked for; null: the promise's own number.</param>
    /// <exception cref="CannotRunException">Something this machine does not have.</exception>
    Task<BenchmarkResult> RunAsync(int? runs, CancellationToken ct);
}

internal sealed class CannotRunException(string message) : Exception(message);
