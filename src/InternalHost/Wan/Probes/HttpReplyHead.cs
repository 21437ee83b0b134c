using System.Globalization;
using System.Text;
using Common;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Probes;

/// <summary>
/// What an HTTP/1 reply to the 204 question says, from as much of it as has come. Nothing of what a portal sends is parsed further than
/// its status and whether something follows.
/// </summary>
[PureCore]
internal static class HttpReplyHead
{
    /// <summary>More than any honest head has; a portal may send what it likes, and is read no further.</summary>
    public const int Most = 8 * 1024;

    private const int NoContent = 204;
    private const int Ok = 200;
    private const int NetworkAuthenticationRequired = 511;   // RFC 6585 section 6

    /// <summary>Answered: nothing came, as asked. Refuted: a redirect, a page, or "log in first". Lost: anything else. Null: read on.</summary>
    /// <param name="ended">No more will come, or no more is read.</param>
    public static ProbeOutcome? Judge(ReadOnlySpan<byte> received, bool ended)
    {
        var end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0 && !ended)
        {
            return null;
        }

        var head = Encoding.ASCII.GetString(end < 0 ? received : received[..end]);
        return Status(head) switch
        {
            >= 300 and < 400 or NetworkAuthenticationRequired => ProbeOutcome.Refuted,
            NoContent or Ok when end < 0 => ProbeOutcome.Lost,
            NoContent or Ok => Body(head, received.Length - end - 4, ended),
            _ => ProbeOutcome.Lost,
        };
    }

    private static ProbeOutcome? Body(string head, int received, bool ended) => (Length(head), received, ended) switch
    {
        ( > 0, _, _) or (_, > 0, _) => ProbeOutcome.Refuted,
        (0, _, _) => ProbeOutcome.Answered,
        _ when Status(head) == NoContent => ProbeOutcome.Answered,   // has no body by definition (RFC 9110 section 15.3.5)
        (_, _, true) => ProbeOutcome.Answered,
        _ => null,
    };

    /// <summary>0: no status line of HTTP/1.</summary>
    private static int Status(string head)
    {
        var line = head.Split("\r\n", 2)[0];
        var parts = line.Split(' ', 3);
        return parts.Length >= 2 && parts[0] is "HTTP/1.1" or "HTTP/1.0" && parts[1].Length == 3
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var status)
            ? status
            : 0;
    }

    /// <summary>Null: not said. A length that is no number counts as a body.</summary>
    private static long? Length(string head)
    {
        var value = head.Split("\r\n").Skip(1).Select(l => l.Split(':', 2)).FirstOrDefault(p => p.Length == 2 && p[0].Equals("Content-Length", StringComparison.OrdinalIgnoreCase));
        return value is null ? null : long.TryParse(value[1].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : long.MaxValue;
    }
}
