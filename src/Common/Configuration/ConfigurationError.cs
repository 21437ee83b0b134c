using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

namespace Common.Configuration;

/// <summary>One mistake in a configuration, told to the person who made it.</summary>
/// <param name="Key">Where: <c>uplinks.primary.address</c>, <c>services[2]</c>; <c>(file)</c> for the whole.</param>
/// <param name="Value">What stands there; masked where it may be a secret.</param>
/// <param name="Reason">What is wrong and, where there is one, the cure.</param>
/// <param name="Line">Counted from 1; 0 where there is no line.</param>
public sealed record ConfigurationError(string Key, string Value, string Reason, int Line)
{
    private const int MaxShown = 120;

    /// <summary><c>KEY TAB VALUE TAB REASON</c>: one line, whatever the file holds.</summary>
    public string ToLine() => $"{OneLine(Key)}\t{OneLine(Value)}\t{OneLine(Reason)}{(Line > 0 ? $" (line {Line})" : "")}";

    /// <summary>Control characters must reach neither a terminal nor a script that counts tabs.</summary>
    private static string OneLine(string text)
    {
        var line = new StringBuilder(Math.Min(text.Length, MaxShown + 3));
        foreach (var c in text.Length > MaxShown * 3 ? text.AsSpan(0, MaxShown * 3) : text)
        {
            line.Append(char.IsControl(c) || char.IsSurrogate(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? '?' : c);
        }

        return text.Length > MaxShown * 3 ? line.Append("...").ToString() : line.ToString();
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ConfigurationError))]
[JsonSerializable(typeof(IReadOnlyList<ConfigurationError>))]
public sealed partial class ConfigurationJson : JsonSerializerContext;

/// <summary>A configuration that cannot be used, with every reason.</summary>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationError> errors)
    : Exception(string.Join('\n', errors.Select(e => e.ToLine())))
{
    public IReadOnlyList<ConfigurationError> Errors { get; } = errors;
}

/// <summary>Collects all mistakes, so that nobody mends a file one error at a time.</summary>
public sealed class ConfigurationErrors
{
    private const int MaxErrors = 200;

    private readonly List<ConfigurationError> _errors = [];

    public bool Any => _errors.Count > 0;

    public IReadOnlyList<ConfigurationError> All => [.. _errors.OrderBy(e => e.Line == 0 ? int.MaxValue : e.Line)];

    /// <summary>The value is masked here where its key or its looks say that it may be secret.</summary>
    public void Add(string key, string value, string reason, int line)
    {
        if (_errors.Count < MaxErrors)
        {
            _errors.Add(new ConfigurationError(key, Masking.Show(key, value), reason, line));
        }
    }
}
