using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Common.Logins;

/// <summary>
/// One line of <c>journalctl -o json</c>. Fields that begin with an underscore are written by journald and cannot be forged by the
/// sender; <c>SYSLOG_IDENTIFIER</c> and <c>MESSAGE</c> can (<c>logger -t sshd</c>).
/// </summary>
/// <param name="Line">Null: not sshd's, or not to be trusted.</param>
/// <param name="Cursor">Where this entry is, even when it is none of ours.</param>
[PureCore]
internal sealed record JournalEntry(AuthLogLine? Line, string Cursor)
{
    /// <param name="json">One object, one line.</param>
    /// <param name="ownUid">In a private set-up sshd runs as this user; null: root's only.</param>
    /// <returns>Null: not an entry at all.</returns>
    public static JournalEntry? Parse(string json, uint? ownUid)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var entry = document.RootElement;
            return entry.ValueKind == JsonValueKind.Object && Text(entry, "__CURSOR") is { Length: > 0 } cursor
                ? new JournalEntry(Trusted(entry, ownUid) ? ReadLine(entry) : null, cursor)
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;   // half a line, or text that is not UTF-16 after its escapes are undone
        }
    }

    private static bool Trusted(JsonElement entry, uint? ownUid)
    {
        var uid = Text(entry, "_UID");
        var byUid = uid == "0" || (ownUid is { } own && uid == own.ToString(CultureInfo.InvariantCulture));
        // journald may find the process gone and leave _EXE out; where it is there it must be sshd.
        var exe = Text(entry, "_EXE");
        var program = exe.AsSpan(exe is null ? 0 : exe.LastIndexOf('/') + 1);
        var name = Text(entry, "SYSLOG_IDENTIFIER");
        return byUid && (SshdName.Is(name) ? exe is null || SshdName.Is(program) : name == HookCry.Name && (exe is null || program is "logger"));
    }

    private static AuthLogLine? ReadLine(JsonElement entry) => Text(entry, "MESSAGE") is { } message
        && (HookCry.Parse(Text(entry, "SYSLOG_IDENTIFIER"), message) ?? SshdMessageParser.Parse(message)) is var parsed
            ? new AuthLogLine(parsed, Number(entry, "_PID") is { } pid and <= int.MaxValue ? (int)pid : null, Time(entry)) { Boot = Boot(entry) }
            : null;

    /// <summary>journald leaves the dashes out.</summary>
    private static string? Boot(JsonElement entry) => Guid.TryParseExact(Text(entry, "_BOOT_ID"), "N", out var boot) ? boot.ToString("D") : null;

    private static DateTimeOffset? Time(JsonElement entry) =>
        Number(entry, "__REALTIME_TIMESTAMP") is { } micros and < 253_402_300_800_000_000 ? DateTimeOffset.UnixEpoch.AddTicks((long)micros * 10) : null;

    private static ulong? Number(JsonElement entry, string name) =>
        ulong.TryParse(Text(entry, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>A field is a string, or an array of bytes when it is not clean UTF-8, or an array of those when it was given twice.</summary>
    private static string? Text(JsonElement entry, string name)
    {
        if (!entry.TryGetProperty(name, out var value))
        {
            return null;
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Array => Bytes(value),
            _ => null,
        };
    }

    private static string? Bytes(JsonElement array)
    {
        var bytes = new List<byte>(array.GetArrayLength());
        foreach (var item in array.EnumerateArray())
        {
            // Two values for one field: sshd never sends that, so it is not sshd.
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetByte(out var one))
            {
                return null;
            }

            bytes.Add(one);
        }

        return LogBytes.Decode([.. bytes]);
    }
}

/// <summary>Bytes of a log to text that loses nothing: what is not UTF-8 is shown as <c>\xNN</c>.</summary>
[PureCore]
internal static class LogBytes
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            var text = new StringBuilder(bytes.Length + 8);
            foreach (var one in bytes)
            {
                _ = one < 0x80 ? text.Append((char)one) : text.Append("\\x").Append(one.ToString("x2", CultureInfo.InvariantCulture));
            }

            return text.ToString();
        }
    }
}
