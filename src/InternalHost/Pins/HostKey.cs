using System.Security.Cryptography;
using Common;

namespace InternalHost.Pins;

/// <summary>A public host key as one line: type, key, and whatever comment follows.</summary>
[PureCore]
internal static class HostKey
{
    /// <summary>As ssh-keygen -l shows it: <c>SHA256:Jq3w...</c></summary>
    /// <exception cref="FormatException">Not a public key.</exception>
    public static string Fingerprint(string key) => key.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var blob, ..]
        ? $"SHA256:{Convert.ToBase64String(SHA256.HashData(Convert.FromBase64String(blob.Trim()))).TrimEnd('=')}"
        : throw new FormatException("not a public key");

    public static string WithoutComment(string key) => string.Join(' ', key.Trim().Split(' ').Take(2));
}
