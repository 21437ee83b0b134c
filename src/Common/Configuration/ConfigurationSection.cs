using System.Collections.Immutable;

namespace Common.Configuration;

/// <summary>What became of reading one value: the value, or what is wrong with it.</summary>
public readonly record struct Reading<T>(T? Value, string? Problem)
{
    public static implicit operator Reading<T>(T value) => new(value, null);

    public static implicit operator Reading<T>(Misread misread) => new(default, misread.Problem);
}

/// <summary>A value that could not be read, whatever its type should have been.</summary>
public readonly record struct Misread(string Problem);

public static class Reading
{
    public static Misread Bad(string problem) => new(problem);
}

/// <summary>
/// One section being read. Every read notes its key; <see cref="Close"/> then tells the keys that nobody asked for. All mistakes
/// go to one list; what is returned after a mistake is a placeholder and must not be used.
/// </summary>
public sealed class ConfigurationSection
{
    private readonly string _path;
    private readonly ConfigurationErrors _errors;
    private readonly ImmutableArray<ConfigurationNode.Entry> _entries;
    private readonly List<string> _known = [];

    public ConfigurationSection(string path, ConfigurationNode.Map? map, ConfigurationErrors errors, int line = 0)
    {
        _path = path;
        _errors = errors;
        _entries = map?.Entries ?? [];
        Line = map?.Line ?? line;
    }

    public int Line { get; }

    /// <summary>Every entry, for sections whose keys are names that the owner gives.</summary>
    public ImmutableArray<ConfigurationNode.Entry> Entries => _entries;

    public string KeyOf(string name) => YamlTree.Join(_path, name);

    public bool Has(string key) => Find(key) is not null;

    public int LineOf(string key) => Find(key)?.Line ?? Line;

    public void Fail(string key, string value, string reason) => _errors.Add(KeyOf(key), value, reason, LineOf(key));

    /// <summary>The value, or <paramref name="fallback"/> where the key is left out.</summary>
    public T Get<T>(string key, Func<string, Reading<T>> read, T fallback) =>
        Find(key) is { } entry ? Scalar(KeyOf(key), entry.Value, entry.Line, read) is { Problem: null } good ? good.Value! : fallback : fallback;

    /// <summary>The value, or null where the key is left out.</summary>
    public T? Optional<T>(string key, Func<string, Reading<T>> read)
        where T : class => Find(key) is { } entry ? Scalar(KeyOf(key), entry.Value, entry.Line, read).Value : null;

    /// <inheritdoc cref="Optional{T}"/>
    public T? OptionalValue<T>(string key, Func<string, Reading<T>> read)
        where T : struct => Find(key) is { } entry && Scalar(KeyOf(key), entry.Value, entry.Line, read) is { Problem: null } good ? good.Value : null;

    /// <summary>The value; a key that is left out is a mistake, told with <paramref name="hint"/>.</summary>
    public T? Need<T>(string key, Func<string, Reading<T>> read, string hint)
    {
        if (Find(key) is not { } entry)
        {
            _errors.Add(KeyOf(key), "", $"is missing: {hint}", Line);
            return default;
        }

        return Scalar(KeyOf(key), entry.Value, entry.Line, read).Value;
    }

    /// <summary>A list of values; one value alone counts as a list of one.</summary>
    public ImmutableArray<T> List<T>(string key, Func<string, Reading<T>> read, ImmutableArray<T> fallback)
    {
        if (Find(key) is not { } entry)
        {
            return fallback;
        }

        if (entry.Value is not ConfigurationNode.List list)
        {
            return Scalar(KeyOf(key), entry.Value, entry.Line, read) is { Problem: null } one ? [one.Value!] : fallback;
        }

        if (list.Items.IsEmpty)
        {
            Fail(key, "", "is an empty list: leave the key out instead");
        }

        return [.. list.Items.Select((item, i) => Scalar($"{KeyOf(key)}[{i + 1}]", item, item.Line, read))
            .Where(r => r.Problem is null).Select(r => r.Value!)];
    }

    /// <summary>A section below this one; empty where it is left out.</summary>
    public ConfigurationSection Section(string key)
    {
        if (Find(key) is not { } entry)
        {
            return new ConfigurationSection(KeyOf(key), null, _errors, Line);
        }

        return Below(KeyOf(key), entry);
    }

    /// <summary>The section that <paramref name="entry"/> (of <see cref="Entries"/>) holds.</summary>
    public ConfigurationSection Below(ConfigurationNode.Entry entry) => Below(KeyOf(entry.Key), entry);

    /// <summary>One scalar of <see cref="Entries"/>.</summary>
    public Reading<T> Scalar<T>(ConfigurationNode.Entry entry, Func<string, Reading<T>> read) =>
        Scalar(KeyOf(entry.Key), entry.Value, entry.Line, read);

    /// <summary>Tells every key that no read asked for. Call it when all reads are done.</summary>
    public void Close()
    {
        foreach (var entry in _entries.Where(e => !_known.Contains(e.Key)))
        {
            var nearest = DidYouMean.Nearest(entry.Key, _known);
            var hint = nearest is null ? $"known here: {string.Join(", ", _known)}" : $"did you mean {nearest}?";
            _errors.Add(KeyOf(entry.Key), entry.Value.Shown, $"is not a key that is known: {hint}", entry.Line);
        }
    }

    private ConfigurationNode.Entry? Find(string key)
    {
        if (!_known.Contains(key))
        {
            _known.Add(key);
        }

        return _entries.FirstOrDefault(e => e.Key == key);
    }

    private ConfigurationSection Below(string path, ConfigurationNode.Entry entry)
    {
        if (entry.Value is ConfigurationNode.Map map)
        {
            return new ConfigurationSection(path, map, _errors);
        }

        _errors.Add(path, entry.Value.Shown, entry.Value.IsEmpty ? "has nothing below it" : $"must be a section, not {entry.Value.Kind}", entry.Line);
        return new ConfigurationSection(path, null, _errors, entry.Line);
    }

    private Reading<T> Scalar<T>(string path, ConfigurationNode node, int line, Func<string, Reading<T>> read)
    {
        var reading = node switch
        {
            { IsEmpty: true } => Reading.Bad("has no value"),
            ConfigurationNode.Scalar scalar => read(scalar.Text),
            _ => Reading.Bad($"must be one value, not {node.Kind}"),
        };
        if (reading.Problem is { } problem)
        {
            _errors.Add(path, node.Shown, problem, line);
        }

        return reading;
    }
}
