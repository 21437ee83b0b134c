using System.Collections.Concurrent;
using System.Net;
using Common.Alerts;
using Common.Alerts.Telegram;
using Common.Alerts.Webhook;
using Integration.Tests.Wan;
using Lab.World;
using Microsoft.AspNetCore.Http;
using Testing;

namespace Integration.Tests.Alerts;

/// <summary>The inside's channels by its real way out: bound to an uplink, resolved there, TLS of a private authority.</summary>
public sealed class ChannelsByUplinkTests : IDisposable
{
    private const string Token = "123456:AbCdEfGhIjKlMnOpQrStUvWxYz-_0123456";
    private static readonly OutgoingMessage Message = new("7F3K", "42", "home: test #7F3K") { Kind = "test", RaisedAt = DateTimeOffset.UnixEpoch };
    private static readonly SendOutcome Unreachable = new SendOutcome.NotNow("gateway cannot be reached", null);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("by-uplink");
    private readonly ConcurrentQueue<string> _asked = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Telegram_and_webhook_go_by_the_uplink_with_the_authority_that_was_named()
    {
        await using var world = await HttpWorld.StartAsync(91, AnswerAsync);

        Assert.Equal(new SendOutcome.Handed("42"), await Telegram(world).SendAsync(Message, default));
        Assert.Equal(new SendOutcome.Handed(null), await Webhook(world).SendAsync(Message, default));

        Assert.Equal([$"POST /bot{Token}/sendMessage", "POST /told"], _asked);
        Assert.All(world.Api.Connections, c => Assert.Equal(world.Backup.Address, c.Address));
    }

    [Fact]
    public async Task Certificate_of_another_authority_gets_neither_token_nor_text()
    {
        using var other = LabAuthority.Create("Somebody else");
        await using var world = await HttpWorld.StartAsync(92, AnswerAsync, certificate: other.Issue(HttpWorld.Name));

        Assert.Equal(new SendOutcome.NotNow("gateway's certificate or TLS fails", null), await Telegram(world).SendAsync(Message, default));
        Assert.Equal(new SendOutcome.NotNow("gateway's certificate or TLS fails", null), await Webhook(world).SendAsync(Message, default));

        Assert.Empty(_asked);
    }

    [Fact]
    public async Task Name_that_is_unknown_or_gets_no_answer_is_certainly_not_sent_and_goes_when_it_is_back()
    {
        await using var world = await HttpWorld.StartAsync(93, AnswerAsync);
        var telegram = Telegram(world);
        foreach (var behaviour in new[] { new DnsBehaviour { Rcode = 3 }, new DnsBehaviour { UdpSilent = true, TcpSilent = true } })
        {
            world.Dns.Behaviour = behaviour;
            Assert.Equal(Unreachable, await telegram.SendAsync(Message, default));
        }

        world.Dns.Behaviour = new DnsBehaviour();

        Assert.Equal(new SendOutcome.Handed("42"), await telegram.SendAsync(Message, default));
        Assert.Single(_asked);
    }

    [NeedsFact(Need.Ipv6)]
    public async Task Family_that_leads_nowhere_does_not_keep_a_message_from_the_other()
    {
        await using var world = await HttpWorld.StartAsync(94, AnswerAsync);
        using var nowhere = await BlackHole.StartAsync(new IPEndPoint(IPAddress.IPv6Loopback, world.Api.EndPoint.Port));
        world.Dns.Zone.Add(HttpWorld.Name, IPAddress.IPv6Loopback, world.At(80));
        world.Route = [world.Backup with { Address = null }];

        Assert.Equal(new SendOutcome.Handed("42"), await Telegram(world).SendAsync(Message, default));
    }

    private TelegramChannel Telegram(HttpWorld world)
    {
        var client = world.Client();
        return new TelegramChannel(() => client, new TelegramOptions(world.Url, Put("token", Token)), TimeProvider.System);
    }

    private static WebhookChannel Webhook(HttpWorld world)
    {
        var client = world.Client();
        return new WebhookChannel(() => client, new WebhookOptions("home", WebhookShape.Json, new Uri(world.Url, "/told"), null), TimeProvider.System);
    }

    private Task AnswerAsync(HttpContext context)
    {
        _asked.Enqueue($"{context.Request.Method} {context.Request.Path}");
        return context.Response.WriteAsync("""{"ok":true,"result":{"message_id":42}}""");
    }

    private string Put(string name, string secret)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, secret + "\n");
        return path;
    }
}
