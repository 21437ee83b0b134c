using System.Globalization;

namespace Common.Configuration;

/// <summary>Numbers with their unit written out: durations, rates, sizes.</summary>
[PureCore]
public static class Quantities
{
    private static readonly TimeSpan LongestDuration = TimeSpan.FromDays(3660);

    /// <summary>One or several parts: <c>8s</c>, <c>7.8 s</c>, <c>10m</c>, <c>1h30m</c>, <c>4 weeks</c>.</summary>
    public static Reading<TimeSpan> Duration(string text)
    {
        var rest = text.AsSpan().Trim();
        var seconds = 0.0;
        var parts = 0;
        for (; rest.Length > 0; parts++)
        {
            if (!TakeNumber(ref rest, out var number) || !TakeUnit(ref rest, SecondsIn, out var unit))
            {
                return Reading.Bad("must be a time with its unit, such as 8s, 10m or 2h");
            }

            seconds += number * unit;
        }

        return parts is 0 or > 4
            ? Reading.Bad("must be a time with its unit, such as 8s, 10m or 2h")
            : seconds > LongestDuration.TotalSeconds ? Reading.Bad("is longer than ten years") : TimeSpan.FromMilliseconds(Math.Round(seconds * 1000));
    }

    /// <summary>A duration between two bounds, both included.</summary>
    public static Func<string, Reading<TimeSpan>> DurationBetween(TimeSpan least, TimeSpan most) => text =>
        Duration(text) is { Problem: null } good && (good.Value < least || good.Value > most)
            ? Reading.Bad($"must be between {Say(least)} and {Say(most)}")
            : Duration(text);

    /// <summary><c>2 Mbit/s</c>, <c>500 kbit/s</c>: bits per second.</summary>
    public static Reading<long> BitsPerSecond(string text) =>
        Single(text, BitsIn) is { } bits ? bits : Reading.Bad("must be a rate such as 2 Mbit/s or 500 kbit/s");

    /// <summary><c>10 GB</c>, <c>500 MB</c>, <c>1 GiB</c>: bytes.</summary>
    public static Reading<long> Bytes(string text) =>
        Single(text, BytesIn) is { } bytes ? bytes : Reading.Bad("must be a size such as 10 GB or 500 MB");

    public static Func<string, Reading<int>> WholeBetween(int least, int most) => text =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : Reading.Bad($"must be a whole number from {least} to {most}");

    /// <summary>The way a person would write it in the file: <c>7.8s</c>, <c>10m</c>, <c>2h</c>, <c>1h30m</c>.</summary>
    public static string Say(TimeSpan span)
    {
        if (span < TimeSpan.FromMinutes(1))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.###}s");
        }

        var (hours, minutes, seconds) = ((long)span.TotalHours, span.Minutes, span.Seconds);
        return (hours, minutes, seconds) switch
        {
            ( >= 48, 0, 0) when hours % 24 == 0 => $"{hours / 24}d",
            (0, _, 0) => $"{minutes}m",
            (0, _, _) => $"{minutes}m{seconds}s",
            (_, 0, _) => $"{hours}h",
            _ => $"{hours}h{minutes}m",
        };
    }

    private static long? Single(string text, Func<string, double?> unitOf)
    {
        var rest = text.AsSpan().Trim();
        return TakeNumber(ref rest, out var number) && unitOf(rest.Trim().ToString()) is { } unit && number * unit is >= 1 and < 1e18 and var total
            ? (long)Math.Round(total)
            : null;
    }

    private static bool TakeNumber(ref ReadOnlySpan<char> rest, out double number)
    {
        var length = 0;
        while (length < rest.Length && (char.IsAsciiDigit(rest[length]) || rest[length] == '.'))
        {
            length++;
        }

        var digits = rest[..length];
        rest = rest[length..].TrimStart();
        number = 0;
        return length is > 0 and <= 15 && digits[0] != '.' && digits[^1] != '.'
            && double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
    }

    private static bool TakeUnit(ref ReadOnlySpan<char> rest, Func<string, double?> unitOf, out double unit)
    {
        var length = 0;
        while (length < rest.Length && char.IsAsciiLetter(rest[length]))
        {
            length++;
        }

        var found = length <= 10 ? unitOf(rest[..length].ToString()) : null;
        rest = rest[length..].TrimStart();
        unit = found ?? 0;
        return found is not null;
    }

    private static double? SecondsIn(string unit) => unit switch
    {
        "ms" => 0.001,
        "s" or "sec" or "second" or "seconds" => 1,
        "m" or "min" or "minute" or "minutes" => 60,
        "h" or "hour" or "hours" => 3600,
        "d" or "day" or "days" => 86_400,
        "w" or "week" or "weeks" => 604_800,
        _ => null,
    };

    private static double? BitsIn(string unit) => unit switch
    {
        "bit/s" => 1,
        "kbit/s" => 1e3,
        "Mbit/s" => 1e6,
        "Gbit/s" => 1e9,
        _ => null,
    };

    private static double? BytesIn(string unit) => unit switch
    {
        "B" => 1,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1024,
        "MiB" => 1024.0 * 1024,
        "GiB" => 1024.0 * 1024 * 1024,
        _ => null,
    };
}
