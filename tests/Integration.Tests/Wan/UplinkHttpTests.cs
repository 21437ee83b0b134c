using System.Net;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using Lab.World;
using Microsoft.AspNetCore.Http;

namespace Integration.Tests.Wan;

public sealed class UplinkHttpTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static IEnumerable<string> Sources(HttpWorld world) => world.Api.Connections.Select(c => c.Address.ToString());

    [Fact]
    public async Task Server_sees_the_uplinks_own_address()
    {
        await using var world = await HttpWorld.StartAsync(71, context => context.Response.WriteAsync("hello"));

        Assert.Equal("hello", await world.Client().GetStringAsync(world.Url));
        Assert.Equal(["127.71.0.2"], Sources(world));
    }

    [Fact]
    public async Task Next_uplink_is_tried_when_the_first_is_gone()
    {
        await using var world = await HttpWorld.StartAsync(72);
        world.Route = [world.Primary with { Interface = "ppp9" }, world.Backup];

        await world.Client().GetAsync(world.Url);

        Assert.Equal(["127.72.0.2"], Sources(world));
    }

    [Fact]
    public async Task Next_uplink_is_tried_when_the_first_is_dark()
    {
        await using var world = await HttpWorld.StartAsync(73);
        world.Route = [world.Primary, world.Backup];
        world.Api.Silence.Cut(world.Primary.Address!);

        await world.Client().GetAsync(world.Url).WaitAsync(Limit);

        Assert.Equal(["127.73.0.1", "127.73.0.2"], Sources(world));
    }

    [Fact]
    public async Task No_uplink_left_says_why_for_each_without_the_requests_address()
    {
        await using var world = await HttpWorld.StartAsync(74);
        world.Route = [world.Primary with { Interface = "ppp9" }, world.Backup];
        world.Dns.Zone.Add(HttpWorld.Name, world.At(99));

        var e = await Assert.ThrowsAsync<HttpRequestException>(() => world.Client().GetAsync(new Uri(world.Url, "/bot-SECRET/send")));

        Assert.Contains("primary uplink (ppp9", e.Message);
        Assert.Contains("backup uplink (lo", e.Message);
        Assert.DoesNotContain("SECRET", e.ToString());
    }

    [Fact]
    public async Task Connection_is_kept_on_one_route_and_left_behind_on_another()
    {
        await using var world = await HttpWorld.StartAsync(75);
        var client = world.Client();

        await client.GetAsync(world.Url);
        await client.GetAsync(world.Url);
        world.Route = [world.Primary];
        await client.GetAsync(world.Url);
        world.Route = [world.Backup];
        await client.GetAsync(world.Url);

        Assert.Equal(["127.75.0.2", "127.75.0.1", "127.75.0.2"], Sources(world));
    }

    [Fact]
    public async Task Answer_under_way_outlives_its_route()
    {
        var half = new TaskCompletionSource();
        await using var world = await HttpWorld.StartAsync(76, async context =>
        {
            await context.Response.WriteAsync("first ");
            await context.Response.Body.FlushAsync();
            if (context.Request.Path == "/slow")
            {
                await half.Task;
            }

            await context.Response.WriteAsync("second");
        });
        var client = world.Client();

        using var slow = await client.GetAsync(new Uri(world.Url, "/slow"), HttpCompletionOption.ResponseHeadersRead);
        world.Route = [world.Primary];
        await client.GetStringAsync(world.Url);
        half.SetResult();

        Assert.Equal("first second", await slow.Content.ReadAsStringAsync().WaitAsync(Limit));
    }

    [Fact]
    public async Task Proven_addresses_serve_when_dns_is_dead_even_after_a_restart()
    {
        await using var world = await HttpWorld.StartAsync(77);
        await world.Client().GetAsync(world.Url);

        world.Dns.Behaviour = new DnsBehaviour { UdpSilent = true, TcpSilent = true };
        world.Restart();
        var answer = await world.Client().GetAsync(world.Url);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task Hijacked_name_fails_the_handshake_and_the_proven_address_is_used()
    {
        await using var world = await HttpWorld.StartAsync(78);
        using var stranger = LabAuthority.Create("Somebody else");
        using var forged = stranger.Issue(HttpWorld.Name);
        await using var portal = await TlsServer.StartAsync(new IPEndPoint(world.At(66), world.Api.EndPoint.Port), forged);
        await world.Client().GetAsync(world.Url);

        world.Dns.Behaviour = new DnsBehaviour { HijackTo = world.At(66) };
        await world.Client().GetAsync(world.Url);
        await world.Client().GetAsync(world.Url);

        Assert.Equal(2, portal.Connections.Count);
        Assert.Equal(3, world.Api.Connections.Count);
    }

    [Fact]
    public async Task Hijack_is_not_remembered()
    {
        await using var world = await HttpWorld.StartAsync(79);
        using var stranger = LabAuthority.Create("Somebody else");
        using var forged = stranger.Issue(HttpWorld.Name);
        await using var portal = await TlsServer.StartAsync(new IPEndPoint(world.At(66), world.Api.EndPoint.Port), forged);
        world.Dns.Behaviour = new DnsBehaviour { HijackTo = world.At(66) };

        var e = await Assert.ThrowsAsync<HttpRequestException>(() => world.Client().GetAsync(world.Url));

        Assert.Equal(HttpRequestError.SecureConnectionError, e.HttpRequestError);
        world.Dns.Behaviour = new DnsBehaviour { Rcode = 3 };
        await Assert.ThrowsAsync<HttpRequestException>(() => world.Client().GetAsync(world.Url));
        Assert.Single(portal.Connections);
    }

    [Fact]
    public async Task Second_address_is_tried_when_the_first_refuses()
    {
        await using var world = await HttpWorld.StartAsync(80);
        world.Dns.Zone.Add(HttpWorld.Name, world.At(98), world.At(99), world.At(80));

        Assert.Equal(HttpStatusCode.NoContent, (await world.Client().GetAsync(world.Url)).StatusCode);
    }

    [Fact]
    public async Task Other_family_is_tried_too()
    {
        using var authority = LabAuthority.Create();
        await using var world = await HttpWorld.StartAsync(81, authority: authority);
        await using var six = await TlsServer.StartAsync(new IPEndPoint(IPAddress.IPv6Loopback, 0), authority.Issue(HttpWorld.Name));
        world.Dns.Zone.Add(HttpWorld.Name, world.At(99), IPAddress.IPv6Loopback);
        world.Route = [world.Backup with { Address = null }];

        await world.Client().GetAsync(new Uri($"https://{HttpWorld.Name}:{six.EndPoint.Port}/"));

        Assert.Equal(IPAddress.IPv6Loopback, Assert.Single(six.Connections).Address);
    }

    [Theory]
    [InlineData("http://192.0.2.1/")]
    [InlineData("http://api.example.com/")]
    [InlineData("http://10.0.0.1/")]
    public async Task Plain_http_never_leaves_the_machine(string url)
    {
        await using var world = await HttpWorld.StartAsync(82);

        var e = await Assert.ThrowsAsync<HttpRequestException>(() => world.Client().GetAsync(new Uri(url)));

        Assert.Contains("only https leaves this machine", e.Message);
        Assert.Empty(world.Dns.Seen);
    }

    [Fact]
    public async Task Plain_http_reaches_loopback_from_any_uplink()
    {
        await using var world = await HttpWorld.StartAsync(83);
        await using var plain = await TlsServer.StartAsync(new IPEndPoint(world.At(90), 0), certificate: null);
        world.Route = [new UplinkOptions(UplinkName.Backup, "wwan9")];

        Assert.Equal(HttpStatusCode.NoContent, (await world.Client().GetAsync(new Uri($"http://{plain.EndPoint}/"))).StatusCode);
    }

    [Fact]
    public async Task Redirect_is_not_followed_and_cookies_are_not_kept()
    {
        var cookies = new List<string?>();
        await using var world = await HttpWorld.StartAsync(84, context =>
        {
            cookies.Add(context.Request.Headers.Cookie);
            context.Response.Headers.SetCookie = "a=b";
            context.Response.Redirect("https://elsewhere.lab.test/");
            return Task.CompletedTask;
        });
        var client = world.Client();

        await client.GetAsync(world.Url);
        var answer = await client.GetAsync(world.Url);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal([null, null], cookies);
    }

    [Fact]
    public async Task Bytes_are_counted_by_uplink_and_direction()
    {
        const int down = 200_000, up = 100_000;
        await using var world = await HttpWorld.StartAsync(85, async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            await context.Response.Body.WriteAsync(new byte[down]);
        });

        await (await world.Client().PostAsync(world.Url, new ByteArrayContent(new byte[up]))).Content.ReadAsByteArrayAsync();

        var bytes = world.Meter.Read(UplinkName.Backup);
        Assert.InRange(bytes.Received, down, down + 10_000);
        Assert.InRange(bytes.Sent, up, up + 10_000);
        Assert.Equal(default, world.Meter.Read(UplinkName.Primary));
    }

    [Fact]
    public async Task Cancelling_is_the_callers_cancelling()
    {
        await using var world = await HttpWorld.StartAsync(86);
        world.Api.Silence.Cut(world.Backup.Address!);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => world.Client().GetAsync(world.Url, cancel.Token));
    }
}
