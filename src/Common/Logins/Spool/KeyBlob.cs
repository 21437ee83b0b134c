using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Common.Logins.Spool;

/// <summary>
/// A public key or certificate in SSH's wire form (RFC 4253 6.6, OpenSSH PROTOCOL.certkeys), described in the words of sshd's log. The
/// fingerprint of a certificate is that of the key in it, as sshd prints it.
/// </summary>
[PureCore]
internal static class KeyBlob
{
    private const string CertificateSuffix = "-cert-v01@openssh.com";
    private const int FirstByteAlone = 4;

    /// <param name="type">As in an authorized_keys line.</param>
    /// <returns>Null: not a key of this type.</returns>
    public static PublicKey? Read(string type, string base64)
    {
        var blob = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, blob, out var length))
        {
            return null;
        }

        var fields = new Fields(blob.AsSpan(0, length));
        return fields.Text() is { } named && named == type && Shape(type) is { } shape
            ? type.EndsWith(CertificateSuffix, StringComparison.Ordinal)
                ? Certified(shape, ref fields)
                : new PublicKey(shape.Name, Fingerprint(blob.AsSpan(0, length)))
            : null;
    }

    private static PublicKey? Certified(KeyShape shape, ref Fields fields)
    {
        // type, nonce, the key's own fields, serial, kind, id, principals, valid after, valid before, options, extensions, reserved, CA, signature
        fields.Bytes();
        var start = fields.At;
        for (var n = 0; n < shape.Fields; n++)
        {
            fields.Bytes();
        }

        var key = Plain(shape.Type, fields.Between(start));
        var serial = fields.UInt64();
        fields.Skip(sizeof(uint));
        var id = fields.Bytes();
        fields.Bytes();
        fields.Skip(2 * sizeof(ulong));
        fields.Bytes();
        fields.Bytes();
        fields.Bytes();
        var authority = fields.Bytes();
        return fields.Broken || AuthorityName(authority) is not { } ca
            ? null
            : new PublicKey($"{shape.Name}-CERT", Fingerprint(key), new Certificate(LogBytes.Decode(id), serial, ca, Fingerprint(authority)));
    }

    private static string? AuthorityName(ReadOnlySpan<byte> blob) => new Fields(blob).Text() is { } type ? Shape(type)?.Name : null;

    private static byte[] Plain(string type, ReadOnlySpan<byte> fields)
    {
        var plain = new byte[FirstByteAlone + type.Length + fields.Length];
        BinaryPrimitives.WriteInt32BigEndian(plain, type.Length);
        Encoding.ASCII.GetBytes(type, plain.AsSpan(FirstByteAlone));
        fields.CopyTo(plain.AsSpan(FirstByteAlone + type.Length));
        return plain;
    }

    private static string Fingerprint(ReadOnlySpan<byte> blob) => "SHA256:" + Convert.ToBase64String(SHA256.HashData(blob)).TrimEnd('=');

    /// <summary>sshkey_type(), and how many fields stand between a certificate's nonce and its serial. A new kind of key has no name here: then none is given.</summary>
    private static KeyShape? Shape(string type)
    {
        var plain = type.EndsWith(CertificateSuffix, StringComparison.Ordinal) ? type[..^CertificateSuffix.Length] : type;
        // sk-ssh-ed25519-cert-v01@openssh.com certifies sk-ssh-ed25519@openssh.com.
        plain = plain.StartsWith("sk-", StringComparison.Ordinal) && !plain.Contains('@') ? plain + "@openssh.com" : plain;
        return plain switch
        {
            "ssh-ed25519" => new KeyShape(plain, "ED25519", 1),
            "ssh-rsa" => new KeyShape(plain, "RSA", 2),
            "ssh-dss" => new KeyShape(plain, "DSA", 4),
            "ecdsa-sha2-nistp256" or "ecdsa-sha2-nistp384" or "ecdsa-sha2-nistp521" => new KeyShape(plain, "ECDSA", 2),
            "sk-ssh-ed25519@openssh.com" => new KeyShape(plain, "ED25519-SK", 2),
            "sk-ecdsa-sha2-nistp256@openssh.com" => new KeyShape(plain, "ECDSA-SK", 3),
            _ => null,
        };
    }

    private sealed record KeyShape(string Type, string Name, int Fields);

    /// <summary>Reads in order; once something does not fit, everything is empty and <see cref="Broken"/>.</summary>
    private ref struct Fields(ReadOnlySpan<byte> blob)
    {
        private readonly ReadOnlySpan<byte> _blob = blob;

        public int At { get; private set; }

        public bool Broken { get; private set; }

        public readonly ReadOnlySpan<byte> Between(int start) => _blob[start..At];

        public ReadOnlySpan<byte> Bytes()
        {
            var length = Take(sizeof(uint)) is { Length: > 0 } prefix ? BinaryPrimitives.ReadUInt32BigEndian(prefix) : 0;
            return length <= int.MaxValue ? Take((int)length) : Take(int.MaxValue);
        }

        public string? Text() => Bytes() is var bytes && Broken ? null : Encoding.Latin1.GetString(bytes);

        public ulong UInt64() => Take(sizeof(ulong)) is { Length: > 0 } bytes ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : 0;

        public void Skip(int count) => Take(count);

        private ReadOnlySpan<byte> Take(int count)
        {
            if (Broken || count > _blob.Length - At)
            {
                Broken = true;
                return [];
            }

            At += count;
            return _blob[(At - count)..At];
        }
    }
}
