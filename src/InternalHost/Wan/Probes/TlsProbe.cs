using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;

namespace InternalHost.Wan.Probes;

/// <summary>
/// One TCP connection to a TLS witness, by address. A plain connect shows that somebody accepts; the whole handshake shows who:
/// its certificate must carry the name and lead to a root we trust, at a time we trust.
/// </summary>
internal sealed class TlsProbe(string name, ServerTrust trust, UplinkMeter meter, TimeProvider time)
{
    /// <summary>The caller gives up sooner.</summary>
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(30);

    public async Task<ProbeOutcome> AskAsync(UplinkOptions uplink, IPEndPoint server, bool full, CancellationToken giveUp)
    {
        try
        {
            var socket = await BoundSocket.ConnectAsync(uplink, server, ConnectLimit, time, giveUp);
            await using var plain = meter.Measure(uplink.Name, socket);
            if (!full)
            {
                return ProbeOutcome.Answered;
            }

            await using var secure = new SslStream(plain);
            var options = trust.For(name);
            options.AllowTlsResume = false;   // a resumed session judges no certificate
            await secure.AuthenticateAsClientAsync(options, giveUp);
            return ProbeOutcome.Authenticated;
        }
        catch (AuthenticationException)
        {
            return ProbeOutcome.Refuted;
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            return ProbeOutcome.Lost;
        }
    }
}
