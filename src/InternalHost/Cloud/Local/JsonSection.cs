using System.Collections.Immutable;
using System.Text.Json;

namespace InternalHost.Cloud.Local;

/// <summary>
/// One JSON object that is read key by key. Mistakes are gathered, not thrown, so that all are told at once; each names key, value and reason.
/// </summary>
internal sealed class JsonSection
{
    private const int LongestShown = 80;
    private readonly string _path;
    private readonly List<string> _mistakes;
    private readonly Dictionary<string, JsonElement> _left = new(StringComparer.Ordinal);

    public JsonSection(JsonElement element, string path, List<string> mistakes)
    {
        (_path, _mistakes) = (path, mistakes);
        if (element.ValueKind != JsonValueKind.Object)
        {
            Mistake(path.Length == 0 ? "settings" : path, element, "an object { } is wanted");
            return;
        }

        foreach (var property in element.EnumerateObject())
        {
            if (!_left.TryAdd(property.Name, property.Value))
            {
                Mistake(Key(property.Name), property.Value, "given twice");
            }
        }
    }

    public string Text(string key, string fallback) => Take(key) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.String } e => e.GetString()!,
        { } e => Wrong(key, e, "a text is wanted", fallback),
    };

    public string? Required(string key)
    {
        if (!_left.ContainsKey(key))
        {
            _mistakes.Add($"{Key(key)}: missing");
            return null;
        }

        return Text(key, "");
    }

    public TimeSpan Seconds(string key, TimeSpan fallback) => SecondsOrNone(key, fallback) ?? TimeSpan.Zero;

    /// <summary>JSON's null is none.</summary>
    public TimeSpan? SecondsOrNone(string key, TimeSpan? fallback) => Take(key) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.Number } e when e.TryGetDouble(out var s) && s is >= 0 and <= 86_400 => TimeSpan.FromSeconds(s),
        { } e => Wrong(key, e, "seconds between 0 and 86400 are wanted", fallback),
    };

    public bool Flag(string key, bool fallback) => Take(key) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } e => Wrong(key, e, "true or false is wanted", fallback),
    };

    public int Count(string key, int fallback, int most) => Take(key) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.Number } e when e.TryGetInt32(out var n) && n >= 0 && n <= most => n,
        { } e => Wrong(key, e, $"a whole number between 0 and {most} is wanted", fallback),
    };

    public T Choice<T>(string key, T fallback, IReadOnlyDictionary<string, T> choices) => Take(key) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.String } e when choices.TryGetValue(e.GetString()!, out var choice) => choice,
        { } e => Wrong(key, e, $"one of {string.Join(", ", choices.Keys)} is wanted", fallback),
    };

    /// <param name="read">Null where an element cannot be used.</param>
    public ImmutableArray<T> List<T>(string key, Func<JsonElement, T?> read, string wanted)
        where T : class
    {
        if (Take(key) is not { } list)
        {
            return [];
        }

        if (list.ValueKind != JsonValueKind.Array)
        {
            return Wrong(key, list, "a list [ ] is wanted", ImmutableArray<T>.Empty);
        }

        return [.. list.EnumerateArray().Select((e, n) => read(e) ?? Wrong<T?>($"{key}[{n}]", e, wanted, null)).OfType<T>()];
    }

    public JsonSection? Section(string key) => Take(key) is { } e ? new JsonSection(e, Key(key), _mistakes) : null;

    public IReadOnlyCollection<string> Keys => _left.Keys;

    public void Mistake(string key, string reason) => _mistakes.Add($"{Key(key)}: {reason}");

    /// <summary>Whatever nobody asked for is a mistake.</summary>
    public void End()
    {
        foreach (var (key, value) in _left)
        {
            Mistake(Key(key), value, "unknown key");
        }
    }

    private JsonElement? Take(string key) => _left.Remove(key, out var e) ? e : null;

    private T Wrong<T>(string key, JsonElement value, string reason, T fallback)
    {
        Mistake(Key(key), value, reason);
        return fallback;
    }

    private string Key(string key) => _path.Length == 0 ? key : $"{_path}.{key}";

    private void Mistake(string key, JsonElement value, string reason)
    {
        var shown = value.ValueKind == JsonValueKind.Undefined ? "nothing" : value.GetRawText();
        _mistakes.Add($"{key}: {(shown.Length > LongestShown ? shown[..LongestShown] + "..." : shown)}: {reason}");
    }
}
