using System.Buffers;

namespace Common.Logins;

/// <summary>
/// What auth2.c <c>format_method_key</c> prints after <c>ssh2: </c>:
/// <c>ED25519 SHA256:...</c> or <c>ED25519-CERT SHA256:... ID free text (serial 77) CA ED25519 SHA256:...</c>.
/// </summary>
[PureCore]
internal static class PublicKeyText
{
    private const int Sha256Length = 43;   // 32 bytes in base64 without its padding

    private static readonly SearchValues<char> TypeCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    private static readonly SearchValues<char> Base64Characters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    /// <summary>Null unless all of the text is well formed: then it cannot be part of somebody's forged name.</summary>
    public static PublicKey? Parse(ReadOnlySpan<char> text)
    {
        var scan = new TextScan(text);
        if (!scan.Word(out var type) || !IsType(type) || !scan.Literal(" ") || !scan.Word(out var fingerprint) || !IsFingerprint(fingerprint))
        {
            return null;
        }

        if (scan.AtEnd)
        {
            return new PublicKey(type.ToString(), fingerprint.ToString());
        }

        return scan.Literal(" ID ") && ParseCertificate(scan.Rest) is { } certificate
            ? new PublicKey(type.ToString(), fingerprint.ToString(), certificate)
            : null;
    }

    public static bool IsFingerprint(ReadOnlySpan<char> text) =>
        text.StartsWith("SHA256:", StringComparison.Ordinal)
            ? text.Length == "SHA256:".Length + Sha256Length && !text["SHA256:".Length..].ContainsAnyExcept(Base64Characters)
            : text.StartsWith("MD5:", StringComparison.Ordinal) && text.Length == "MD5:".Length + (16 * 3) - 1;

    private static bool IsType(ReadOnlySpan<char> type) => !type.ContainsAnyExcept(TypeCharacters);

    private static Certificate? ParseCertificate(ReadOnlySpan<char> text)
    {
        // The id may hold anything, also another "(serial": the true one is the last.
        var at = text.LastIndexOf(" (serial ");
        if (at < 0)
        {
            return null;
        }

        var scan = new TextScan(text[(at + " (serial ".Length)..]);
        return scan.Number(out var serial) && scan.Literal(") CA ")
            && scan.Word(out var type) && IsType(type) && scan.Literal(" ")
            && scan.Word(out var fingerprint) && IsFingerprint(fingerprint) && scan.AtEnd
                ? new Certificate(text[..at].ToString(), serial, type.ToString(), fingerprint.ToString())
                : null;
    }
}
