using System.Collections.Immutable;
using System.Text.Json;
using Common;

namespace Bastion.People;

/// <summary>Somebody has opened a loopback port.</summary>
/// <param name="Ago">Before the notes were read.</param>
internal sealed record ReachedNote(int Uid, int Port, TimeSpan Ago);

/// <summary>
/// The firewall's notes as <c>nft -j list set inet bastion reached</c> prints them: each pair of account and port once in <see cref="Window"/>, with the time that it
/// has left.
/// <code>{"nftables": [{"metainfo": {...}}, {"set": {..., "elem": [{"elem": {"val": {"concat": [1001, 22001]}, "expires": 597}}]}}]}</code>
/// </summary>
[PureCore]
internal static class ReachedSet
{
    public const string Name = "reached";

    /// <summary>Reconnecting in it is one visit; ten times longer than the notes may stay unread.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    /// <summary>Pairs: as many people as a bundle may have, times all ports of a site.</summary>
    public const int Most = 4096;

    /// <returns>What is not understood is left out.</returns>
    public static ImmutableArray<ReachedNote> Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return [.. Items(document.RootElement, "nftables").SelectMany(o => o.TryGetProperty("set", out var set) ? Items(set, "elem") : []).Select(Note).OfType<ReachedNote>()];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static IEnumerable<JsonElement> Items(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var items) && items.ValueKind == JsonValueKind.Array
            ? items.EnumerateArray().Where(i => i.ValueKind == JsonValueKind.Object) : [];

    private static ReachedNote? Note(JsonElement item) =>
        item.TryGetProperty("elem", out var elem) && elem.ValueKind == JsonValueKind.Object && elem.TryGetProperty("val", out var value)
        && Items(value) is [var uid, var port] && Number(uid) is { } account && Number(port) is { } number
        && elem.TryGetProperty("expires", out var expires) && Number(expires) is { } seconds
            ? new ReachedNote(account, number, Window - TimeSpan.FromSeconds(Math.Clamp(seconds, 0, (int)Window.TotalSeconds))) : null;

    private static JsonElement[] Items(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty("concat", out var pair) && pair.ValueKind == JsonValueKind.Array ? [.. pair.EnumerateArray()] : [];

    private static int? Number(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null;
}
