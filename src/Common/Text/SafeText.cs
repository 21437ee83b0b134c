using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Common.Text;

/// <summary>
/// The one sanitiser, used wherever words from outside (a login name, a log line, a gateway's answer) reach a screen, a log, a
/// message or a file. What comes out is one line of visible characters: nothing in it moves a cursor, turns the reading direction,
/// hides, or forges a second line. Applying it twice changes nothing.
/// </summary>
/// <remarks>
/// No Unicode normalisation: the programs run with invariant globalisation, where String.Normalize returns its input unchanged
/// (tried on .NET 10). Two spellings of one name therefore stay two names, and both are flagged as non-ASCII by
/// <see cref="Name"/>. A backslash is not doubled: that would make the function unsafe to apply twice, and an escape read as text harms nobody.
/// </remarks>
[PureCore]
public static class SafeText
{
    public const int NameCap = 32;
    public const int HostCap = 64;
    public const int LineCap = 512;

    private const string CutMark = "...";

    /// <summary>More marks on one letter than any living orthography needs pile up over the lines above and below.</summary>
    private const int MarksOnOneLetter = 2;

    /// <summary>Letters and marks by category that show as nothing: Hangul fillers, the Braille blank, joiners and variation selectors.</summary>
    private static readonly ImmutableArray<(int First, int Last)> Invisible =
    [
        (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164),
        (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0000, 0xE0FFF),
    ];

    /// <summary>Decodes strictly: a byte that is not UTF-8 shows as \xNN.</summary>
    public static string Clean(ReadOnlySpan<byte> utf8, int cap = LineCap)
    {
        var line = new Line(cap);
        while (!utf8.IsEmpty && !line.Full)
        {
            var status = Rune.DecodeFromUtf8(utf8, out var rune, out var used);
            if (status == OperationStatus.Done)
            {
                line.Add(rune);
            }
            else
            {
                line.AddBytes(utf8[..used]);
            }

            utf8 = utf8[used..];
        }

        return line.ToString();
    }

    /// <param name="cap">At most this many characters come out, the last three being dots where something was cut.</param>
    public static string Clean(string? text, int cap = LineCap)
    {
        var line = new Line(cap);
        var rest = text.AsSpan();
        while (!rest.IsEmpty && !line.Full)
        {
            if (Rune.DecodeFromUtf16(rest, out var rune, out var used) == OperationStatus.Done)
            {
                line.Add(rune);
            }
            else
            {
                line.AddEscape(rest[0]);
            }

            rest = rest[used..];
        }

        return line.ToString();
    }

    /// <summary>A name as it may be shown, and whether it is what it looks like: letters of other scripts can mimic Latin ones.</summary>
    public static SafeName Name(string? raw, int cap = NameCap)
    {
        var shown = Clean(raw, cap);
        return new SafeName(shown, NonAscii: !Ascii.IsValid(raw.AsSpan()), Altered: !string.Equals(shown, raw ?? "", StringComparison.Ordinal));
    }

    /// <summary>Can this be shown as it is?</summary>
    private static bool Visible(Rune rune) => rune.Value == ' ' || (Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.SpaceSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate)
        && !ShowsNothing(rune));

    private static bool ShowsNothing(Rune rune)
    {
        foreach (var (first, last) in Invisible)
        {
            if (rune.Value >= first && rune.Value <= last)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsMark(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark;

    /// <summary>Collects units (a character or a whole escape), so that a cut never leaves half of one.</summary>
    private sealed class Line(int cap)
    {
        private readonly List<string> _units = [];
        private int _length;

        /// <summary>A line starts as if its first letter had its marks already: they would sit on the quote before it.</summary>
        private int _marks = MarksOnOneLetter;

        /// <summary>Nothing that follows can be shown: a name of a megabyte costs no more than one of the cap.</summary>
        public bool Full => _length > cap;

        public void Add(Rune rune)
        {
            var mark = IsMark(rune);
            _marks = mark ? _marks + 1 : 0;
            if (Visible(rune) && _marks <= MarksOnOneLetter)
            {
                Append(rune.ToString());
            }
            else
            {
                AddEscape(rune.Value);
            }
        }

        public void AddEscape(int value) => Append(value < 0x80 ? $"\\x{value:X2}" : $"\\u{{{value:X}}}");

        public void AddBytes(ReadOnlySpan<byte> bytes)
        {
            foreach (var b in bytes)
            {
                Append($"\\x{b:X2}");
            }
        }

        public override string ToString()
        {
            if (_length <= cap)
            {
                return string.Concat(_units);
            }

            var kept = new StringBuilder();
            foreach (var unit in _units.TakeWhile(unit => kept.Length + unit.Length <= cap - CutMark.Length))
            {
                kept.Append(unit);
            }

            return kept.Append(CutMark).ToString();
        }

        private void Append(string unit)
        {
            _units.Add(unit);
            _length += unit.Length;
            _marks = unit.Length > 2 ? MarksOnOneLetter : _marks;
        }
    }
}

/// <param name="Shown">Safe to print.</param>
/// <param name="NonAscii">Holds letters that may only look like the ones the reader expects.</param>
/// <param name="Altered">Not shown as it came.</param>
public readonly record struct SafeName(string Shown, bool NonAscii, bool Altered)
{
    /// <summary>A name to be wary of.</summary>
    public bool Odd => NonAscii || Altered;
}
