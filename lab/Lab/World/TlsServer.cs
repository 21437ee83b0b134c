using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Connections;

namespace Lab.World;

/// <summary>
/// An HTTPS server of the lab (plain HTTP without a certificate), one per address and port. It notes where each connection came from,
/// and can be made to hear nothing from a source address: new connections are accepted by the kernel and never answered, requests
/// under way wait.
/// </summary>
/// <example><code>
/// await using var api = await TlsServer.StartAsync(new IPEndPoint(IPAddress.Parse("127.9.0.80"), 443), authority.Issue("api.lab.test"),
///     context => context.Response.WriteAsync("hello"));
/// </code></example>
public sealed class TlsServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TlsServer(WebApplication app) => _app = app;

    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.None, 0);

    public Silence Silence { get; } = new();

    /// <summary>The far end of every connection made so far, oldest first.</summary>
    public ConcurrentQueue<IPEndPoint> Connections { get; } = new();

    /// <param name="respond">Null: 204 to everything.</param>
    /// <param name="alsoAt">It listens there too: its other family.</param>
    public static async Task<TlsServer> StartAsync(IPEndPoint at, LabCertificate? certificate, RequestDelegate? respond = null, IPEndPoint? alsoAt = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        TlsServer server = null!;
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(at, Serve);
            if (alsoAt is not null)
            {
                kestrel.Listen(alsoAt, Serve);
            }
        });
        server = new TlsServer(builder.Build());
        server._app.Run(context => server.RespondAsync(context, respond));
        await server._app.StartAsync();
        server.EndPoint = Listening(server._app);
        return server;

        void Serve(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => server.AcceptAsync(connection, next));
            if (certificate is not null)
            {
                listen.UseHttps(Present(certificate));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();   // open connections are dropped, not waited for
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private static TlsHandshakeCallbackOptions Present(LabCertificate certificate)
    {
        // Offline: the server must not go and fetch its own issuer, or a test could not tell who did.
        var context = SslStreamCertificateContext.Create(certificate.Certificate, null, offline: true);
        return new TlsHandshakeCallbackOptions { OnConnection = _ => new(new SslServerAuthenticationOptions { ServerCertificateContext = context }) };
    }

    private static IPEndPoint Listening(WebApplication app)
    {
        var uri = new Uri(app.Urls.First());
        return new IPEndPoint(IPAddress.Parse(uri.Host), uri.Port);
    }

    private async Task AcceptAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var from = (IPEndPoint)connection.RemoteEndPoint!;
        Connections.Enqueue(from);
        try
        {
            await Silence.EndAsync(from.Address, connection.ConnectionClosed);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        await next(connection);
    }

    private async Task RespondAsync(HttpContext context, RequestDelegate? respond)
    {
        await Silence.EndAsync(context.Connection.RemoteIpAddress, context.RequestAborted);
        if (respond is not null)
        {
            await respond(context);
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }
}
