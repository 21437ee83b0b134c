using System.Text.Json;
using Common;
using Common.Sync;

namespace Bastion.People;

/// <summary>The bytes of a bundle to the bundle, of which nothing is null that may not be. What its values say is <see cref="BundleRules"/>'.</summary>
[PureCore]
internal static class BundleReader
{
    /// <exception cref="BundleRefused">Broken, or of another format.</exception>
    public static Bundle Read(ReadOnlySpan<byte> json)
    {
        RefuseOtherFormat(json);
        try
        {
            return JsonSerializer.Deserialize(json, BundleJson.Default.Bundle) is { } bundle && IsWhole(bundle)
                ? bundle
                : throw new BundleRefused(SyncRefusal.Broken, "the bundle is not as its format says: null stands where something must");
        }
        catch (JsonException e)
        {
            throw new BundleRefused(SyncRefusal.Broken, $"the bundle is not as its format says, at {e.Path ?? "its beginning"}");
        }
    }

    /// <summary>First: a format of the future need have nothing in common with ours but this field.</summary>
    private static void RefuseOtherFormat(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("format", out var format)
                && format.ValueKind == JsonValueKind.Number && !(format.TryGetInt32(out var number) && number == Bundle.CurrentFormat))
            {
                throw new BundleRefused(SyncRefusal.Format, $"the bundle is of format {format.GetRawText()}, this bastion reads {Bundle.CurrentFormat}: upgrade bastion on the VM");
            }
        }
        catch (JsonException)
        {
            throw new BundleRefused(SyncRefusal.Broken, "the bundle is no JSON");
        }
    }

    /// <summary>The serializer looks at what is said of a property, not of what is in a list.</summary>
    private static bool IsWhole(Bundle bundle) =>
        All(bundle.People) && All(bundle.Services) && All(bundle.Networks) && All(bundle.Allow) && All(bundle.Secrets.Values)
        && bundle.People.All(p => All(p.Devices)) && (bundle.Messages is not { } messages || (All(messages.Order) && All(messages.Channels.Values) && messages.Channels.Values.All(c => All(c.Values))));

    private static bool All(IEnumerable<object?>? items) => items?.All(i => i is not null) == true;
}
