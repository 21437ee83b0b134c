using System.Collections.Immutable;

namespace Bastion.Audit;

/// <summary>Printed and read by scripts: the words are fixed.</summary>
internal enum Outcome
{
    /// <summary>What it needs to know could not be found out.</summary>
    CannotEvaluate = 0,
    Pass = 1,
    Fail = 2,
    NotApplicable = 3,

    /// <summary>It fails, and the owner has said until when that is known.</summary>
    Excepted = 4,
}

/// <summary>A check of <see cref="Low"/> warns: it does not make the audit fail.</summary>
internal enum CheckSeverity
{
    Unknown = 0,
    Low = 1,
    Medium = 2,
    High = 3,
    Critical = 4,
}

/// <param name="Evidence">What was seen, for a person.</param>
internal sealed record Verdict(Outcome Outcome, string Evidence)
{
    public static Verdict Pass(string evidence) => new(Outcome.Pass, evidence);

    public static Verdict Fail(string evidence) => new(Outcome.Fail, evidence);

    public static Verdict NotApplicable(string why) => new(Outcome.NotApplicable, why);

    public static Verdict CannotEvaluate(string why) => new(Outcome.CannotEvaluate, why);

    /// <summary>Passes where nothing offends.</summary>
    public static Verdict Of(IEnumerable<string> offences, string good) => offences.ToList() is { Count: > 0 } all ? Fail(string.Join("; ", all.Take(6))) : Pass(good);
}

/// <param name="Fix">What an operator does.</param>
internal sealed record AuditCheck(string Id, CheckSeverity Severity, string Title, string Fix, Func<AuditFacts, Verdict> Evaluate);

internal sealed record Finding(AuditCheck Check, Verdict Verdict, ImmutableArray<string> Supports);
