using System.Collections.Immutable;
using Common.Text;

namespace Common.Alerts;

/// <summary>One line of what is known about an alert. Sanitised when made: one line each, safe at every sink.</summary>
/// <param name="Label">In small letters: <c>key</c>, <c>from</c>, <c>why</c>.</param>
public readonly record struct AlertDetail(string Label, string Value)
{
    private const int LabelCap = 32;

    /// <summary>Nothing for a value that is not known.</summary>
    public static IEnumerable<AlertDetail> Of(string label, string? value) =>
        string.IsNullOrEmpty(value) ? [] : [new AlertDetail(SafeText.Clean(label, LabelCap), SafeText.Clean(value))];

    /// <summary>As they are stored: a line each, a tab behind the label. Neither can be in a sanitised text.</summary>
    internal static string? Write(ImmutableArray<AlertDetail> details) =>
        details.IsDefaultOrEmpty ? null : string.Join('\n', details.Select(d => $"{d.Label}\t{d.Value}"));

    internal static ImmutableArray<AlertDetail> Read(string? text) => text is null
        ? []
        : [.. text.Split('\n').Select(line => line.Split('\t', 2)).Select(parts => new AlertDetail(parts[0], parts.ElementAtOrDefault(1) ?? ""))];
}
