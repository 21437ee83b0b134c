using System.Globalization;

namespace Common.Logins;

/// <summary>Which lines of a file are taken for sshd's own.</summary>
/// <param name="Private">The file belongs to a private sshd started with <c>-E</c>: a line without any prefix is sshd's.</param>
/// <param name="Now">For the year that a classic syslog line leaves out; its offset is the machine's.</param>
internal readonly record struct LineTrust(bool Private, DateTimeOffset Now);

/// <summary>
/// One line of sshd, taken out of what carried it. <paramref name="Pid"/> and <paramref name="At"/> are null for <c>sshd -E</c>,
/// whose lines hold neither. <paramref name="At"/> is for people; it decides nothing but what counts as history at the first start.
/// </summary>
[PureCore]
internal sealed record AuthLogLine(SshdMessage Message, int? Pid, DateTimeOffset? At)
{
    /// <summary>Of the machine, as /proc says it; null: a file does not tell.</summary>
    public string? Boot { get; init; }

    /// <summary>
    /// A line of a log file. Null: not sshd's. Carriers:
    /// <c>Nov 21 06:11:11 host sshd[123]: ...</c>, <c>2026-11-21T06:11:11.123456+00:00 host sshd-session[123]: ...</c>, and bare.
    /// </summary>
    public static AuthLogLine? Parse(string line, LineTrust trust)
    {
        if (SyslogPrefix.TryParse(line, trust.Now, out var prefix, out var message))
        {
            return SshdName.Is(prefix.Tag) ? new AuthLogLine(SshdMessageParser.Parse(message), prefix.Pid, prefix.At)
                : HookCry.Parse(prefix.Tag, message) is { } cry ? new AuthLogLine(cry, prefix.Pid, prefix.At)
                : null;
        }

        return trust.Private ? new AuthLogLine(SshdMessageParser.Parse(BareText(line)), null, null) : null;
    }

    /// <summary><c>sshd -e</c> in some modes puts the program's name in front.</summary>
    private static string BareText(string line)
    {
        var colon = line.IndexOf(": ", StringComparison.Ordinal);
        return colon > 0 && SshdName.Is(line.AsSpan(0, colon)) ? line[(colon + 2)..] : line;
    }
}

/// <summary>The names under which sshd logs: one program until 9.7, then a listener, a session and an authentication process.</summary>
[PureCore]
internal static class SshdName
{
    public static bool Is(ReadOnlySpan<char> name) => name is "sshd" or "sshd-session" or "sshd-auth";
}

/// <summary>What stands before the message: <c>TIME HOST TAG[PID]: </c>.</summary>
[PureCore]
internal sealed record SyslogPrefix(DateTimeOffset? At, string Tag, int? Pid)
{
    private const int ClassicLength = 15;   // "Nov 21 06:11:11"

    public static bool TryParse(string line, DateTimeOffset now, out SyslogPrefix prefix, out string message)
    {
        (prefix, message) = (new SyslogPrefix(null, "", null), "");
        var scan = new TextScan(line);
        if (!Time(ref scan, now, out var at) || !scan.Literal(" ") || !scan.Word(out _) || !scan.Literal(" "))
        {
            return false;
        }

        var end = scan.Rest.IndexOf(": ");
        if (end <= 0)
        {
            return false;
        }

        var tag = scan.Rest[..end];
        var bracket = tag.IndexOf('[');
        var pid = bracket > 0 && tag[^1] == ']'
            && int.TryParse(tag[(bracket + 1)..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int?)null;
        prefix = new SyslogPrefix(at, (bracket > 0 ? tag[..bracket] : tag).ToString(), pid);
        message = scan.Rest[(end + 2)..].ToString();
        return true;
    }

    private static bool Time(ref TextScan scan, DateTimeOffset now, out DateTimeOffset? at)
    {
        at = null;
        if (scan.Rest.Length > ClassicLength && Classic(scan.Rest[..ClassicLength], now) is { } classic)
        {
            at = classic;
            return scan.Literal(scan.Rest[..ClassicLength]);
        }

        // 2026-11-21T...: only such a first word, so that a bare message never reads as a prefix.
        if (!scan.Word(out var word) || word.Length < 19 || word[4] != '-' || word[10] != 'T'
            || !DateTimeOffset.TryParse(word, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var iso))
        {
            return false;
        }

        at = iso;
        return true;
    }

    private static DateTimeOffset? Classic(ReadOnlySpan<char> text, DateTimeOffset now)
    {
        var thisYear = Classic(text, now.Year, now.Offset);
        // A December line read in January; 29 February exists in one of the two.
        return thisYear is { } at && at - now < TimeSpan.FromDays(1) ? thisYear : Classic(text, now.Year - 1, now.Offset) ?? thisYear;
    }

    private static DateTimeOffset? Classic(ReadOnlySpan<char> text, int year, TimeSpan offset)
    {
        // The day is padded with a space: "Nov  1".
        var padded = text[4] == ' ' ? $"{text[..4]}0{text[5..]}" : text.ToString();
        return year is > 1 and < 9999
            && DateTime.TryParseExact($"{year:D4} {padded}", "yyyy MMM dd HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
                ? new DateTimeOffset(time, offset)
                : null;
    }
}
