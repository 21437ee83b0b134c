using System.Collections.Immutable;
using Common;

namespace Bastion.Audit;

/// <summary>All checks over one set of facts. A check that breaks is one that could not be evaluated: it stops none of the rest.</summary>
[PureCore]
internal static class AuditRun
{
    public static ImmutableArray<AuditCheck> Checks { get; } = [.. SshChecks.All, .. HostChecks.All];

    public static ImmutableArray<Finding> Evaluate(AuditFacts facts, ImmutableDictionary<string, ImmutableArray<string>> mapping) =>
        [.. Checks.Select(c => new Finding(c, Excepted(c, facts, Evaluate(c, facts)), mapping.GetValueOrDefault(c.Id, [])))];

    /// <summary>Warnings and what could not be evaluated do not fail it.</summary>
    public static bool Fails(IEnumerable<Finding> findings) => findings.Any(f => f.Verdict.Outcome == Outcome.Fail && f.Check.Severity > CheckSeverity.Low);

    private static Verdict Evaluate(AuditCheck check, AuditFacts facts)
    {
        try
        {
            return check.Evaluate(facts);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or KeyNotFoundException or IndexOutOfRangeException)
        {
            return Verdict.CannotEvaluate($"what was read made no sense ({e.GetType().Name}): please report it");
        }
    }

    private static Verdict Excepted(AuditCheck check, AuditFacts facts, Verdict verdict) =>
        verdict.Outcome == Outcome.Fail && facts.Settings.Exceptions.FirstOrDefault(e => e.Check == check.Id) is { } exception
            ? exception.Expires >= facts.Today
                ? new Verdict(Outcome.Excepted, $"{verdict.Evidence} (known until {exception.Expires:yyyy-MM-dd}: {exception.Reason})")
                : Verdict.Fail($"{verdict.Evidence} (the exception ended on {exception.Expires:yyyy-MM-dd})")
            : verdict;
}
