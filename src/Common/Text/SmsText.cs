using System.Text;

namespace Common.Text;

/// <summary>One piece of a text message. Pieces with an order may be left out, lowest order first, until the message fits.</summary>
/// <param name="Order">0: always said.</param>
public readonly record struct SmsPart(string Text, int Order)
{
    public static SmsPart Keep(string text) => new(text, 0);

    public static SmsPart Optional(int order, string text) => new(text, order);

    public static implicit operator SmsPart(string text) => Keep(text);
}

/// <summary>
/// Text messages of one segment: 160 septets of the GSM 7-bit alphabet, ending in <c> #ID</c>, by which the message is found again.
/// </summary>
[PureCore]
public static class SmsText
{
    public const int OneSegment = 160;

    /// <summary>What the message costs; characters of the extension table cost two.</summary>
    /// <exception cref="ArgumentException">A character is outside the alphabet: the text did not come through this class.</exception>
    public static int Septets(string text)
    {
        var sum = 0;
        foreach (var c in text)
        {
            var septets = Gsm7.Septets(c);
            sum += septets > 0 ? septets : throw new ArgumentException($"U+{(int)c:X4} is not in the GSM 7-bit alphabet", nameof(text));
        }

        return sum;
    }

    public static bool IsGsm7(string text) => text.All(c => Gsm7.Septets(c) > 0);

    /// <summary>Into the alphabet, letter by letter: é stays, ř becomes r, another script becomes '?'. Brackets stay (an IPv6 address needs them).</summary>
    public static string ToGsm7(string text)
    {
        if (IsGsm7(text))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.IsBmp && Gsm7.Septets((char)rune.Value) > 0 ? result.Append((char)rune.Value) : result.Append(Gsm7.Nearest(rune.Value));
        }

        return result.ToString();
    }

    /// <summary>
    /// A value from outside as it goes into a message: sanitised, one septet a character (brackets and the like cost two), and at
    /// most <paramref name="limit"/> characters, the last of them a dot where something was cut.
    /// </summary>
    public static string Field(string? raw, int limit)
    {
        var text = string.Concat(ToGsm7(SafeText.Clean(raw)).Select(Cheap));
        return text.Length <= limit ? text : text[..(limit - 1)] + ".";
    }

    /// <summary>
    /// A <see cref="Field"/> that somebody else may have chosen: no telephone makes a link of it, and no carrier takes the message for
    /// bait. <c>http://evil.com</c> becomes <c>http: //evil. com</c>.
    /// </summary>
    public static string Name(string? raw, int limit)
    {
        var text = Field(raw, int.MaxValue);
        var apart = string.Concat(text.Select((c, i) => IsLink(c, text.ElementAtOrDefault(i + 1)) ? $"{c} " : $"{c}"));
        return Field(apart, limit);
    }

    /// <summary>
    /// Joins the parts in the order given and adds <c> #ID</c>. While it is too long, the optional part with the lowest order falls
    /// away. Should even the kept parts not fit, they are cut: the id is never lost.
    /// </summary>
    public static string Fit(string alertId, params ReadOnlySpan<SmsPart> parts)
    {
        var kept = new List<SmsPart>(parts.Length);
        foreach (var part in parts)
        {
            kept.Add(part with { Text = ToGsm7(part.Text) });
        }

        var end = " #" + alertId;
        while (Septets(Join(kept, end)) > OneSegment && kept.Any(p => p.Order > 0))
        {
            kept.Remove(kept.Where(p => p.Order > 0).MinBy(p => p.Order));
        }

        return Cut(Join(kept, ""), OneSegment - Septets(end)) + end;
    }

    /// <summary>Do the kept parts fit, so that nothing would be cut?</summary>
    public static bool Fits(string alertId, params ReadOnlySpan<string> parts) =>
        Septets(ToGsm7(string.Concat(parts)) + " #" + alertId) <= OneSegment;

    private static bool IsLink(char c, char next) => (c, next) is (':', '/') || (c == '.' && char.IsLetter(next));

    private static string Join(List<SmsPart> parts, string end) => string.Concat(parts.Select(p => p.Text)) + end;

    private static string Cut(string text, int septets)
    {
        while (Septets(text) > septets)
        {
            text = text[..^1];
        }

        return text;
    }

    private static char Cheap(char c) => c switch
    {
        '[' or '{' => '(',
        ']' or '}' => ')',
        '\\' or '|' => '/',
        '~' or '^' => '-',
        '€' => 'E',
        _ => c,
    };
}
