using System.Collections.Immutable;
using System.Net;
using InternalHost.Configuration;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Probes;

namespace InternalHost.Wan.Http;

/// <summary>
/// HTTP by one uplink, for cloud, alerts and checks alike: bound sockets, own resolver, no proxy, no cookie, no redirect, certificates
/// held against trusted time. A change of route takes a new set of connections: what was made over a dead primary is never used again.
/// </summary>
/// <remarks>Nothing here logs a request's address: tokens live in it.</remarks>
/// <param name="route">The uplinks to try, in order, at this moment (<see cref="WayOut.Route"/>).</param>
internal sealed class UplinkHttp(Func<ImmutableArray<UplinkOptions>> route, UplinkDialler dialler, TrustedTime trusted)
{
    /// <summary>A request under way over a link that dies is given up after this; it is not repeated here, for it may have arrived.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);

    /// <summary>A client with the machinery below; its owner disposes it.</summary>
    /// <param name="caFile">PEM of a private root; null: the system's roots.</param>
    public HttpClient CreateClient(string? caFile = null) => new(CreateHandler(caFile), disposeHandler: true) { Timeout = RequestTimeout };

    public HttpMessageHandler CreateHandler(string? caFile = null) =>
        new RoutedHandler(route, new ServerTrust(trusted, caFile), dialler, trusted);
}

/// <summary>One <see cref="SocketsHttpHandler"/> for each route; the old one is let go when its last request has ended.</summary>
internal sealed class RoutedHandler(
    Func<ImmutableArray<UplinkOptions>> route, ServerTrust trust, UplinkDialler dialler, TrustedTime trusted) : HttpMessageHandler
{
    /// <summary>Long enough for the calls of one step, short enough that a resolver's news is heard.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan IdleLifetime = TimeSpan.FromSeconds(20);

    /// <summary>Two uplinks with all their limits.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(25);

    private readonly Lock _gate = new();
    private Generation? _current;
    private bool _disposed;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RefusePlainText(request.RequestUri!);
        var generation = Enter(route());
        try
        {
            var response = await generation.Invoker.SendAsync(request, cancellationToken);
            if (request.RequestUri!.Scheme == Uri.UriSchemeHttps && response.Headers.Date is { } date)
            {
                trusted.OfferServerDate(date);
            }

            return response;
        }
        catch (HttpRequestException e) when (e.InnerException is HttpRequestException reason)
        {
            // The handler wraps what its callback throws and loses whether it was the connection or the certificate.
            throw new HttpRequestException(reason.HttpRequestError, reason.Message, e);
        }
        finally
        {
            Leave(generation);
        }
    }

    protected override void Dispose(bool disposing)
    {
        lock (_gate)
        {
            _disposed = true;
            Retire(_current);
            _current = null;
        }

        base.Dispose(disposing);
    }

    private static void RefusePlainText(Uri uri)
    {
        var loopback = IPAddress.TryParse(uri.IdnHost, out var address) ? IPAddress.IsLoopback(address) : uri.IdnHost.Equals("localhost", StringComparison.OrdinalIgnoreCase);
        if (uri.Scheme != Uri.UriSchemeHttps && !(uri.Scheme == Uri.UriSchemeHttp && loopback))
        {
            throw new HttpRequestException($"{uri.Scheme}:// to {uri.Host} is refused: only https leaves this machine (http is for loopback addresses)");
        }
    }

    private Generation Enter(ImmutableArray<UplinkOptions> now)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_current is null || !_current.Route.SequenceEqual(now))
            {
                Retire(_current);
                _current = new Generation(now, new HttpMessageInvoker(Create(now)));
            }

            _current.Requests++;
            return _current;
        }
    }

    private void Leave(Generation generation)
    {
        lock (_gate)
        {
            generation.Requests--;
            DisposeIfDoneLocked(generation);
        }
    }

    private static void Retire(Generation? generation)
    {
        if (generation is not null)
        {
            generation.IsRetired = true;
            DisposeIfDoneLocked(generation);
        }
    }

    private static void DisposeIfDoneLocked(Generation generation)
    {
        if (generation is { IsRetired: true, Requests: 0 })
        {
            generation.Invoker.Dispose();
        }
    }

    private SocketsHttpHandler Create(ImmutableArray<UplinkOptions> uplinks) => new()
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = ConnectionLifetime,
        PooledConnectionIdleTimeout = IdleLifetime,
        ConnectTimeout = ConnectTimeout,

        // A stream that is TLS already is used as it is.
        ConnectCallback = async (context, ct) => await dialler.DialAsync(
            uplinks, context.DnsEndPoint, context.InitialRequestMessage.RequestUri!.Scheme == Uri.UriSchemeHttps ? trust : null, ct),
    };

    /// <summary>All but the invoker is guarded by the handler's gate.</summary>
    private sealed class Generation(ImmutableArray<UplinkOptions> route, HttpMessageInvoker invoker)
    {
        public ImmutableArray<UplinkOptions> Route { get; } = route;

        public HttpMessageInvoker Invoker { get; } = invoker;

        public int Requests { get; set; }

        public bool IsRetired { get; set; }
    }
}
