using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;

namespace InternalHost.Wan.Probes;

/// <summary>
/// One UDP question to a DNS witness. Answered means: a whole reply to this very question, id and the case of each letter included,
/// from the address that was asked; a resolver that says "failure" is there. Refuted means that the reply cannot be true: an address for
/// a random name that does not exist, or an address that only exists inside somebody's network for a public one.
/// </summary>
internal sealed class DnsProbe
{
    private const int RandomBytes = 5;
    private const int BufferLength = 4096;

    private readonly string _name;
    private readonly UplinkMeter _meter;

    /// <exception cref="ArgumentException">No label fits below <paramref name="name"/>.</exception>
    public DnsProbe(string name, UplinkMeter meter)
    {
        (_name, _meter) = (name, meter);
        if (!DnsMessage.IsName(WithRandomLabel(name)))
        {
            throw new ArgumentException($"'{name}' is not a DNS name that a label fits below", nameof(name));
        }
    }

    /// <summary>The owner's zone answers for every name: a random one has an address honestly.</summary>
    public bool HasWildcard { get; init; }

    /// <param name="mayInvent">Providers' resolvers like to answer for names that do not exist with a page of theirs: no sign of an outage.</param>
    public async Task<ProbeOutcome> AskAsync(
        UplinkOptions uplink, IPEndPoint server, bool randomLabel, CancellationToken giveUp, bool mayInvent = false)
    {
        try
        {
            using var socket = BoundSocket.Udp(uplink, server.AddressFamily);
            await socket.ConnectAsync(server, giveUp);   // the kernel then drops what others send
            var query = DnsQuery.Create(randomLabel ? WithRandomLabel(_name) : _name, DnsType.A);
            await socket.SendAsync(query.Packet, giveUp);
            _meter.Add(uplink.Name, query.Packet.Length, 0);
            var addresses = (await ReceiveAsync(socket, query, uplink.Name, giveUp)).Addresses();
            var invented = randomLabel && !HasWildcard && !mayInvent && !addresses.IsEmpty;
            return invented || addresses.Any(a => IsInside(uplink, a)) ? ProbeOutcome.Refuted : ProbeOutcome.Answered;
        }
        catch (Exception e) when (e is SocketException or UplinkException or OperationCanceledException)
        {
            return ProbeOutcome.Lost;
        }
    }

    private async Task<DnsReply> ReceiveAsync(Socket socket, DnsQuery query, UplinkName uplink, CancellationToken giveUp)
    {
        var buffer = new byte[BufferLength];
        while (true)
        {
            // Anything that is not our answer may be a forger's: the real one is still waited for.
            var length = await socket.ReceiveAsync(buffer, giveUp);
            _meter.Add(uplink, 0, length);
            if (DnsMessage.TryParse(buffer.AsSpan(0, length), out var reply) && !reply.Truncated && query.IsAnsweredBy(reply))
            {
                return reply;
            }
        }
    }

    /// <summary>Of a network's own, or its very gateway.</summary>
    private bool IsInside(UplinkOptions uplink, IPAddress address) =>
        PublicNames.IsHijack(_name, address) || address.Equals(uplink.Gateway) || address.Equals(uplink.Address);

    private static string WithRandomLabel(string name)
    {
        Span<byte> random = stackalloc byte[RandomBytes];
        RandomNumberGenerator.Fill(random);
        return $"{Convert.ToHexStringLower(random)}.{name}";
    }
}
