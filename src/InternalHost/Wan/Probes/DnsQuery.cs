using System.Buffers.Binary;
using System.Security.Cryptography;

namespace InternalHost.Wan.Probes;

/// <summary>One question as sent, with what a forger off the path would have to guess: the id and the case of the letters (0x20).</summary>
internal sealed record DnsQuery(ushort Id, string Name, DnsType Type, ReadOnlyMemory<byte> Packet)
{
    /// <exception cref="ArgumentException">Not a DNS name.</exception>
    public static DnsQuery Create(string name, DnsType type, bool edns = false)
    {
        Span<byte> random = stackalloc byte[10];
        RandomNumberGenerator.Fill(random);
        var id = BinaryPrimitives.ReadUInt16LittleEndian(random);
        var caseBits = BinaryPrimitives.ReadUInt64LittleEndian(random[2..]);
        return new DnsQuery(id, DnsMessage.Recase(name.TrimEnd('.'), caseBits), type, DnsMessage.Query(name, type, id, caseBits, edns));
    }

    /// <summary>Whether <paramref name="reply"/> answers this question. Over TCP the case proves nothing more, and a few resolvers change it.</summary>
    public bool IsAnsweredBy(DnsReply reply, bool sameCase = true) =>
        reply.Id == Id
        && reply.Question is { } question
        && question.Type == Type
        && string.Equals(question.Name, Name, sameCase ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase);
}
