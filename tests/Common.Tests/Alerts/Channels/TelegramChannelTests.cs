using System.Net;
using System.Text.Json;
using Common.Alerts;
using Common.Alerts.Telegram;
using Testing;

namespace Common.Tests.Alerts.Channels;

public sealed class TelegramChannelTests : IDisposable
{
    private const string Token = "123456:AbCdEfGhIjKlMnOpQrStUvWxYz-_0123456";
    private static readonly OutgoingMessage Message = new("7F3K", "-100200300", "home: *bold* _[x](http://x.example)_ <b>hi</b> #7F3K");

    private readonly SecretFolder _secrets = new();
    private readonly FakeTime _time = new();
    private readonly ScriptedHttp _telegram = new()
    {
        Otherwise = () => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("""{"ok":true,"result":{"message_id":42,"chat":{"id":-100200300}}}""") },
    };

    public void Dispose()
    {
        _secrets.Dispose();
        _telegram.Dispose();
    }

    [Fact]
    public async Task Message_goes_to_the_chat_as_plain_text_and_counts_as_told_when_telegram_has_taken_it()
    {
        var outcome = await Channel().SendAsync(Message, CancellationToken.None);

        Assert.Equal(new SendOutcome.Handed("42"), outcome);
        var (address, body, _) = Assert.Single(_telegram.Requests);
        Assert.Equal($"https://api.telegram.org/bot{Token}/sendMessage", address.AbsoluteUri);
        var json = JsonDocument.Parse(body).RootElement;
        Assert.Equal((-100200300, Message.Text), (json.GetProperty("chat_id").GetInt64(), json.GetProperty("text").GetString()));
        Assert.True(json.GetProperty("link_preview_options").GetProperty("is_disabled").GetBoolean());
        Assert.False(json.TryGetProperty("parse_mode", out _));
    }

    [Fact]
    public async Task Text_is_cut_at_4096_units_and_not_inside_a_letter()
    {
        await Channel().SendAsync(Message with { Text = new string('x', 4092) + "😀😀😀" }, CancellationToken.None);

        var text = JsonDocument.Parse(_telegram.Requests[0].Body).RootElement.GetProperty("text").GetString()!;
        Assert.Equal((4095, "x..."), (text.Length, text[^4..]));
    }

    public static TheoryData<int, string, SendOutcome> Answers => new()
    {
        { 429, """{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 17","parameters":{"retry_after":17}}""", new SendOutcome.NotNow("429: too many messages", TimeSpan.FromSeconds(17)) },
        { 429, """{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":86400}}""", new SendOutcome.NotNow("429: too many messages", TimeSpan.FromDays(1)) },
        { 429, "slow down", new SendOutcome.NotNow("429: too many messages", null) },
        { 401, """{"ok":false,"error_code":401,"description":"Unauthorized"}""", new SendOutcome.Refused("401", "token refused: ask BotFather for a new one and put it in place of the secret", RefusalScope.Channel) },
        { 404, """{"ok":false,"error_code":404,"description":"Not Found"}""", new SendOutcome.Refused("401", "token refused: ask BotFather for a new one and put it in place of the secret", RefusalScope.Channel) },
        { 403, """{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}""", new SendOutcome.Refused("403", "the bot may not write to this chat: open the bot there and press Start", RefusalScope.Recipient) },
        { 400, """{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}""", new SendOutcome.Refused("400", "no such chat, or it has never written to the bot: open the bot there and press Start", RefusalScope.Recipient) },
        { 400, """{"ok":false,"error_code":400,"description":"x","parameters":{"migrate_to_chat_id":-1009}}""", new SendOutcome.Refused("400", "the group has a new number: put -1009 into the configuration", RefusalScope.Recipient) },
        { 400, """{"ok":false,"error_code":400,"description":"Bad Request: message is too long"}""", new SendOutcome.Refused("400", "message refused by Telegram") },
        { 500, "", new SendOutcome.Unclear("HTTP 500") },
        { 502, "<html>", new SendOutcome.Unclear("HTTP 502") },
        { 503, "", new SendOutcome.NotNow("HTTP 503", null) },
        { 200, "<html>log in to the hotel</html>", new SendOutcome.Unclear("the answer is not Telegram's") },
        { 200, """{"ok":true}""", new SendOutcome.Unclear("the answer is not Telegram's") },
        { 302, "", new SendOutcome.NotNow("HTTP 302, not from Telegram (a portal on the line?)", null) },
        { 401, "<html>", new SendOutcome.NotNow("HTTP 401, not from Telegram (a portal on the line?)", null) },
        { 407, "proxy", new SendOutcome.NotNow("HTTP 407, not from Telegram (a portal on the line?)", null) },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Answers_mean_what_they_mean(int status, string body, SendOutcome expected)
    {
        _telegram.Next((HttpStatusCode)status, body);

        Assert.Equal(expected, await Channel().SendAsync(Message, CancellationToken.None));
    }

    [Fact]
    public async Task Retry_after_of_the_header_counts_where_the_body_names_none()
    {
        _telegram.Next(HttpStatusCode.TooManyRequests, "", TimeSpan.FromSeconds(9));

        Assert.Equal(new SendOutcome.NotNow("429: too many messages", TimeSpan.FromSeconds(9)), await Channel().SendAsync(Message, CancellationToken.None));
    }

    [Theory]
    [InlineData("")]
    [InlineData("@alice")]
    [InlineData("12/../34")]
    [InlineData("--5")]
    [InlineData("0")]
    [InlineData("123456789012345678901")]
    public async Task A_chat_that_is_no_number_is_refused_and_nothing_leaves(string chat)
    {
        var outcome = await Channel().SendAsync(Message with { Recipient = chat }, CancellationToken.None);

        Assert.Equal(RefusalScope.Recipient, Assert.IsType<SendOutcome.Refused>(outcome).Scope);
        Assert.Empty(_telegram.Requests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no-token")]
    [InlineData("123:short")]
    [InlineData("123/../../x:AbCdEfGhIjKlMnOpQrStUvWxYz")]
    public async Task A_secret_that_is_no_token_is_told_without_its_value(string secret)
    {
        var channel = new TelegramChannel(() => _telegram.Client, new TelegramOptions(new Uri(TelegramOptions.PublicAddress), _secrets.Put("token", secret)), _time);

        var outcome = Assert.IsType<SendOutcome.NotNow>(await channel.SendAsync(Message, CancellationToken.None));

        Assert.Contains("secret", outcome.Reason, StringComparison.Ordinal);
        Assert.True(secret.Length == 0 || !outcome.Reason.Contains(secret, StringComparison.Ordinal));
        Assert.Empty(_telegram.Requests);
    }

    [Fact]
    public async Task A_token_that_was_replaced_counts_at_the_next_message()
    {
        var channel = Channel();
        await channel.SendAsync(Message, CancellationToken.None);
        _secrets.Put("token", Token.Replace("123456", "654321", StringComparison.Ordinal));
        await channel.SendAsync(Message, CancellationToken.None);

        Assert.Contains("/bot654321:", _telegram.Requests[1].Address.AbsolutePath, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_answer_in_time_after_the_request_has_begun_is_unclear()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _telegram.Next(async ct =>
        {
            asked.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, ct);
            throw new InvalidOperationException("it was cancelled");
        });
        var sending = Channel().SendAsync(Message, CancellationToken.None);

        await asked.Task;
        _time.Advance(TimeSpan.FromSeconds(46));

        Assert.Equal(new SendOutcome.Unclear("no answer in time"), await sending);
    }

    [Fact]
    public async Task A_name_that_is_not_found_says_no_address()
    {
        _telegram.Next(_ => throw new HttpRequestException(HttpRequestError.NameResolutionError, $"no such host: https://x/bot{Token}"));

        var outcome = await Channel().SendAsync(Message, CancellationToken.None);

        Assert.DoesNotContain(Token, outcome.ToString(), StringComparison.Ordinal);
        Assert.Contains("gateway cannot be reached", outcome.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_uplink_is_certainly_not_sent()
    {
        var channel = new TelegramChannel(
            () => throw new InvalidOperationException("no uplink"), new TelegramOptions(new Uri(TelegramOptions.PublicAddress), _secrets.Put("token", Token)), _time);

        Assert.Equal(new SendOutcome.NotNow("gateway cannot be reached", null), await channel.SendAsync(Message, CancellationToken.None));
    }

    private TelegramChannel Channel() =>
        new(() => _telegram.Client, new TelegramOptions(new Uri(TelegramOptions.PublicAddress), _secrets.Put("token", Token)), _time);
}
