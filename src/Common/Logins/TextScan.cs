using System.Globalization;

namespace Common.Logins;

/// <summary>
/// Reads a text once from left to right. By hand rather than by regular expression: strangers write these lines, and one pass costs
/// the same whatever they write.
/// </summary>
[PureCore]
internal ref struct TextScan(ReadOnlySpan<char> text)
{
    public ReadOnlySpan<char> Rest { get; private set; } = text;

    public readonly bool AtEnd => Rest.IsEmpty;

    public bool Literal(ReadOnlySpan<char> literal)
    {
        if (!Rest.StartsWith(literal, StringComparison.Ordinal))
        {
            return false;
        }

        Rest = Rest[literal.Length..];
        return true;
    }

    /// <summary>At least one character up to a space or the end.</summary>
    public bool Word(out ReadOnlySpan<char> word)
    {
        var space = Rest.IndexOf(' ');
        word = space < 0 ? Rest : Rest[..space];
        Rest = Rest[word.Length..];
        return !word.IsEmpty;
    }

    public bool Number(out ulong number)
    {
        var length = 0;
        while (length < Rest.Length && char.IsAsciiDigit(Rest[length]))
        {
            length++;
        }

        var ok = ulong.TryParse(Rest[..length], NumberStyles.None, CultureInfo.InvariantCulture, out number);
        Rest = Rest[length..];
        return ok;
    }
}
