using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Lab.World;

/// <summary>Plain HTTP/1.1 on a loopback address, which can go down and come up again on the same port.</summary>
/// <param name="at">Port 0: a free one.</param>
internal sealed class LoopbackWeb(IPEndPoint at, RequestDelegate answer)
{
    private WebApplication? _app;

    public IPEndPoint EndPoint { get; private set; } = at;

    /// <summary>Connections are refused from now on.</summary>
    public async Task GoDownAsync()
    {
        if (Interlocked.Exchange(ref _app, null) is { } app)
        {
            await app.StopAsync(new CancellationToken(canceled: true));
            await app.DisposeAsync();
        }
    }

    public async Task GoUpAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(EndPoint, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        EndPoint = IPEndPoint.Parse(new Uri(app.Urls.First()).Authority);
        _app = app;
    }
}
