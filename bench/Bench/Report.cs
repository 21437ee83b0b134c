using System.Globalization;
using System.Text.Json;

namespace Bench;

/// <summary>The table for people and the file for scripts.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static void Print(BenchmarkResult result)
    {
        var promise = result.Promise;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{result.Benchmark}: promised {promise.Metric} {promise.Op} {promise.Value} {promise.Unit}, {result.Runs} runs: {(result.Holds ? "holds" : "DOES NOT HOLD")}"));
        Console.WriteLine($"  {"",-28} {"n",5} {"missed",7} {"p50",9} {"p99",9} {"min",9} {"max",9} {"mean",9}  ({promise.Unit})");
        Row("ours", result.Ours);
        foreach (var (name, part) in result.Parts ?? new Dictionary<string, Series>())
        {
            Row("  " + name, part);
        }

        foreach (var (name, rival) in result.Rivals)
        {
            Row(name, rival);
        }

        Print(result.Table);
        foreach (var check in result.Checks ?? [])
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {(check.Holds ? "holds" : "DOES NOT HOLD"),-14} {check.What}: {check.Measured:0.###} {check.Op} {check.Value:0.###} {check.Unit}"));
        }
    }

    private static void Print(Table? table)
    {
        if (table is null)
        {
            return;
        }

        Console.WriteLine($"  {table.Title}");
        Console.WriteLine($"  {"",-60}{string.Concat(table.Columns.Select(c => $" {c,13}"))}");
        foreach (var row in table.Rows)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {row.Name,-60}{string.Concat(row.Values.Select(v => $" {v,13:0.#}"))}"));
        }
    }

    public static void Save(BenchmarkResult result, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, result.Benchmark + ".json"), JsonSerializer.Serialize(result, Json) + "\n");
    }

    /// <summary>What could not be measured leaves its reason behind.</summary>
    public static void SaveReason(string benchmark, string reason, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, benchmark + ".json"), JsonSerializer.Serialize(new { benchmark, cannotRun = reason, holds = false }, Json) + "\n");
    }

    private static void Row(string name, Series s) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"  {name,-28} {s.N,5} {s.Missed,7} {s.P50,9:F3} {s.P99,9:F3} {s.Min,9:F3} {s.Max,9:F3} {s.Mean,9:F3}  {s.Version}"));
}
