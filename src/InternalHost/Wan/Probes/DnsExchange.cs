using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan.Links;

namespace InternalHost.Wan.Probes;

/// <summary>One question to one server by one uplink: UDP with TCP behind a truncated reply (RFC 1035 4.2), or TCP at once (RFC 7766).</summary>
internal sealed class DnsExchange(UplinkMeter meter, TimeProvider time)
{
    private static readonly TimeSpan UdpLimit = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan TcpConnectLimit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan TcpLimit = TimeSpan.FromSeconds(5);

    /// <summary>A reply without EDNS has at most 512 bytes; some servers send more all the same.</summary>
    private const int UdpBuffer = 4096;

    /// <exception cref="UplinkException">No answer to be had.</exception>
    public async Task<DnsReply> ByUdpAsync(UplinkOptions uplink, IPEndPoint server, string name, DnsType type, CancellationToken ct)
    {
        var query = DnsQuery.Create(name, type);
        var reply = await LimitedAsync(uplink, server, UdpLimit, token => AskUdpAsync(uplink, server, query, token), ct);
        return reply.Truncated ? await ByTcpAsync(uplink, server, name, type, ct) : reply;
    }

    /// <inheritdoc cref="ByUdpAsync"/>
    public Task<DnsReply> ByTcpAsync(UplinkOptions uplink, IPEndPoint server, string name, DnsType type, CancellationToken ct) =>
        LimitedAsync(uplink, server, TcpLimit, token => AskTcpAsync(uplink, server, DnsQuery.Create(name, type), token), ct);

    private async Task<DnsReply> AskUdpAsync(UplinkOptions uplink, IPEndPoint server, DnsQuery query, CancellationToken ct)
    {
        using var socket = BoundSocket.Udp(uplink, server.AddressFamily);
        await socket.ConnectAsync(server, ct);   // the kernel then drops what others send
        await socket.SendAsync(query.Packet, ct);
        meter.Add(uplink.Name, query.Packet.Length, 0);
        var buffer = new byte[UdpBuffer];
        while (true)
        {
            // Anything that is not our answer may be a forger's: the real one is still waited for.
            var length = await socket.ReceiveAsync(buffer, ct);
            meter.Add(uplink.Name, 0, length);
            if (DnsMessage.TryParse(buffer.AsSpan(0, length), out var reply) && query.IsAnsweredBy(reply))
            {
                return reply;
            }
        }
    }

    private async Task<DnsReply> AskTcpAsync(UplinkOptions uplink, IPEndPoint server, DnsQuery query, CancellationToken ct)
    {
        var socket = await BoundSocket.ConnectAsync(uplink, server, TcpConnectLimit, time, ct);
        await using var stream = meter.Measure(uplink.Name, socket);
        var framed = new byte[2 + query.Packet.Length];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Packet.Length);
        query.Packet.CopyTo(framed.AsMemory(2));
        await stream.WriteAsync(framed, ct);

        var length = new byte[2];
        await stream.ReadExactlyAsync(length, ct);
        var packet = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(packet, ct);
        return DnsMessage.TryParse(packet, out var reply) && query.IsAnsweredBy(reply, sameCase: false)
            ? reply
            : throw new IOException("the reply is not a DNS message that answers the question");
    }

    private async Task<DnsReply> LimitedAsync(
        UplinkOptions uplink, IPEndPoint server, TimeSpan limit, Func<CancellationToken, Task<DnsReply>> ask, CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, ct);
        try
        {
            var reply = await ask(either.Token);
            return reply.Rcode is DnsRcode.NoError or DnsRcode.NameError
                ? reply
                : throw new UplinkException(uplink, $"DNS server {server} answered {reply.Rcode}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new UplinkException(uplink, $"ask DNS server {server}", new SocketException((int)SocketError.TimedOut));
        }
        catch (SocketException cause)
        {
            throw new UplinkException(uplink, $"ask DNS server {server}", cause);
        }
        catch (IOException cause) when (cause is not UplinkException)
        {
            throw new UplinkException(uplink, $"ask DNS server {server}: {cause.Message}");
        }
    }
}
