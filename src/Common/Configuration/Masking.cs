namespace Common.Configuration;

/// <summary>Which values must not be printed back. Pure; errs on the side of hiding.</summary>
[PureCore]
public static class Masking
{
    public const string Mask = "***";
    private const int MaxShown = 60;

    private static readonly string[] SecretWords =
        ["secret", "token", "password", "passwd", "passphrase", "credential", "api_key", "apikey", "private", "auth"];

    /// <summary>The value as it may be shown in an error.</summary>
    public static string Show(string key, string value)
    {
        if (IsSecretKey(key) || LooksSecret(value))
        {
            return value.Length == 0 ? "" : Mask;
        }

        return value.Length > MaxShown ? string.Concat(value.AsSpan(0, MaxShown), "...") : value;
    }

    /// <summary>The last word of the key names a secret, or is one keystroke or two from naming one (<c>secrt</c>).</summary>
    public static bool IsSecretKey(string key)
    {
        var last = key[(key.LastIndexOf('.') + 1)..].ToLowerInvariant();
        return last is not ("secrets_directory" or "socket")
            && (SecretWords.Any(w => last.Contains(w, StringComparison.Ordinal)) || DidYouMean.Nearest(last, SecretWords) is not null);
    }

    /// <summary>Private key blocks, and long runs of hex or base64 such as tokens; public keys are long too but start with their type.</summary>
    public static bool LooksSecret(string value) =>
        value.Contains("PRIVATE KEY", StringComparison.Ordinal) || value.Split(' ', '\t', '\n').Any(w => IsTokenLike(w) && !IsPublicBlob(w) && !IsSid(w));

    private static bool IsPublicBlob(string word) => word.StartsWith("AAAA", StringComparison.Ordinal);

    /// <summary>A Twilio identifier (<c>AC</c> and 32 hex digits): a name, no secret.</summary>
    private static bool IsSid(string word) =>
        word.Length == 34 && char.IsAsciiLetterUpper(word[0]) && char.IsAsciiLetterUpper(word[1]) && word.Skip(2).All(char.IsAsciiHexDigit);

    private static bool IsTokenLike(string word) =>
        word.Length >= 24
        && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '=' or '_' or '-')
        && word.Any(char.IsAsciiDigit)
        && word.Any(char.IsAsciiLetter);
}
