using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Common.Net;
using InternalHost.Configuration;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Links;
using InternalHost.Wan.Probes;

namespace InternalHost.Wan.Http;

/// <summary>
/// Connections to a named server by the first uplink that reaches it: resolved there, addresses of both families overlapping, TLS
/// verified before the address counts as reached. So a hijacked name, a portal or a dead address each only cost the next try.
/// </summary>
internal sealed class UplinkDialler(UplinkResolver resolver, TrustedTime trusted, UplinkMeter meter, TimeProvider time)
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan TlsLimit = TimeSpan.FromSeconds(5);

    /// <summary>RFC 8305's delay between two connection attempts.</summary>
    private static readonly TimeSpan NextAddressAfter = TimeSpan.FromMilliseconds(250);

    /// <summary>What one uplink may take of the caller's patience while another is waiting.</summary>
    private static readonly TimeSpan UplinkLimit = TimeSpan.FromSeconds(12);

    /// <param name="trust">Null: no TLS.</param>
    /// <exception cref="HttpRequestException">No uplink reached it; says why for each.</exception>
    public async Task<Stream> DialAsync(ImmutableArray<UplinkOptions> route, DnsEndPoint server, ServerTrust? trust, CancellationToken ct)
    {
        var failures = new List<Exception>();
        foreach (var uplink in route)
        {
            using var limit = new CancellationTokenSource(UplinkLimit, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
            try
            {
                return await DialAsync(uplink, server, trust, either.Token);
            }
            catch (UplinkException e)
            {
                failures.Add(e);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                failures.Add(new UplinkException(uplink, $"reach {server.Host}", new SocketException((int)SocketError.TimedOut)));
            }
        }

        throw Unreachable(server, failures);
    }

    private async Task<Stream> DialAsync(UplinkOptions uplink, DnsEndPoint server, ServerTrust? trust, CancellationToken ct)
    {
        var resolution = await resolver.ResolveAsync(uplink, server.Host, ct);
        var addresses = resolution.Addresses.Where(a => BoundSocket.Carries(uplink, a.AddressFamily) || IPAddress.IsLoopback(a)).ToList();   // a loopback literal needs no uplink
        UplinkException? failed = null;
        while (addresses.Count > 0)
        {
            var (socket, address) = await ConnectAsync(uplink, addresses, server.Port, ct);
            try
            {
                var stream = await SecureAsync(uplink, socket, server.Host, trust, ct);
                if (trust is not null)
                {
                    resolver.Prove(resolution, address, trusted.Now);
                }

                return stream;
            }
            catch (UplinkException e)
            {
                failed = e;
                addresses.Remove(address);
            }
        }

        throw failed ?? new UplinkException(uplink, $"{server.Host} has no address of this uplink's family");
    }

    /// <summary>The first of the addresses that takes the connection; those that refuse are struck off.</summary>
    private async Task<(Socket Socket, IPAddress Address)> ConnectAsync(UplinkOptions uplink, List<IPAddress> addresses, int port, CancellationToken ct)
    {
        var tried = addresses.ToList();
        var attempts = tried.Select(Attempt).ToList();
        try
        {
            var (index, socket) = await Staggered.FirstAsync(attempts, NextAddressAfter, time, late => late.Dispose(), ct);
            return (socket, tried[index]);
        }
        catch (AggregateException e)
        {
            throw e.InnerExceptions.OfType<UplinkException>().FirstOrDefault() ?? new UplinkException(uplink, "connect", e);
        }

        Func<CancellationToken, Task<Socket>> Attempt(IPAddress address) => async token =>
        {
            try
            {
                return await BoundSocket.ConnectAsync(uplink, new IPEndPoint(address, port), ConnectLimit, time, token);
            }
            catch (UplinkException)
            {
                lock (addresses)
                {
                    addresses.Remove(address);
                }

                throw;
            }
        };
    }

    private async Task<Stream> SecureAsync(UplinkOptions uplink, Socket socket, string host, ServerTrust? trust, CancellationToken ct)
    {
        var remote = socket.RemoteEndPoint;
        var plain = meter.Measure(uplink.Name, socket);
        if (trust is null)
        {
            return plain;
        }

        var secure = new SslStream(plain);
        using var limit = new CancellationTokenSource(TlsLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await secure.AuthenticateAsClientAsync(trust.For(host), either.Token);
            return secure;
        }
        catch (Exception e)
        {
            await secure.DisposeAsync();
            ct.ThrowIfCancellationRequested();
            throw e switch
            {
                OperationCanceledException => new UplinkException(uplink, $"TLS with {host} ({remote})", new SocketException((int)SocketError.TimedOut)),
                AuthenticationException or IOException => new UplinkException(uplink, $"TLS with {host} ({remote}): {e.Message}", e),
                _ => e,
            };
        }
    }

    private static HttpRequestException Unreachable(DnsEndPoint server, List<Exception> failures)
    {
        var refused = failures.Exists(f => f.InnerException is AuthenticationException);
        var reasons = failures.Count == 0 ? "no uplink to try" : string.Join("; ", failures.Select(f => f.Message));
        return new HttpRequestException(
            refused ? HttpRequestError.SecureConnectionError : HttpRequestError.ConnectionError,
            $"{server.Host}:{server.Port} not reached: {reasons}",
            failures.Count == 1 ? failures[0] : new AggregateException(failures));
    }
}
