using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using InternalHost.Configuration;
using InternalHost.Wan.Links;

namespace InternalHost.Wan.Probes;

/// <summary>Asks one STUN server by one uplink which address it is seen from: about 100 bytes with all headers.</summary>
internal sealed class StunClient(UplinkMeter meter, TimeProvider time)
{
    /// <summary>RFC 8489 section 6.2.1; doubled each time.</summary>
    private static readonly TimeSpan FirstRetransmission = TimeSpan.FromMilliseconds(500);

    /// <summary>A binding response with everything that servers add has about 100 bytes.</summary>
    private const int BufferLength = 1500;

    /// <summary>Asks again until the answer comes or <paramref name="ct"/> ends it.</summary>
    /// <exception cref="UplinkException">The server refuses, or nobody is there.</exception>
    public async Task<IPAddress> AskAsync(UplinkOptions uplink, IPEndPoint server, CancellationToken ct)
    {
        try
        {
            using var socket = BoundSocket.Udp(uplink, server.AddressFamily);
            await socket.ConnectAsync(server, ct);   // the kernel then drops what others send
            var transaction = RandomNumberGenerator.GetBytes(StunMessage.TransactionLength);
            using var answered = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var sending = SendAsync(uplink, socket, StunMessage.Request(transaction), answered.Token);
            try
            {
                return await ReceiveAsync(uplink, server, socket, transaction, ct);
            }
            finally
            {
                await answered.CancelAsync();
                await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);   // what a lost packet means shows when nothing is received
            }
        }
        catch (SocketException cause)
        {
            throw new UplinkException(uplink, $"ask STUN server {server}", cause);
        }
    }

    private async Task SendAsync(UplinkOptions uplink, Socket socket, byte[] request, CancellationToken ct)
    {
        for (var pause = FirstRetransmission; ; pause *= 2)
        {
            await socket.SendAsync(request, ct);
            meter.Add(uplink.Name, request.Length, 0);
            await Task.Delay(pause, time, ct);
        }
    }

    private async Task<IPAddress> ReceiveAsync(UplinkOptions uplink, IPEndPoint server, Socket socket, byte[] transaction, CancellationToken ct)
    {
        var buffer = new byte[BufferLength];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, ct);
            meter.Add(uplink.Name, 0, length);
            var reading = StunMessage.Read(buffer.AsSpan(0, length), transaction);
            if (reading.Mapped is { } mapped)
            {
                return mapped.Address.IsIPv4MappedToIPv6 ? mapped.Address.MapToIPv4() : mapped.Address;
            }

            if (reading.IsRefusal)
            {
                throw new UplinkException(uplink, $"ask STUN server {server}: {reading.Problem}");
            }

            // Anything else may be a forger's: the real answer is still waited for.
        }
    }
}
