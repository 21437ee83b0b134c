using System.Buffers.Binary;
using System.Net;
using Common;

namespace InternalHost.Wan.Probes;

/// <summary>
/// STUN binding requests and responses (RFC 8489): 20 bytes out, the address that the world sees back. Reading is total: whatever
/// arrives, it gives an address or says what is wrong, and never throws.
/// </summary>
[PureCore]
internal static class StunMessage
{
    public const int TransactionLength = 12;

    private const int HeaderLength = 20;
    private const uint MagicCookie = 0x2112_A442;
    private const ushort BindingRequest = 0x0001;
    private const ushort BindingSuccess = 0x0101;
    private const ushort BindingError = 0x0111;

    private const ushort MappedAddress = 0x0001;
    private const ushort ErrorCode = 0x0009;
    private const ushort XorMappedAddress = 0x0020;
    private const ushort Fingerprint = 0x8028;
    private const uint FingerprintXor = 0x5354_554E;

    /// <summary>Types below this must be understood (RFC 8489 section 14), or the response is not ours to use.</summary>
    private const ushort Optional = 0x8000;

    /// <summary>Required by their number, harmless by their meaning: what RFC 3489's servers added, and what signed responses carry.</summary>
    private static ReadOnlySpan<ushort> Harmless => [0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0008, 0x000B, 0x0014, 0x0015, 0x001C, 0x001D, 0x001E];

    /// <exception cref="ArgumentException">The transaction id has not 12 bytes.</exception>
    public static byte[] Request(ReadOnlySpan<byte> transaction)
    {
        if (transaction.Length != TransactionLength)
        {
            throw new ArgumentException($"a STUN transaction id has {TransactionLength} bytes, not {transaction.Length}", nameof(transaction));
        }

        var packet = new byte[HeaderLength];
        BinaryPrimitives.WriteUInt16BigEndian(packet, BindingRequest);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), MagicCookie);
        transaction.CopyTo(packet.AsSpan(8));
        return packet;
    }

    /// <param name="transaction">That of the request which this should answer.</param>
    public static StunReading Read(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> transaction)
    {
        if (packet.Length < HeaderLength)
        {
            return new("shorter than a STUN header");
        }

        var type = Word(packet, 0);
        var length = Word(packet, 2);
        return (packet[0] & 0xc0) != 0 ? new("not STUN: its first two bits are not zero")
            : BinaryPrimitives.ReadUInt32BigEndian(packet[4..]) != MagicCookie ? new("not STUN of RFC 5389 or later: no magic cookie")
            : type is not (BindingSuccess or BindingError) ? new($"not a binding response but type {type:x4}")
            : !packet[8..HeaderLength].SequenceEqual(transaction) ? new("answers another request")
            : length % 4 != 0 || HeaderLength + length != packet.Length ? new($"claims {length} bytes of attributes, has {packet.Length - HeaderLength}")
            : ReadAttributes(packet, type == BindingError);
    }

    private static StunReading ReadAttributes(ReadOnlySpan<byte> packet, bool isError)
    {
        IPEndPoint? plain = null, xored = null;
        var error = 0;
        for (var at = HeaderLength; at < packet.Length;)
        {
            if (packet.Length - at < 4 || packet.Length - at - 4 < Padded(Word(packet, at + 2)))
            {
                return new("an attribute runs past the end");
            }

            var type = Word(packet, at);
            var value = packet.Slice(at + 4, Word(packet, at + 2));
            switch (type)
            {
                // Of several the first counts (RFC 8489 section 14).
                case MappedAddress when plain is null && !TryAddress(value, [], out plain):
                case XorMappedAddress when xored is null && !TryAddress(value, packet.Slice(4, 16), out xored):
                    return new("its address has a length or a family that no address has");
                case ErrorCode when value.Length < 4:
                    return new("its error code is cut off");
                case ErrorCode:
                    error = ((value[2] & 7) * 100) + value[3];
                    break;
                case Fingerprint when !IsFingerprint(packet, at, value):
                    return new("its fingerprint does not match");
                case MappedAddress or XorMappedAddress or Fingerprint or >= Optional:
                    break;
                default:
                    if (!isError && !Harmless.Contains(type))
                    {
                        return new($"attribute {type:x4} must be understood, and is not known");
                    }

                    break;
            }

            at += 4 + Padded(value.Length);
        }

        var mapped = xored ?? plain;
        return isError ? new($"the server refused: error {error}") { IsRefusal = true }
            : mapped is null ? new("has no mapped address")
            : mapped.Address.Equals(IPAddress.Any) || mapped.Address.Equals(IPAddress.IPv6Any) ? new("its mapped address is no address")
            : new(null, mapped);
    }

    /// <summary>RFC 8489 sections 14.1 and 14.2.</summary>
    /// <param name="key">Cookie and transaction id, where the address is hidden from meddling routers by them; else empty.</param>
    private static bool TryAddress(ReadOnlySpan<byte> value, ReadOnlySpan<byte> key, out IPEndPoint? mapped)
    {
        const int v4 = 1, v6 = 2, addressAt = 4;
        mapped = null;
        if (value.Length < addressAt || (value[1], value.Length - addressAt) is not ((v4, 4) or (v6, 16)))
        {
            return false;
        }

        Span<byte> address = stackalloc byte[value.Length - addressAt];
        value[addressAt..].CopyTo(address);
        var port = Word(value, 2);
        if (!key.IsEmpty)
        {
            port ^= Word(key, 0);
            for (var i = 0; i < address.Length; i++)
            {
                address[i] ^= key[i];
            }
        }

        mapped = new IPEndPoint(new IPAddress(address), port);
        return true;
    }

    /// <summary>RFC 8489 section 14.7: the last attribute, a CRC of all before it.</summary>
    private static bool IsFingerprint(ReadOnlySpan<byte> packet, int at, ReadOnlySpan<byte> value) =>
        value.Length == 4 && at + 8 == packet.Length
        && BinaryPrimitives.ReadUInt32BigEndian(value) == (Crc32(packet[..at]) ^ FingerprintXor);

    /// <summary>The CRC of ITU V.42, bit by bit: responses are small.</summary>
    public static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB8_8320u);
            }
        }

        return ~crc;
    }

    private static int Padded(int length) => (length + 3) & ~3;

    private static ushort Word(ReadOnlySpan<byte> packet, int at) => BinaryPrimitives.ReadUInt16BigEndian(packet[at..]);
}

/// <param name="Problem">Why there is no address; null where there is one.</param>
/// <param name="Mapped">Address and port that the server saw the request come from.</param>
internal readonly record struct StunReading(string? Problem, IPEndPoint? Mapped = null)
{
    /// <summary>The server itself says no, to this very request.</summary>
    public bool IsRefusal { get; init; }
}
