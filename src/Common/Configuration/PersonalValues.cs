using System.Buffers.Binary;
using System.Text;
using Common.Logins;

namespace Common.Configuration;

/// <summary>Names, numbers and keys of people.</summary>
[PureCore]
public static class PersonalValues
{
    private const int LeastRsaBits = 3072;
    private const int MaxKeyText = 8192;

    private static readonly string[] KeyTypes =
    [
        "ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa",
    ];

    /// <summary>A name of ours: lower case, digits, hyphen and underscore, beginning with a letter.</summary>
    public static Func<string, Reading<string>> Name(int longest) => text =>
        text.Length > 0 && text.Length <= longest && char.IsAsciiLetterLower(text[0])
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_')
            ? text
            : Reading.Bad($"must be a name of 1 to {longest} small letters, digits and hyphens, beginning with a letter");

    /// <summary>1-12 of [a-z0-9-]: the first word of every text message.</summary>
    public static Reading<string> Site(string text) =>
        text.Length is >= 1 and <= 12 && text[0] != '-' && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            ? text
            : Reading.Bad("must be 1 to 12 small letters, digits and hyphens: it begins every message");

    /// <summary>A Unix account.</summary>
    public static Reading<string> Account(string text) =>
        text.Length is >= 1 and <= 32 && (char.IsAsciiLetterLower(text[0]) || text[0] == '_')
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_')
            ? text
            : Reading.Bad("must be the name of a Unix account");

    /// <summary>E.164: plus, country, number. Spaces, hyphens and brackets are allowed and dropped.</summary>
    public static Reading<string> Phone(string text)
    {
        var digits = new string([.. text.Where(c => c is not (' ' or '-' or '(' or ')'))]);
        return digits.Length is >= 9 and <= 16 && digits[0] == '+' && digits[1] is >= '1' and <= '9' && digits.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0
            ? digits
            : Reading.Bad("must be a phone number with + and country, such as +15551230001");
    }

    /// <summary>One line of a <c>.pub</c> file; the comment is dropped (it often names a person and a machine).</summary>
    public static Reading<string> PublicKey(string text)
    {
        if (text.Contains("PRIVATE KEY", StringComparison.Ordinal))
        {
            return Reading.Bad("is a private key: it must never be here; put the line of the .pub file, and make a new key");
        }

        var words = text.Length > MaxKeyText ? [] : text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 2 || !words[0].Contains('-') || words[0].Contains('='))
        {
            return Reading.Bad("must be a public key: the line of a .pub file, type and key");
        }

        return Array.IndexOf(KeyTypes, words[0]) < 0
            ? Reading.Bad($"is of a type that is not taken; taken: {string.Join(", ", KeyTypes)}")
            : Blob(words[0], words[1]) is { } problem ? Reading.Bad(problem) : $"{words[0]} {words[1]}";
    }

    /// <summary>A key by its fingerprint, as <c>ssh-keygen -l</c> prints it.</summary>
    public static Reading<string> Fingerprint(string text) =>
        text.StartsWith("SHA256:", StringComparison.Ordinal) && PublicKeyText.IsFingerprint(text)
            ? text
            : Reading.Bad("must be a fingerprint as ssh-keygen -l prints it: SHA256: and 43 characters");

    /// <summary>RFC 4253 6.6: the blob begins with its type again; RSA is <c>string type, mpint e, mpint n</c>.</summary>
    private static string? Blob(string type, string base64)
    {
        var blob = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, blob, out var length))
        {
            return "is cut off or mistyped: the key is not base64";
        }

        ReadOnlySpan<byte> rest = blob.AsSpan(0, length);
        if (!TakeString(ref rest, out var inner) || Encoding.ASCII.GetString(inner) != type)
        {
            return "is cut off or mistyped: the key is not of the type it says";
        }

        return type switch
        {
            "ssh-rsa" => RsaBits(rest) is var bits and < LeastRsaBits ? $"is an RSA key of {bits} bits: at least {LeastRsaBits} are needed" : null,
            _ => IsPoint(ref rest, type) && (!type.StartsWith("sk-", StringComparison.Ordinal) || TakeString(ref rest, out _)) && rest.IsEmpty ? null : "is cut off or mistyped",
        };
    }

    /// <summary>Ed25519: 32 bytes; P-256: the curve's name and an uncompressed point. On hardware (sk-) the application follows.</summary>
    private static bool IsPoint(ref ReadOnlySpan<byte> rest, string type) => type.Contains("ed25519", StringComparison.Ordinal)
        ? TakeString(ref rest, out var key) && key.Length == 32
        : TakeString(ref rest, out var curve) && curve.SequenceEqual("nistp256"u8) && TakeString(ref rest, out var point) && point is [4, ..] && point.Length == 65;

    private static int RsaBits(ReadOnlySpan<byte> rest)
    {
        if (!TakeString(ref rest, out _) || !TakeString(ref rest, out var modulus) || !rest.IsEmpty)
        {
            return 0;
        }

        modulus = modulus.TrimStart((byte)0);
        return modulus.IsEmpty ? 0 : (modulus.Length * 8) - byte.LeadingZeroCount(modulus[0]);
    }

    private static bool TakeString(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (rest.Length < 4 || BinaryPrimitives.ReadUInt32BigEndian(rest) is var length && length > rest.Length - 4)
        {
            return false;
        }

        value = rest.Slice(4, (int)BinaryPrimitives.ReadUInt32BigEndian(rest));
        rest = rest[(4 + value.Length)..];
        return true;
    }
}
