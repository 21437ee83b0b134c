using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Common;
using Common.Text;

namespace InternalHost.Cloud.Inventory;

/// <summary><c>internalhost cloud list</c>.</summary>
[PureCore]
internal static class InventoryText
{
    private const int LongestName = 40;

    public static string Render(string site, CloudInventory inventory)
    {
        var text = new StringBuilder();
        if (inventory.Things.IsEmpty)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"nothing bears the tag or the name of {site}. Next: internalhost cloud create");
        }

        foreach (var thing in inventory.Things)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{(thing.Used ? "used     " : "FORGOTTEN")}  {Word(thing.Kind),-8}  {thing.Id,-22}  {thing.State,-10}  {thing.MonthUsd,6:0.00} USD a month  {SafeText.Clean(thing.Name, LongestName)}");
        }

        if (inventory.Forgotten.FirstOrDefault() is { } forgotten)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"Nobody uses what is FORGOTTEN, {inventory.Forgotten.Sum(t => t.MonthUsd):0.00} USD a month. To remove one for ever: internalhost cloud discard {forgotten.Id} --yes");
        }

        foreach (var kind in inventory.Unseen)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"our key may not list what there is of kind {Word(kind)}: give it the policy of docs/cloud.md");
        }

        return text.ToString();
    }

    public static InventoryReport Report(CloudInventory inventory) => new(
        [.. inventory.Things.Select(t => new InventoryLine(Word(t.Kind), t.Id, t.Name, t.State, t.Used, Math.Round(t.MonthUsd, 2)))],
        Math.Round(inventory.Forgotten.Sum(t => t.MonthUsd), 2), [.. inventory.Unseen.Select(Word)]);

    public static string Word(CloudThingKind kind) => kind switch
    {
        CloudThingKind.Machine => "machine",
        CloudThingKind.Snapshot => "snapshot",
        CloudThingKind.Volume => "volume",
        CloudThingKind.Address => "address",
        _ => "thing",
    };
}

internal sealed record InventoryLine(string Kind, string Id, string Name, string State, bool Used, decimal MonthUsd);

internal sealed record InventoryReport(ImmutableArray<InventoryLine> Things, decimal ForgottenMonthUsd, ImmutableArray<string> Unseen);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(InventoryReport))]
internal sealed partial class InventoryJson : JsonSerializerContext;
