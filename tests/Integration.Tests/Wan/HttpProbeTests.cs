using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Http;
using InternalHost.Wan.Probes;
using Lab.World;
using Microsoft.AspNetCore.Http;

namespace Integration.Tests.Wan;

/// <summary>204 or portal: a real HTTP server found by a name, over an uplink's own socket and resolver.</summary>
public sealed class HttpProbeTests : IAsyncLifetime
{
    private const string Name = "check.lab.test";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly LoopbackBlock _block = LoopbackBlock.Take();
    private readonly UplinkMeter _meter = new();
    private DnsServer _dns = null!;
    private TlsServer _server = null!;
    private RequestDelegate _respond = NoContent;
    private string _asked = "";

    public async Task InitializeAsync()
    {
        _dns = DnsServer.Start(new IPEndPoint(_block.Address(128), 0));
        _server = await TlsServer.StartAsync(new IPEndPoint(_block.Address(129), 0), certificate: null, context =>
        {
            _asked = $"{context.Request.Method} {context.Request.Host}{context.Request.Path}{context.Request.QueryString}";
            return _respond(context);
        });
        _dns.Zone.Add(Name, _block.Address(129));
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        await _dns.DisposeAsync();
        _block.Dispose();
    }

    [Fact]
    public async Task Nothing_is_the_right_answer_and_everything_left_by_the_uplink()
    {
        Assert.Equal(ProbeOutcome.Answered, await AskAsync());

        Assert.Equal($"GET {Name}:{_server.EndPoint.Port}/generate_204?x=1", _asked);
        Assert.All(_server.Connections, c => Assert.Equal(_block.Backup, c.Address));
        Assert.All(_dns.Seen, s => Assert.Equal(_block.Backup, s.From));
        Assert.True(_meter.Read(UplinkName.Backup) is { Sent: > 100 and < 1000, Received: > 50 and < 2000 });
    }

    [Fact]
    public async Task Portal_that_redirects_is_refuted_and_not_followed()
    {
        _respond = context =>
        {
            context.Response.Redirect($"http://{_block.Address(130)}:1/login");
            return Task.CompletedTask;
        };

        Assert.Equal(ProbeOutcome.Refuted, await AskAsync());
    }

    [Fact]
    public async Task Portal_that_shows_a_page_is_refuted_and_not_read_to_its_end()
    {
        _respond = async context =>
        {
            var page = new byte[64 * 1024];
            for (var i = 0; i < 64 && !context.RequestAborted.IsCancellationRequested; i++)
            {
                await context.Response.Body.WriteAsync(page);
            }
        };

        Assert.Equal(ProbeOutcome.Refuted, await AskAsync());
        Assert.InRange(_meter.Read(UplinkName.Backup).Received, 1, 16 * 1024);
    }

    [Fact]
    public async Task Hijacked_name_that_leads_to_a_portal_is_refuted()
    {
        await using var portal = await TlsServer.StartAsync(new IPEndPoint(_block.Address(131), _server.EndPoint.Port), certificate: null, context =>
        {
            context.Response.StatusCode = StatusCodes.Status511NetworkAuthenticationRequired;
            return Task.CompletedTask;
        });
        _dns.Behaviour = new DnsBehaviour { HijackTo = _block.Address(131) };

        Assert.Equal(ProbeOutcome.Refuted, await AskAsync());
        Assert.NotEmpty(portal.Connections);
    }

    [Theory]
    [InlineData("error")]
    [InlineData("no name")]
    [InlineData("hangs up")]
    [InlineData("silent")]
    public async Task Whoever_does_not_answer_the_question_is_lost(string how)
    {
        var patience = Patience;
        switch (how)
        {
            case "error":
                _respond = context =>
                {
                    context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                    return Task.CompletedTask;
                };
                break;
            case "no name":
                _dns.Zone.Remove(Name);
                break;
            case "hangs up":
                _respond = context =>
                {
                    context.Abort();
                    return Task.CompletedTask;
                };
                break;
            default:
                _server.Silence.Cut(_block.Backup);
                patience = TimeSpan.FromSeconds(1);
                break;
        }

        Assert.Equal(ProbeOutcome.Lost, await AskAsync(patience));
    }

    private static Task NoContent(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private async Task<ProbeOutcome> AskAsync(TimeSpan? patience = null)
    {
        using var limit = new CancellationTokenSource(patience ?? Patience);
        var trusted = new TrustedTime(new FakeKernel(), TimeProvider.System, null, TrustedTime.BuildDate);
        var resolver = new UplinkResolver([_dns.EndPoint], lastGood: null, _meter, TimeProvider.System);
        var probe = new HttpProbe(
            new Uri($"http://{Name}:{_server.EndPoint.Port}/generate_204?x=1"), new UplinkDialler(resolver, trusted, _meter, TimeProvider.System));
        return await probe.AskAsync(new UplinkOptions(UplinkName.Backup, "lo", _block.Backup), limit.Token);
    }
}
