using System.Text;

namespace Common.Sync;

/// <summary>
/// What goes over the wire to <c>bastion sync</c>: an armoured SSHSIG (openssh PROTOCOL.sshsig), a newline, and the bundle's bytes as they were
/// signed, until the end of the stream. Made by <c>ssh-keygen -Y sign</c> with the site's tunnel key, whose public half the bastion has already;
/// checked by <c>ssh-keygen -Y verify</c>.
/// </summary>
public static class SignedBundle
{
    /// <summary>Keeps a signature made for anything else from being one of a bundle.</summary>
    public const string Namespace = "bundle@bastion";

    private const string Head = "-----BEGIN SSH SIGNATURE-----";
    private const string End = "-----END SSH SIGNATURE-----\n";
    private const int LongestSignature = 8192;

    /// <summary>A signature, the longest bundle, and no more.</summary>
    public const int LongestBytes = LongestSignature + Bundle.LongestBytes;

    public static byte[] Join(string signature, ReadOnlySpan<byte> bundle) => [.. Encoding.ASCII.GetBytes(signature.TrimEnd('\n') + "\n"), .. bundle];

    /// <summary>Null: no signature in front, or too long.</summary>
    public static (string Signature, ReadOnlyMemory<byte> Bundle)? Split(ReadOnlyMemory<byte> bytes)
    {
        var front = bytes.Span[..Math.Min(bytes.Length, LongestSignature)];
        var end = front.IndexOf(Encoding.ASCII.GetBytes(End));
        return bytes.Length <= LongestBytes && end > 0 && front.StartsWith(Encoding.ASCII.GetBytes(Head))
            ? (Encoding.ASCII.GetString(front[..(end + End.Length)]), bytes[(end + End.Length)..])
            : null;
    }
}
