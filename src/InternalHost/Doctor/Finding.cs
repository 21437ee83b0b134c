using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace InternalHost.Doctor;

/// <summary>What became of one check.</summary>
internal enum Health
{
    /// <summary>It could not be found out here and now.</summary>
    CannotTell = 0,
    Ok = 1,

    /// <summary>It works, and yet something should be done.</summary>
    Warn = 2,
    Fail = 3,
}

/// <param name="Check">A stable word or two for scripts.</param>
/// <param name="Detail">What was seen.</param>
/// <param name="Next">What to do; null where there is nothing to do.</param>
internal sealed record Finding(
    string Check,
    [property: JsonConverter(typeof(HealthWord))] Health Verdict,
    string Detail,
    string? Next = null)
{
    public static Finding Ok(string check, string detail) => new(check, Health.Ok, detail);

    public static Finding Warn(string check, string detail, string next) => new(check, Health.Warn, detail, next);

    public static Finding Fail(string check, string detail, string next) => new(check, Health.Fail, detail, next);

    public static Finding CannotTell(string check, string detail, string? next = null) => new(check, Health.CannotTell, detail, next);
}

/// <summary>One check of this machine; a fault in it is a finding, never an end.</summary>
internal interface IDoctorCheck
{
    string Name { get; }

    Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct);
}

/// <summary>ok, warn, fail, cannot-tell.</summary>
internal sealed class HealthWord() : JsonStringEnumConverter<Health>(System.Text.Json.JsonNamingPolicy.KebabCaseLower);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Finding))]
internal sealed partial class DoctorJson : JsonSerializerContext;
