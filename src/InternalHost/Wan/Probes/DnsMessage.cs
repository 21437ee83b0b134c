using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Common;

namespace InternalHost.Wan.Probes;

/// <summary>
/// DNS messages (RFC 1035 section 4): writes queries, reads replies. Reading is total: whatever arrives, it answers true or false,
/// in time linear in the packet's length times the longest name, and never throws.
/// </summary>
[PureCore]
internal static class DnsMessage
{
    private const int HeaderLength = 12;
    private const int MaxLabel = 63;

    /// <summary>RFC 1035 2.3.4, on the wire, with the closing root label.</summary>
    private const int MaxName = 255;

    /// <summary>What crosses every link unfragmented (DNS flag day 2020).</summary>
    private const ushort EdnsPayload = 1232;

    /// <summary>No honest answer to A, AAAA or TXT has more; a TCP reply could hold 6,000.</summary>
    private const int MaxAnswers = 128;

    private const ushort ClassIn = 1;

    /// <summary>Writes a query with recursion desired, the name's letters cased by <paramref name="caseBits"/> (0x20: a forger has to guess them as well).</summary>
    /// <exception cref="ArgumentException">Not a name that DNS can carry: see <see cref="IsName"/>.</exception>
    public static byte[] Query(string name, DnsType type, ushort id, ulong caseBits = 0, bool edns = false)
    {
        if (!IsName(name))
        {
            throw new ArgumentException($"'{name}' is not a DNS name: labels of 1 to 63 letters, digits, '-' or '_', at most 253 characters", nameof(name));
        }

        var sent = Recase(name.TrimEnd('.'), caseBits);
        var packet = new List<byte>(HeaderLength + sent.Length + 6 + 11);
        packet.AddRange([(byte)(id >> 8), (byte)id, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, (byte)(edns ? 1 : 0)]);
        foreach (var label in sent.Split('.'))
        {
            packet.Add((byte)label.Length);
            packet.AddRange(Encoding.ASCII.GetBytes(label));
        }

        packet.AddRange([0, (byte)((ushort)type >> 8), (byte)type, 0, (byte)ClassIn]);
        if (edns)
        {
            // OPT (RFC 6891): root name, type 41, payload size where the class is, no extended code, no options.
            packet.AddRange([0, 0, (byte)DnsType.Opt, EdnsPayload >> 8, EdnsPayload & 0xff, 0, 0, 0, 0, 0, 0]);
        }

        return [.. packet];
    }

    /// <summary>Letters, digits, '-' and '_' in labels of 1 to 63; one closing dot is allowed.</summary>
    public static bool IsName(string name)
    {
        var plain = name.EndsWith('.') ? name[..^1] : name;
        return plain.Length is > 0 and <= MaxName - 2
            && plain.Split('.').All(label => label.Length is > 0 and <= MaxLabel
                && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
    }

    /// <summary>The name as <see cref="Query"/> sends it, to be compared with the reply's question.</summary>
    public static string Recase(string name, ulong caseBits)
    {
        var letters = name.ToCharArray();
        for (var i = 0; i < letters.Length; i++)
        {
            letters[i] = (caseBits >> (i % 64) & 1) == 1 ? char.ToUpperInvariant(letters[i]) : char.ToLowerInvariant(letters[i]);
        }

        return new string(letters);
    }

    /// <summary>
    /// Reads header, question and answers of a reply. False: not a reply, or its own counts and lengths do not hold. In a truncated
    /// reply (TC) the answers that are whole are given.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> packet, [NotNullWhen(true)] out DnsReply? reply)
    {
        reply = null;
        if (packet.Length < HeaderLength || (packet[2] & 0x80) == 0)
        {
            return false;
        }

        var truncated = (packet[2] & 0x02) != 0;
        var at = HeaderLength;
        DnsQuestion? question = null;
        var questions = Word(packet, 4);
        if (questions > 1 || questions == 1 && !TryQuestion(packet, ref at, out question))
        {
            return false;
        }

        var claimed = Word(packet, 6);
        var answers = ImmutableArray.CreateBuilder<DnsRecord>(Math.Min((int)claimed, 8));
        for (var i = 0; i < claimed && i < MaxAnswers; i++)
        {
            if (!TryRecord(packet, ref at, out var record))
            {
                if (!truncated)
                {
                    return false;
                }

                break;
            }

            answers.Add(record);
        }

        reply = new DnsReply(Word(packet, 0), (DnsRcode)(packet[3] & 0x0f), truncated, question, answers.ToImmutable());
        return true;
    }

    private static ushort Word(ReadOnlySpan<byte> packet, int at) => BinaryPrimitives.ReadUInt16BigEndian(packet[at..]);

    private static bool TryQuestion(ReadOnlySpan<byte> packet, ref int at, [NotNullWhen(true)] out DnsQuestion? question)
    {
        question = null;
        if (!TryName(packet, ref at, out var name) || packet.Length - at < 4)
        {
            return false;
        }

        question = new DnsQuestion(name, (DnsType)Word(packet, at), Word(packet, at + 2));
        at += 4;
        return true;
    }

    private static bool TryRecord(ReadOnlySpan<byte> packet, ref int at, [NotNullWhen(true)] out DnsRecord? record)
    {
        const int fixedPart = 10;   // type, class, TTL, length
        record = null;
        if (!TryName(packet, ref at, out var name) || packet.Length - at < fixedPart)
        {
            return false;
        }

        var type = (DnsType)Word(packet, at);
        var ttl = BinaryPrimitives.ReadUInt32BigEndian(packet[(at + 4)..]);
        var length = Word(packet, at + 8);
        var start = at + fixedPart;
        if (packet.Length - start < length)
        {
            return false;
        }

        at = start + length;
        record = new DnsRecord(name, type, Seconds(ttl), [.. packet.Slice(start, length)], Target(packet, type, start, at));
        return record.IsWellFormed;
    }

    /// <summary>A TTL with the top bit set counts as zero (RFC 2181 section 8).</summary>
    private static TimeSpan Seconds(uint ttl) => TimeSpan.FromSeconds(ttl > int.MaxValue ? 0 : ttl);

    private static string? Target(ReadOnlySpan<byte> packet, DnsType type, int start, int end)
    {
        var at = start;
        return type == DnsType.Cname && TryName(packet, ref at, out var target) && at == end ? target : null;
    }

    /// <summary>
    /// Reads a name, following compression (RFC 1035 4.1.4). Each pointer must point before the place that the last one led to, so
    /// that no chain of pointers comes round.
    /// </summary>
    private static bool TryName(ReadOnlySpan<byte> packet, ref int at, out string name)
    {
        var text = new StringBuilder();
        var (here, floor, wire, jumped) = (at, at, 1, false);
        name = "";
        while (here < packet.Length)
        {
            int length = packet[here];
            switch (length & 0xc0)
            {
                case 0 when length == 0:
                    at = jumped ? at : here + 1;
                    name = text.ToString();
                    return true;
                case 0:
                    wire += length + 1;
                    if (wire > MaxName || here + 1 + length > packet.Length)
                    {
                        return false;
                    }

                    AppendLabel(text, packet.Slice(here + 1, length));
                    here += 1 + length;
                    break;
                case 0xc0:
                    if (here + 2 > packet.Length || (Word(packet, here) & 0x3fff) is var target && target >= floor)
                    {
                        return false;
                    }

                    at = jumped ? at : here + 2;
                    (here, floor, jumped) = (target, target, true);
                    break;
                default:
                    return false;   // 0x40 and 0x80 were never given a meaning that lived
            }
        }

        return false;
    }

    /// <summary>Bytes that are no part of a host name are written \DDD (RFC 1035 5.1): no dot, newline or escape sequence hides in a label.</summary>
    private static void AppendLabel(StringBuilder text, ReadOnlySpan<byte> label)
    {
        if (text.Length > 0)
        {
            text.Append('.');
        }

        foreach (var b in label)
        {
            var plain = char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_' or (byte)'*';
            _ = plain ? text.Append((char)b) : text.Append('\\').Append(b.ToString("D3", null));
        }
    }
}

internal enum DnsType : ushort
{
    Unknown = 0,
    A = 1,
    Cname = 5,
    Txt = 16,
    Aaaa = 28,
    Opt = 41,
}

/// <summary>RFC 1035 4.1.1; others keep their number.</summary>
internal enum DnsRcode
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
}

internal sealed record DnsQuestion(string Name, DnsType Type, ushort Class);

/// <param name="Data">As on the wire.</param>
/// <param name="Target">What a CNAME leads to.</param>
internal sealed record DnsRecord(string Name, DnsType Type, TimeSpan Ttl, ImmutableArray<byte> Data, string? Target)
{
    /// <summary>Address of an A or AAAA record.</summary>
    public IPAddress? Address => Type is DnsType.A or DnsType.Aaaa ? new IPAddress(Data.AsSpan()) : null;

    /// <summary>The strings of a TXT record, joined; bytes outside ASCII become '?'.</summary>
    public string? Text => Type == DnsType.Txt ? ReadText() : null;

    public bool IsWellFormed => Type switch
    {
        DnsType.A => Data.Length == 4,
        DnsType.Aaaa => Data.Length == 16,
        DnsType.Cname => Target is not null,
        DnsType.Txt => ReadText() is not null,
        _ => true,
    };

    private string? ReadText()
    {
        var text = new StringBuilder();
        var rest = Data.AsSpan();
        while (rest.Length > 0)
        {
            int length = rest[0];
            if (rest.Length < 1 + length)
            {
                return null;
            }

            text.Append(Encoding.ASCII.GetString(rest.Slice(1, length)));
            rest = rest[(1 + length)..];
        }

        return text.ToString();
    }
}

internal sealed record DnsReply(ushort Id, DnsRcode Rcode, bool Truncated, DnsQuestion? Question, ImmutableArray<DnsRecord> Answers)
{
    /// <summary>More aliases than any honest name has.</summary>
    private const int MaxAliases = 16;

    /// <summary>Addresses of the name asked for, through its aliases; records about other names are not believed.</summary>
    public ImmutableArray<IPAddress> Addresses()
    {
        var name = Question?.Name;
        for (var hop = 0; hop < MaxAliases && name is not null; hop++)
        {
            var found = Answers.Where(a => Same(a.Name, name) && a.Address is not null && a.Type == Question!.Type).Select(a => a.Address!).ToImmutableArray();
            if (found.Length > 0)
            {
                return found;
            }

            name = Answers.FirstOrDefault(a => a.Type == DnsType.Cname && Same(a.Name, name))?.Target;
        }

        return [];
    }

    /// <summary>The asker's address, where the name is answered with it: the address itself, or the text that is one. Null: none, or not one alone.</summary>
    public IPAddress? PublicAddress(AddressFamily family)
    {
        var addresses = Question?.Type == DnsType.Txt
            ? Answers.Where(a => Same(a.Name, Question.Name) && a.Text is not null).Select(a => IPAddress.TryParse(a.Text, out var address) ? address : null).OfType<IPAddress>()
            : Addresses();
        var found = addresses.Where(a => a.AddressFamily == family).Distinct().ToList();
        return found.Count == 1 ? found[0] : null;
    }

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
