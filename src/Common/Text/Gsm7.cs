namespace Common.Text;

/// <summary>
/// The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1), and the nearest letter of it for what is outside.
/// One character outside turns the whole message into UCS-2, where a segment holds 70.
/// </summary>
internal static class Gsm7
{
    private const string Basic =
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

    private const string Extension = "^{}\\[~]|€";

    /// <summary>From U+00A0 on: the letter below the accents, or '?'.</summary>
    private const string Latin =
        " ?????/??ca\"??r?o?23'u?.?1o\"????AAAAAA?CEEEEIIIIDNOOOOOx?UUUUYT?" +
        "aaaaaa?ceeeeiiiidnooooo/?uuuuytyAaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGg" +
        "GgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlLlLlNnNnNnnNnOoOoOo??RrRrRrSsSsSs" +
        "SsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzsbBBb???CcDDDd?EEEFfG???IKkl??NnO" +
        "Oo??Pp?????tTtTUu?VYyZz?????????/??!DDdLLlNNnAaIiOoUuUuUuUuUu?Aa" +
        "AaAaGgGgKkOoOo??jDDdGg??NnAaAaOoAaAaEeEeIiIiOoOoRrRrUuUuSsTt??Hh" +
        "Nd??ZzAaEeOoOoOoOoYy??????ACcLT????BU?EeJj??RrYy";

    /// <summary>From U+1E00 on (Latin Extended Additional, Vietnamese among them).</summary>
    private const string LatinAdditional =
        "AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMm" +
        "MmMmNnNnNnNnOoOoOoOoPpPpRrRrRrRrSsSsSsSsSsTtTtTtTtUuUuUuUuUuVvVv" +
        "WwWwWwWwWwXxXxYyZzZzZzhtwyas??S?AaAaAaAaAaAaAaAaAaAaAaAaEeEeEeEe" +
        "EeEeEeEeIiIiOoOoOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyYy??????";

    /// <summary>1, 2 for the extension table, 0 for what is not in the alphabet. Line feed and carriage return count as outside: a message is one line.</summary>
    public static int Septets(char c) => c switch
    {
        '\n' or '\r' => 0,
        _ when Basic.Contains(c, StringComparison.Ordinal) => 1,
        _ when Extension.Contains(c, StringComparison.Ordinal) => 2,
        _ => 0,
    };

    /// <summary>The nearest text of the alphabet for a character outside it.</summary>
    public static string Nearest(int codePoint) => codePoint switch
    {
        0x0152 => "OE",
        0x0153 => "oe",
        0x0132 => "IJ",
        0x0133 => "ij",
        0x00DE => "Th",
        0x00FE => "th",
        0x0060 or 0x2018 or 0x2019 or 0x201A or 0x2032 => "'",
        0x201C or 0x201D or 0x201E or 0x2033 => "\"",
        >= 0x2010 and <= 0x2015 or 0x2212 => "-",
        0x2026 => "...",
        0x2022 => "*",
        0x2044 => "/",
        0x2192 => "->",
        >= 0x00A0 and < 0x0250 => Latin[codePoint - 0x00A0].ToString(),
        >= 0x1E00 and < 0x1F00 => LatinAdditional[codePoint - 0x1E00].ToString(),
        _ => "?",
    };
}
