using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Lab.World;

/// <summary>
/// A DNS server for the lab: answers a small zone over UDP and TCP on one port, and misbehaves on request. Everything may be changed
/// while it runs.
/// </summary>
/// <example><code>
/// await using var dns = DnsServer.Start(new IPEndPoint(IPAddress.Parse("127.9.0.53"), 0));
/// dns.Zone.Add("api.lab.test", IPAddress.Parse("127.9.0.80"));
/// dns.Silence.Cut(IPAddress.Parse("127.9.0.1"));              // nothing from that source is heard
/// dns.Behaviour = new DnsBehaviour { HijackTo = IPAddress.Parse("10.0.0.1") };
/// </code></example>
public sealed class DnsServer : IAsyncDisposable
{
    private readonly Socket _udp;
    private readonly TcpListener _tcp;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loops;

    private DnsServer(Socket udp, TcpListener tcp)
    {
        (_udp, _tcp) = (udp, tcp);
        EndPoint = (IPEndPoint)tcp.LocalEndpoint;
        _loops = Task.WhenAll(ServeUdpAsync(_stop.Token), ServeTcpAsync(_stop.Token));
    }

    public IPEndPoint EndPoint { get; }

    public DnsZone Zone { get; } = new();

    public Silence Silence { get; } = new();

    public DnsBehaviour Behaviour { get; set; } = new();

    /// <summary>Every question heard, oldest first.</summary>
    public ConcurrentQueue<DnsSeen> Seen { get; } = new();

    public static DnsServer Start(IPEndPoint at)
    {
        var (udp, tcp) = LoopbackPorts.Both(at);
        return new DnsServer(udp, tcp);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _udp.Dispose();
        _tcp.Dispose();
        await _loops;
        _stop.Dispose();
    }

    private async Task ServeUdpAsync(CancellationToken ct)
    {
        var buffer = new byte[4096];
        var anyone = new IPEndPoint(_udp.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        var answers = new List<Task>();
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var got = await _udp.ReceiveFromAsync(buffer, anyone, ct);
                answers.RemoveAll(t => t.IsCompleted);
                answers.Add(AnswerUdpAsync(buffer[..got.ReceivedBytes], (IPEndPoint)got.RemoteEndPoint, ct));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                break;
            }
            catch (SocketException)
            {
                // A client has closed before its answer came: its ICMP error, not ours.
            }
        }

        await Task.WhenAll(answers);
    }

    private async Task AnswerUdpAsync(byte[] query, IPEndPoint from, CancellationToken ct)
    {
        try
        {
            var behaviour = Behaviour;
            var reply = Hear(query, from, tcp: false);
            if (reply is null || behaviour.UdpSilent)
            {
                return;
            }

            await Task.Delay(behaviour.Delay, ct);
            await _udp.SendToAsync(reply, from, ct);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Stopped, or the client is gone.
        }
    }

    private async Task ServeTcpAsync(CancellationToken ct)
    {
        var connections = new List<Task>();
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var connection = await _tcp.AcceptSocketAsync(ct);
                connections.RemoveAll(t => t.IsCompleted);
                connections.Add(AnswerTcpAsync(connection, ct));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                break;
            }
        }

        await Task.WhenAll(connections);
    }

    private async Task AnswerTcpAsync(Socket connection, CancellationToken ct)
    {
        try
        {
            await using var stream = new NetworkStream(connection, ownsSocket: true);
            var length = new byte[2];
            while (true)
            {
                await stream.ReadExactlyAsync(length, ct);
                var query = new byte[length[0] << 8 | length[1]];
                await stream.ReadExactlyAsync(query, ct);
                var reply = Hear(query, (IPEndPoint)connection.RemoteEndPoint!, tcp: true);
                if (reply is null || Behaviour.TcpSilent)
                {
                    continue;
                }

                await Task.Delay(Behaviour.Delay, ct);
                await stream.WriteAsync((byte[])[(byte)(reply.Length >> 8), (byte)reply.Length, .. reply], ct);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // Stopped, or the client is done.
        }
    }

    private byte[]? Hear(byte[] query, IPEndPoint from, bool tcp)
    {
        if (Silence.Covers(from.Address) || DnsWire.ReadQuestion(query) is not { } question)
        {
            return null;
        }

        Seen.Enqueue(new DnsSeen(from.Address, tcp, question.Name, question.Type));
        return Behaviour.Reply(query, question, Zone, from.Address, tcp);
    }
}

/// <param name="Name">As it was sent, with its mixed case.</param>
/// <param name="Type">1 A, 16 TXT, 28 AAAA.</param>
public sealed record DnsSeen(IPAddress From, bool Tcp, string Name, int Type);

/// <summary>How the server answers. The default is an honest server.</summary>
public sealed record DnsBehaviour
{
    public bool UdpSilent { get; init; }

    public bool TcpSilent { get; init; }

    /// <summary>UDP replies are empty and carry TC: ask again by TCP.</summary>
    public bool Truncates { get; init; }

    /// <summary>Replies are random bytes, sometimes behind an honest header.</summary>
    public bool Garbage { get; init; }

    /// <summary>Replies carry another id, as a forger's would.</summary>
    public bool WrongId { get; init; }

    /// <summary>The question comes back in small letters.</summary>
    public bool LosesCase { get; init; }

    /// <summary>Every reply has this code and no answer: 2 server failure, 3 no such name, 5 refused.</summary>
    public int? Rcode { get; init; }

    /// <summary>Every A (or AAAA) question gets this address: a portal, or a hijack.</summary>
    public IPAddress? HijackTo { get; init; }

    public TimeSpan Delay { get; init; } = TimeSpan.Zero;

    internal byte[] Reply(byte[] query, (string Name, int Type, int End) question, DnsZone zone, IPAddress asker, bool tcp)
    {
        if (Garbage)
        {
            var noise = new byte[Random.Shared.Next(12, 200)];
            Random.Shared.NextBytes(noise);
            query.AsSpan(0, 2).CopyTo(noise);
            noise[2] |= 0x80;
            return noise;
        }

        var hijacked = HijackTo is { } to && question.Type == (to.GetAddressBytes().Length == 4 ? 1 : 28);
        var (code, answers) = (Rcode, hijacked) switch
        {
            ({ } fixedCode, _) => (fixedCode, []),
            (_, true) => (0, [DnsWire.Address(HijackTo!)]),
            _ => zone.Look(question.Name, question.Type, asker),
        };
        var truncate = Truncates && !tcp;
        var reply = DnsWire.Reply(query, question.End, code, truncate, truncate ? [] : answers);
        if (WrongId)
        {
            reply[0] ^= 0x55;
        }

        return LosesCase ? DnsWire.LowerQuestion(reply, question.End) : reply;
    }
}
