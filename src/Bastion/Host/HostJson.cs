using System.Text.Json.Serialization;
using Bastion.Audit;

namespace Bastion.Host;

/// <summary>One line of <c>bastion install --dry-run --json</c>.</summary>
/// <param name="Diff">Of a file: what goes and comes.</param>
internal sealed record ChangeLine(string Change, IReadOnlyList<string>? Diff);

/// <summary>The last line of <c>bastion install --json</c>.</summary>
internal sealed record InstallSummary(bool Ok, int Changes, string? Reason);

/// <summary>One line of <c>bastion audit --json</c>.</summary>
internal sealed record FindingLine(string Id, string Severity, string Outcome, string Title, string Evidence, string? Fix, IReadOnlyList<string> Supports);

/// <summary>The last line of it.</summary>
/// <param name="Data">The date of the mappings and advisories.</param>
internal sealed record AuditSummary(bool Ok, int Passed, int Failed, int Warnings, int Excepted, int NotApplicable, int CannotEvaluate, string Data);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ChangeLine))]
[JsonSerializable(typeof(InstallSummary))]
[JsonSerializable(typeof(FindingLine))]
[JsonSerializable(typeof(AuditSummary))]
internal sealed partial class HostJson : JsonSerializerContext;
