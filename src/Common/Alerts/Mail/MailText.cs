using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Common.Text;

namespace Common.Alerts.Mail;

/// <summary>A message as RFC 5322 wants it. The same alert gives the same bytes, its Message-ID among them: a second sending is no second message.</summary>
[PureCore]
public static class MailText
{
    private const int SubjectLimit = 120;
    private const int BodyLimit = 4096;

    /// <summary>RFC 2047: an encoded word has at most 75 characters; 45 bytes make 60 of base64 and 12 of frame.</summary>
    private const int BytesInWord = 45;
    private const int Base64Line = 76;

    /// <param name="from">A valid address, as are those in <paramref name="to"/>.</param>
    /// <returns>Header and body with CR LF, without the closing dot.</returns>
    public static string Compose(OutgoingMessage message, string from, ImmutableArray<string> to)
    {
        var lines = new[] { SafeText.Clean(message.Text, BodyLimit), "" }.Concat(message.Details.Select(d => $"{SafeText.Clean(d.Label)}: {SafeText.Clean(d.Value)}"));
        var header = new StringBuilder();
        Line(header, "From", $"<{from}>");
        Line(header, "To", string.Join(", ", to.Select(address => $"<{address}>")));
        Line(header, "Subject", Word(SafeText.Clean(message.Text, SubjectLimit)));
        Line(header, "Date", message.RaisedAt.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture));
        Line(header, "Message-ID", MessageId(message, from));
        Line(header, "Auto-Submitted", "auto-generated");
        Line(header, "X-Auto-Response-Suppress", "All");
        if (message.Severity == Severity.Critical)
        {
            Line(header, "Importance", "high");
        }

        Line(header, "MIME-Version", "1.0");
        Line(header, "Content-Type", "text/plain; charset=utf-8");
        Line(header, "Content-Transfer-Encoding", "base64");
        return header.Append("\r\n").Append(Base64(string.Join("\r\n", lines).TrimEnd() + "\r\n")).ToString();
    }

    /// <summary>Short ids come round again within years; with the moment of raising they do not.</summary>
    public static string MessageId(OutgoingMessage message, string from) => string.Create(
        CultureInfo.InvariantCulture, $"<{message.AlertId}.{message.RaisedAt.UtcDateTime:yyyyMMddHHmmss}@{from[(from.IndexOf('@') + 1)..]}>");

    private static void Line(StringBuilder header, string name, string value) => header.Append(name).Append(": ").Append(value).Append("\r\n");

    private static string Word(string text)
    {
        if (Ascii.IsValid(text) && text.Length < Base64Line && !text.Contains("=?", StringComparison.Ordinal))
        {
            return text;
        }

        var (words, bytes) = (new List<string>(), new List<byte>());
        foreach (var rune in text.EnumerateRunes())
        {
            var next = Encoding.UTF8.GetBytes(rune.ToString());
            if (bytes.Count + next.Length > BytesInWord)
            {
                words.Add(Encoded(bytes));
                bytes.Clear();
            }

            bytes.AddRange(next);
        }

        words.Add(Encoded(bytes));
        return string.Join("\r\n ", words);
    }

    private static string Encoded(List<byte> bytes) => $"=?utf-8?B?{Convert.ToBase64String([.. bytes])}?=";

    private static string Base64(string text)
    {
        var lines = Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).Chunk(Base64Line).Select(line => new string(line));
        return string.Join("\r\n", lines) + "\r\n";
    }
}
