using System.Globalization;
using System.Text.Json.Serialization;

namespace InternalHost.Simulation;

/// <param name="T">Seconds since the run's begin: <c>--until</c> takes it.</param>
internal sealed record ReportedViolation(ulong Seed, double T, string Invariant, string What)
{
    /// <summary>The command that lives up to it again.</summary>
    public required string Replay { get; init; }

    public string? TraceFile { get; init; }
}

internal sealed record InvariantCount(long Checked, long Violated);

/// <summary>What a run comes to.</summary>
internal sealed class SimulationReport(ulong seed, double years)
{
    public ulong Seed { get; } = seed;

    public double Years { get; } = years;

    /// <summary>Years that were lived: fewer where a violation or a signal ended it.</summary>
    public double Lived { get; private set; }

    public long Outages { get; private set; }

    public long Served { get; private set; }

    public SortedDictionary<string, long> Faults { get; } = new(StringComparer.Ordinal);

    public long Steps { get; private set; }

    public SortedDictionary<string, InvariantCount> Invariants { get; } = new(Comparer<string>.Create((a, b) => int.Parse(a.AsSpan(1), null).CompareTo(int.Parse(b.AsSpan(1), null))));

    public List<ReportedViolation> Violations { get; init; } = [];

    [JsonIgnore]
    public Coverage Coverage { get; } = new();

    public static SimulationReport Of(ulong seed, World world, TimeSpan begins, double years)
    {
        var report = new SimulationReport(seed, years)
        {
            Lived = world.Invariants.Violation is { } broken ? broken.At / TimeSpan.FromDays(365) : years,
            Outages = world.Outages,
            Served = world.Served,
            Steps = world.Steps,
        };
        foreach (var kind in FaultKinds.All)
        {
            report.Faults[kind.Snake()] = world.Counts[(int)kind];
        }

        for (var i = 1; i <= Simulation.Invariants.Names.Length; i++)
        {
            var violated = world.Invariants.Violation?.Invariant == Simulation.Invariants.Names[i - 1] ? 1 : 0;
            report.Invariants[Simulation.Invariants.Names[i - 1]] = new InvariantCount(world.Invariants.Checked(i), violated);
        }

        if (world.Invariants.Violation is { } violation)
        {
            var at = (begins + violation.At).TotalSeconds;
            report.Violations.Add(new ReportedViolation(seed, at, violation.Invariant, violation.What)
            {
                Replay = string.Create(CultureInfo.InvariantCulture, $"internalhost simulate --seed {seed}{(world.HasCrashes ? " --crash" : "")} --until {at + 0.001:F3}"),
            });
        }

        report.Coverage.Add(world.Coverage);
        return report;
    }

    public void Add(SimulationReport other)
    {
        Lived += other.Lived;
        Outages += other.Outages;
        Served += other.Served;
        Steps += other.Steps;
        Coverage.Add(other.Coverage);
        Violations.AddRange(other.Violations);
        foreach (var (kind, times) in other.Faults)
        {
            Faults[kind] = Faults.GetValueOrDefault(kind) + times;
        }

        foreach (var (name, count) in other.Invariants)
        {
            var before = Invariants.GetValueOrDefault(name) ?? new InvariantCount(0, 0);
            Invariants[name] = new InvariantCount(before.Checked + count.Checked, before.Violated + count.Violated);
        }
    }
}
