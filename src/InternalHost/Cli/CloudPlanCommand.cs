using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Common.Hosting;
using InternalHost.Cloud.Making;

namespace InternalHost.Cli;

/// <summary><c>internalhost cloud plan</c>: what would be made, what is there, which rights are missing; nothing is changed.</summary>
internal static class CloudPlanCommand
{
    public static Command Build()
    {
        var options = new CloudMakingOptions();
        var command = new Command("plan", """
            Show what would be made at the provider, and what of it is there. Changes nothing. With EC2 each right that
            will be needed is asked for (a dry run); exit 1 where one is missing.
            Examples: AWS_PROFILE=owner internalhost cloud plan
                      internalhost cloud plan --token-file - --json < token
            """);
        options.AddTo(command);
        command.SetAction((parsed, ct) => options.RunAsync(parsed, (desk, io) => RunAsync(desk, parsed.GetValue(options.Json), io, ct), ct));
        return command;
    }

    private static async Task<int> RunAsync(CloudMakingDesk desk, bool json, InvocationConfiguration io, CancellationToken ct)
    {
        var missing = await desk.Cloud.MissingRightsAsync(ct);
        var seen = await desk.Cloud.LookAsync(desk.Journal.Notes, everything: true, ct);
        var plan = new CloudPlan(desk.Provider, desk.Wish.Region, desk.Wish.Site, [.. desk.Cloud.Wanted.Select(PlannedThing.Of)], [.. RemovalRules.InOrder(seen.Things).Select(PlannedThing.Of)], missing);
        await io.Output.WriteLineAsync(json ? JsonSerializer.Serialize(plan, CloudPlanJson.Default.CloudPlan) : Text(plan, desk.Journal.Notes));
        return missing.Count == 0 ? ExitCode.Good : ExitCode.Failed;
    }

    private static string Text(CloudPlan plan, MakingNotes notes) => string.Join('\n', (IEnumerable<string>)
    [
        $"{plan.Provider}, {plan.Region}, site {plan.Site}",
        "wanted:",
        .. plan.Wanted.Select(t => $"  {t}"),
        plan.There.Count == 0 ? "there: nothing" : "there already:",
        .. plan.There.Select(t => $"  {t}"),
        .. plan.MissingRights.Count == 0 ? [] : (string[])["rights that this credential lacks:", .. plan.MissingRights.Select(r => $"  {r}")],
        notes.FinishedAt is not null ? "it is made; 'internalhost cloud create' would only mend what is missing" : "nothing was changed; 'internalhost cloud create' makes what is missing",
    ]);
}

/// <param name="Paid">It costs money while it is there.</param>
internal sealed record PlannedThing(string Kind, string Id, string? Detail, bool Paid)
{
    public static PlannedThing Of(Thing thing) => new(thing.Word, thing.Id, thing.Detail, thing.Paid);

    public override string ToString() => $"{Kind} {Id}{(Detail is null ? "" : $" ({Detail})")}{(Paid ? "   [costs money]" : "")}";
}

internal sealed record CloudPlan(
    string Provider, string Region, string Site, IReadOnlyList<PlannedThing> Wanted, IReadOnlyList<PlannedThing> There, IReadOnlyList<string> MissingRights);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CloudPlan))]
internal sealed partial class CloudPlanJson : JsonSerializerContext;
