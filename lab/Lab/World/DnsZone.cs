using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Lab.World;

/// <summary>What the lab's DNS knows. <c>*.name</c> answers for every name below. An unknown name is NXDOMAIN; a known one without the type is empty.</summary>
public sealed class DnsZone
{
    private readonly ConcurrentDictionary<string, Node> _nodes = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Replaces the addresses of <paramref name="name"/>, of either family.</summary>
    public void Add(string name, params IPAddress[] addresses) => _nodes[name] = new Node(addresses, null, null);

    public void AddAlias(string name, string target) => _nodes[name] = new Node([], target, null);

    public void AddText(string name, string text) => _nodes[name] = new Node([], null, text);

    /// <summary>Answers with the asker's own address, as A or AAAA and as text: what <c>myip.opendns.com</c> and its like do.</summary>
    public void AddWhoAmI(string name) => _nodes[name] = new Node([], null, null) { IsAsker = true };

    public void Remove(string name) => _nodes.TryRemove(name, out _);

    internal (int Rcode, List<DnsAnswer> Answers) Look(string name, int type, IPAddress asker)
    {
        var answers = new List<DnsAnswer>();
        for (var hop = 0; hop < 8; hop++)
        {
            if (Find(name) is not { } node)
            {
                return (answers.Count > 0 ? 0 : 3, answers);
            }

            if (node.Alias is null)
            {
                answers.AddRange(node.Answers(type, asker).Select(a => a with { Owner = hop == 0 ? null : name }));
                return (0, answers);
            }

            answers.Add(DnsWire.Alias(node.Alias) with { Owner = hop == 0 ? null : name });
            name = node.Alias;
        }

        return (2, []);
    }

    private Node? Find(string name)
    {
        if (_nodes.TryGetValue(name, out var exact))
        {
            return exact;
        }

        for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = name.IndexOf('.', dot + 1))
        {
            if (_nodes.TryGetValue("*" + name[dot..], out var wild))
            {
                return wild;
            }
        }

        return null;
    }

    private sealed record Node(IPAddress[] Addresses, string? Alias, string? Text)
    {
        public bool IsAsker { get; init; }

        public IEnumerable<DnsAnswer> Answers(int type, IPAddress asker) => type switch
        {
            16 when IsAsker => [DnsWire.Text($"{asker}")],
            _ when IsAsker => new[] { DnsWire.Address(asker) }.Where(a => a.Type == type),
            16 when Text is not null => [DnsWire.Text(Text)],
            _ => Addresses.Select(DnsWire.Address).Where(a => a.Type == type),
        };
    }
}

/// <param name="Owner">Null: the name asked for.</param>
internal sealed record DnsAnswer(int Type, byte[] Data, string? Owner = null);

/// <summary>The lab's own reading and writing of DNS; shares no line with the product's, so that one cannot hide the other's mistakes.</summary>
internal static class DnsWire
{
    private const int Ttl = 30;

    public static (string Name, int Type, int End)? ReadQuestion(byte[] query)
    {
        var name = new StringBuilder();
        var at = 12;
        while (at < query.Length && query[at] is > 0 and < 64 and var length && at + 1 + length < query.Length)
        {
            name.Append(name.Length > 0 ? "." : "").Append(Encoding.ASCII.GetString(query, at + 1, length));
            at += 1 + length;
        }

        return at + 5 <= query.Length && query[at] == 0 ? (name.ToString(), query[at + 1] << 8 | query[at + 2], at + 5) : null;
    }

    public static byte[] Reply(byte[] query, int questionEnd, int rcode, bool truncated, List<DnsAnswer> answers)
    {
        var reply = new List<byte>(query[..questionEnd]);
        reply[2] = (byte)(0x81 | (truncated ? 0x02 : 0));
        reply[3] = (byte)(0x80 | rcode);
        (reply[6], reply[7]) = ((byte)(answers.Count >> 8), (byte)answers.Count);
        (reply[8], reply[9], reply[10], reply[11]) = (0, 0, 0, 0);
        foreach (var answer in answers)
        {
            reply.AddRange(answer.Owner is null ? [0xc0, 12] : Name(answer.Owner));
            reply.AddRange([0, (byte)answer.Type, 0, 1, 0, 0, 0, Ttl, (byte)(answer.Data.Length >> 8), (byte)answer.Data.Length]);
            reply.AddRange(answer.Data);
        }

        return [.. reply];
    }

    public static byte[] LowerQuestion(byte[] reply, int questionEnd)
    {
        for (var i = 12; i < questionEnd - 5; i++)
        {
            reply[i] = reply[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(reply[i] | 0x20) : reply[i];
        }

        return reply;
    }

    public static DnsAnswer Address(IPAddress address)
    {
        var data = address.GetAddressBytes();
        return new DnsAnswer(data.Length == 4 ? 1 : 28, data);
    }

    public static DnsAnswer Alias(string target) => new(5, Name(target));

    public static DnsAnswer Text(string text) => new(16, [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)]);

    private static byte[] Name(string name) =>
        [.. name.Split('.').SelectMany(l => (byte[])[(byte)l.Length, .. Encoding.ASCII.GetBytes(l)]), 0];
}
