using System.Globalization;

namespace InternalHost.Simulation;

/// <summary>A report for people.</summary>
internal static class SimulationText
{
    private const int Shown = 60;

    public static void Write(SimulationReport report, IReadOnlyList<string> last, TextWriter output)
    {
        var years = Math.Max(report.Lived, 1e-9);
        var early = report.Lived < report.Years - 1e-6 ? Text($"{report.Lived:F1} of ") : "";
        var faults = report.Faults.Values.Sum();
        output.WriteLine(Text($"seed {report.Seed}, {early}{report.Years:G6} years: {report.Outages} outages, {report.Served} served, {faults} faults, {report.Steps} steps"));
        output.WriteLine(Text($"a year: {report.Outages / years:F0} outages, {faults / years:F0} faults"));
        foreach (var (kind, times) in report.Faults)
        {
            output.WriteLine(Text($"  {kind,-24} {times,10}"));
        }

        output.WriteLine("invariant       checked  violated");
        foreach (var (name, count) in report.Invariants)
        {
            output.WriteLine(Text($"  {name,-4} {count.Checked,16} {count.Violated,9}"));
        }

        var missing = report.Coverage.Missing().ToList();
        output.WriteLine($"state x event: pairs seen {Coverage.Possible - missing.Count} of {Coverage.Possible} possible");
        foreach (var phase in missing.GroupBy(m => m.Phase, StringComparer.Ordinal))
        {
            output.WriteLine($"  {phase.Key,-12} not seen: {string.Join(", ", phase.Select(m => m.Event))}");
        }

        foreach (var line in last.Skip(Math.Max(0, last.Count - Shown)))
        {
            output.WriteLine(line);
        }

        foreach (var v in report.Violations)
        {
            output.WriteLine(Text($"VIOLATION of {v.Invariant} at {v.T:F3} s: {v.What}"));
            output.WriteLine(Text($"  replay: {v.Replay}{(v.TraceFile is null ? "" : $"   trace: {v.TraceFile}")}"));
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
