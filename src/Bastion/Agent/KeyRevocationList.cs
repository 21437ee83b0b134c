using System.Buffers.Binary;
using System.Text;
using Common;

namespace Bastion.Agent;

/// <summary>
/// Writes sshd's RevokedKeys file in its binary form (OpenSSH PROTOCOL.krl), with keys by SHA-256 fingerprint: the settings know
/// fingerprints only. An empty list lets everybody in.
/// </summary>
[PureCore]
internal static class KeyRevocationList
{
    private const ulong Magic = 0x5353484b524c0a00;   // "SSHKRL\n\0"
    private const uint FormatVersion = 1;
    private const byte FingerprintSha256Section = 5;
    private const int HashLength = 32;

    /// <param name="fingerprints"><c>SHA256:...</c> as ssh-keygen -l prints them.</param>
    public static byte[] Write(IEnumerable<string> fingerprints)
    {
        var hashes = fingerprints.Select(Hash).OfType<byte[]>().OrderBy(Convert.ToHexString, StringComparer.Ordinal).ToList();
        using var list = new MemoryStream();
        PutUInt64(list, Magic);
        PutUInt32(list, FormatVersion);
        PutUInt64(list, 0);   // krl_version, generated_date and flags mean nothing to sshd
        PutUInt64(list, 0);
        PutUInt64(list, 0);
        PutString(list, []);
        PutString(list, Encoding.ASCII.GetBytes("draining"));
        if (hashes.Count > 0)
        {
            using var section = new MemoryStream();
            hashes.ForEach(h => PutString(section, h));
            list.WriteByte(FingerprintSha256Section);
            PutString(list, section.ToArray());
        }

        return list.ToArray();
    }

    private static byte[]? Hash(string fingerprint)
    {
        const string prefix = "SHA256:";
        var hash = new byte[HashLength];
        return fingerprint.StartsWith(prefix, StringComparison.Ordinal)
            && Convert.TryFromBase64String(fingerprint[prefix.Length..] + "=", hash, out var length) && length == HashLength
                ? hash
                : null;
    }

    private static void PutString(MemoryStream to, ReadOnlySpan<byte> bytes)
    {
        PutUInt32(to, (uint)bytes.Length);
        to.Write(bytes);
    }

    private static void PutUInt32(MemoryStream to, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        to.Write(bytes);
    }

    private static void PutUInt64(MemoryStream to, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        to.Write(bytes);
    }
}
