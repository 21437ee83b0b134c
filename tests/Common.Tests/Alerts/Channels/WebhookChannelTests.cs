using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Common.Alerts;
using Common.Alerts.Webhook;
using Testing;

namespace Common.Tests.Alerts.Channels;

public sealed class WebhookChannelTests : IDisposable
{
    private const string Address = "https://hooks.example.net/services/T0/B0/s3cr3t";

    private static readonly OutgoingMessage Message = new("7F3K", WebhookChannel.Recipient, """home LOGIN 02:31: "al\ice", <!channel> *x* & @everyone #7F3K""")
    {
        Kind = "login",
        Severity = Severity.Critical,
        RaisedAt = FakeTime.Epoch,
    };

    private readonly SecretFolder _secrets = new();
    private readonly ScriptedHttp _server = new();

    public void Dispose()
    {
        _secrets.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task Json_holds_every_field_and_any_2xx_is_acceptance()
    {
        _server.Next(HttpStatusCode.Accepted, "<html>whatever</html>");

        Assert.Equal(new SendOutcome.Handed(null), await Send(WebhookShape.Json));

        var body = Body();
        Assert.Equal(
            ("7F3K", "login", "critical", "home", Message.Text, "2026-01-01T00:00:00Z"),
            (Text(body, "id"), Text(body, "kind"), Text(body, "severity"), Text(body, "site"), Text(body, "text"), Text(body, "at")));
    }

    [Fact]
    public async Task Ntfy_gets_its_topic_in_the_body_and_a_priority_that_rings()
    {
        await Send(WebhookShape.Ntfy, "https://ntfy.example.net/base/home-7x");

        Assert.Equal("https://ntfy.example.net/base/", _server.Requests[0].Address.AbsoluteUri);
        var body = Body();
        Assert.Equal(("home-7x", 5, "home: login"), (Text(body, "topic"), body.GetProperty("priority").GetInt32(), Text(body, "title")));
        Assert.Equal("login", body.GetProperty("tags")[0].GetString());
    }

    [Fact]
    public async Task Details_follow_the_text_a_line_each_as_many_as_there_is_room_for()
    {
        var message = Message with { Details = [new AlertDetail("user", "a*b"), new AlertDetail("key", "SHA256:x")] };

        await Send(WebhookShape.Slack, message: message);
        Assert.EndsWith("#7F3K\nuser: a*b\nkey: SHA256:x", Text(Body(), "text"), StringComparison.Ordinal);

        await Send(WebhookShape.Discord, message: message);
        Assert.EndsWith("\nuser\\: a\\*b\nkey\\: SHA256\\:x", Text(Body(), "content"), StringComparison.Ordinal);

        await Send(WebhookShape.PagerDuty, key: "k", message: message with { Details = [.. Enumerable.Repeat(new AlertDetail("user", new string('x', 94)), 50)] });
        var lines = Text(Body().GetProperty("payload").GetProperty("custom_details"), "details")!.Split('\n');
        Assert.Equal(10, lines.Length);   // of 100 and the end of the line: 1,024
        Assert.All(lines, line => Assert.Equal(100, line.Length));
    }

    [Fact]
    public async Task Ntfy_without_a_topic_sends_nothing()
    {
        Assert.Contains("topic", Assert.IsType<SendOutcome.NotNow>(await Send(WebhookShape.Ntfy, "https://ntfy.example.net/")).Reason, StringComparison.Ordinal);
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task Slack_gets_no_markup()
    {
        await Send(WebhookShape.Slack);

        Assert.Contains("&lt;!channel&gt; *x* &amp; @everyone", Text(Body(), "text"), StringComparison.Ordinal);
        Assert.False(Body().GetProperty("mrkdwn").GetBoolean());
    }

    [Fact]
    public async Task Discord_gets_no_markup_and_mentions_nobody()
    {
        await Send(WebhookShape.Discord);

        Assert.Contains(@"\<!channel\> \*x\* & \@everyone", Text(Body(), "content"), StringComparison.Ordinal);
        Assert.Equal(0, Body().GetProperty("allowed_mentions").GetProperty("parse").GetArrayLength());
    }

    [Fact]
    public async Task PagerDuty_knows_an_alert_by_its_id()
    {
        await Send(WebhookShape.PagerDuty, key: "R0UT1NG");

        var body = Body();
        Assert.Equal(("R0UT1NG", "trigger", "home-7F3K"), (Text(body, "routing_key"), Text(body, "event_action"), Text(body, "dedup_key")));
        Assert.Equal("critical", Text(body.GetProperty("payload"), "severity"));
    }

    [Fact]
    public void PagerDuty_without_a_key_is_told_before_anything_is_sent() =>
        Assert.Contains("key", new WebhookOptions("home", WebhookShape.PagerDuty, new Uri(Address), null).Fault(), StringComparison.Ordinal);

    [Fact]
    public async Task An_own_template_is_filled_and_nothing_leaves_its_string()
    {
        var template = WebhookTemplate.Parse("""{"a": ["{text}!", {"n": "{priority}", "s": "p{priority}"}], "b": 7, "c": null, "d": "{{id}}"}""");

        await Send(WebhookShape.Own(template));

        var body = Body();
        Assert.Equal(Message.Text + "!", body.GetProperty("a")[0].GetString());
        Assert.Equal((5, "p5"), (body.GetProperty("a")[1].GetProperty("n").GetInt32(), Text(body.GetProperty("a")[1], "s")));
        Assert.Equal((7, JsonValueKind.Null, "{id}"), (body.GetProperty("b").GetInt32(), body.GetProperty("c").ValueKind, Text(body, "d")));
    }

    [Theory]
    [InlineData("hello {text}", "is not JSON")]
    [InlineData("""{"a": {text}}""", "is not JSON")]
    [InlineData("""{"a": "{txt}"}""", "has no field {txt}; known: ")]
    [InlineData("""{"a": "{"}""", "has no field {}")]
    public void A_template_with_a_mistake_is_told(string template, string told) =>
        Assert.Contains(told, Assert.Throws<FormatException>(() => WebhookTemplate.Parse(template)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Signature_and_token_go_with_the_body()
    {
        var options = new WebhookOptions("home", WebhookShape.Json, new Uri(Address), null, _secrets.Put("token", "t0k"), _secrets.Put("sign", "hm4c"));
        await new WebhookChannel(() => _server.Client, options, new FakeTime()).SendAsync(Message, CancellationToken.None);

        var (_, body, headers) = Assert.Single(_server.Requests);
        var expected = Convert.ToHexStringLower(HMACSHA256.HashData("hm4c"u8, Encoding.UTF8.GetBytes(body)));
        Assert.Equal(("Bearer t0k", $"sha256={expected}", "7F3K"), (headers["Authorization"], headers[WebhookChannel.SignatureHeader], headers["Idempotency-Key"]));
    }

    [Fact]
    public async Task A_secret_address_is_read_each_time_and_never_told()
    {
        var options = new WebhookOptions("home", WebhookShape.Slack, null, _secrets.Put("url", "http://hooks.example.net/plain"));
        var channel = new WebhookChannel(() => _server.Client, options, new FakeTime());

        var refused = Assert.IsType<SendOutcome.NotNow>(await channel.SendAsync(Message, CancellationToken.None));
        _secrets.Put("url", Address);
        Assert.IsType<SendOutcome.Handed>(await channel.SendAsync(Message, CancellationToken.None));

        Assert.DoesNotContain("example", refused.Reason, StringComparison.Ordinal);
        Assert.Equal(Address, Assert.Single(_server.Requests).Address.AbsoluteUri);
    }

    public static TheoryData<int, TimeSpan?, string> Statuses => new()
    {
        { 301, null, "NotNow" }, { 307, null, "NotNow" }, { 429, TimeSpan.FromSeconds(30), "NotNow" }, { 429, null, "NotNow" }, { 503, null, "NotNow" }, { 408, null, "NotNow" },
        { 500, null, "Unclear" }, { 502, null, "Unclear" }, { 504, null, "Unclear" },
        { 400, null, "Refused Message" }, { 413, null, "Refused Message" }, { 422, null, "Refused Message" },
        { 401, null, "Refused Channel" }, { 403, null, "Refused Channel" }, { 404, null, "Refused Channel" }, { 410, null, "Refused Channel" },
    };

    [Theory]
    [MemberData(nameof(Statuses))]
    public async Task Statuses_mean_what_they_mean(int status, TimeSpan? retryAfter, string expected)
    {
        _server.Next((HttpStatusCode)status, "secret words of theirs", retryAfter);

        var outcome = await Send(WebhookShape.Json);

        Assert.Equal(expected, outcome is SendOutcome.Refused r ? $"Refused {r.Scope}" : outcome.GetType().Name);
        Assert.Equal(retryAfter, (outcome as SendOutcome.NotNow)?.After);
        Assert.DoesNotContain("words of theirs", outcome.ToString(), StringComparison.Ordinal);
    }

    private Task<SendOutcome> Send(WebhookShape shape, string address = Address, string? key = null, OutgoingMessage? message = null) => new WebhookChannel(
        () => _server.Client,
        new WebhookOptions("home", shape, new Uri(address), null, KeyFile: key is null ? null : _secrets.Put("key", key)),
        new FakeTime()).SendAsync(message ?? Message, CancellationToken.None);

    private JsonElement Body() => JsonDocument.Parse(_server.Requests[^1].Body).RootElement;

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
