using System.Net;
using System.Runtime.InteropServices;
using Common;

namespace InternalHost.Wan.Links;

/// <summary>
/// The frame of netlink(7): messages one after the other, in each attributes one after the other, all in the machine's byte order.
/// Reading is total: a length that cannot be ends the reading, nothing throws.
/// </summary>
[PureCore]
internal static class NetlinkFrame
{
    public const int HeaderLength = 16;   // struct nlmsghdr

    /// <summary>NLMSG_ERROR; its body begins with a negative errno.</summary>
    public const ushort Error = 2;

    private const ushort RequestFlag = 1;
    private const int AttributeHeader = 4;   // struct rtattr

    /// <summary>The upper two bits of an attribute's type are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER).</summary>
    private const int AttributeType = 0x3FFF;

    /// <summary>Takes the next message off <paramref name="rest"/>.</summary>
    /// <returns>False at the end, and at a length that cannot be: then <paramref name="rest"/> is not empty.</returns>
    public static bool TryMessage(scoped ref ReadOnlySpan<byte> rest, out NetlinkMessage message)
    {
        message = default;
        if (rest.Length < HeaderLength)
        {
            return false;
        }

        var length = MemoryMarshal.Read<uint>(rest);
        if (length < HeaderLength || length > rest.Length)
        {
            return false;
        }

        message = new NetlinkMessage(
            MemoryMarshal.Read<ushort>(rest[4..]), MemoryMarshal.Read<uint>(rest[8..]), rest[HeaderLength..(int)length]);
        rest = rest[Math.Min(Aligned((int)length), rest.Length)..];
        return true;
    }

    /// <inheritdoc cref="TryMessage"/>
    public static bool TryAttribute(scoped ref ReadOnlySpan<byte> rest, out int type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (rest.Length < AttributeHeader)
        {
            return false;
        }

        int length = MemoryMarshal.Read<ushort>(rest);
        if (length < AttributeHeader || length > rest.Length)
        {
            return false;
        }

        type = MemoryMarshal.Read<ushort>(rest[2..]) & AttributeType;
        value = rest[AttributeHeader..length];
        rest = rest[Math.Min(Aligned(length), rest.Length)..];
        return true;
    }

    /// <summary>The errno of an error message, positive; 0: an acknowledgement; null: not a whole one.</summary>
    public static int? Errno(ReadOnlySpan<byte> body) =>
        body.Length < sizeof(int) ? null
        : MemoryMarshal.Read<int>(body) switch
        {
            int.MinValue => int.MaxValue,
            var negative => Math.Max(0, -negative),
        };

    public static IPAddress? Address(ReadOnlySpan<byte> value) => value.Length is 4 or 16 ? new IPAddress(value) : null;

    /// <summary>A request: its own header, the head of its kind, attributes.</summary>
    public static byte[] Request(ushort type, uint sequence, ReadOnlySpan<byte> head, params ReadOnlySpan<(ushort Type, byte[] Value)> attributes)
    {
        var message = new List<byte>(64);
        message.AddRange(new byte[HeaderLength]);
        message.AddRange(head);
        foreach (var (kind, value) in attributes)
        {
            message.AddRange(BitConverter.GetBytes((ushort)(AttributeHeader + value.Length)));
            message.AddRange(BitConverter.GetBytes(kind));
            message.AddRange(value);
            message.AddRange(new byte[Aligned(value.Length) - value.Length]);
        }

        var packet = message.ToArray();
        MemoryMarshal.Write(packet, (uint)packet.Length);
        MemoryMarshal.Write(packet.AsSpan(4), type);
        MemoryMarshal.Write(packet.AsSpan(6), RequestFlag);
        MemoryMarshal.Write(packet.AsSpan(8), sequence);
        return packet;
    }

    private static int Aligned(int length) => (length + 3) & ~3;
}

internal readonly ref struct NetlinkMessage(ushort type, uint sequence, ReadOnlySpan<byte> body)
{
    public ushort Type { get; } = type;

    public uint Sequence { get; } = sequence;

    public ReadOnlySpan<byte> Body { get; } = body;
}
