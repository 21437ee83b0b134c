using System.Globalization;
using System.Text.Json.Serialization;

namespace InternalHost.Cloud.Making;

/// <summary>One line for whoever watches a making.</summary>
/// <param name="State">begun, said, waiting, done.</param>
/// <param name="Took">Since the step began, in seconds; null: it goes on.</param>
internal sealed record MakingNews(string Step, string State, string? Detail = null, double? Took = null)
{
    public const string Begun = "begun";
    public const string Said = "said";
    public const string Waiting = "waiting";
    public const string DoneState = "done";

    public string ToLine() => State switch
    {
        DoneState => string.Create(CultureInfo.InvariantCulture, $"{Step}: done ({Took:F1} s){(Detail is null ? "" : $": {Detail}")}"),
        Waiting => $"{Step}: waiting for {Detail}",
        Said => $"  {Detail}",
        _ => Detail is null ? $"{Step} ..." : $"{Step}: {Detail} ...",
    };
}

internal static class MakingWords
{
    /// <summary>A step as it is told.</summary>
    public static string Of(MakingStep step) => step switch
    {
        MakingStep.Key => "maintenance key",
        MakingStep.Firewall => "firewall",
        MakingStep.Rules => "firewall rules",
        MakingStep.Machine => "machine",
        MakingStep.Recognise => "machine of an earlier run",
        MakingStep.Start => "start",
        MakingStep.HostKey => "host key",
        MakingStep.Install => "installation",
        MakingStep.Pin => "pin",
        MakingStep.Credential => "running credential",
        MakingStep.Stop => "stop",
        MakingStep.Snapshot => "golden snapshot",
        MakingStep.Destroy => "destroy",
        MakingStep.Forget => "machine that is gone",
        MakingStep.Finish => "all",
        _ => step.ToString(),
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MakingNews))]
internal sealed partial class MakingNewsJson : JsonSerializerContext;
