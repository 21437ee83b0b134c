using System.Net;
using Common.Alerts;
using Common.Alerts.Sms;
using Lab.World;

namespace Integration.Tests.Alerts;

/// <summary>The REST client against a gateway that behaves like Twilio's, over real HTTP.</summary>
public sealed class TwilioSmsTests : IAsyncLifetime, IDisposable
{
    private const string To = "+15550100001";
    private static readonly OutgoingMessage Message = new("7F3K", To, "home: way in open: ssh home #7F3K");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("twilio");
    private readonly HttpClient _http = new();
    private readonly TwilioAccount _account = new();
    private TwilioGateway _gateway = null!;

    private string SecretFile => Path.Combine(_folder.FullName, "secret");

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(SecretFile, _account.Secret + "\n");
        _gateway = await TwilioGateway.StartAsync(_account);
    }

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    public void Dispose()
    {
        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Message_arrives_with_sender_recipient_and_text()
    {
        var outcome = await Sms().SendAsync(Message, CancellationToken.None);

        var received = Assert.Single(_gateway.Messages);
        Assert.Equal((To, _account.Number, Message.Text), (received.To, received.From, received.Body));
        Assert.Equal(new SendOutcome.Accepted(received.Sid), outcome);
    }

    [Fact]
    public async Task Status_goes_from_underway_to_delivered()
    {
        _gateway.Behaviour = new GatewayBehaviour { DeliveredAfter = TimeSpan.FromHours(1) };
        var sid = ((SendOutcome.Accepted)await Sms().SendAsync(Message, CancellationToken.None)).ProviderId;

        Assert.Equal(DeliveryState.Underway, (await Sms().QueryAsync(sid, CancellationToken.None)).State);
        _gateway.Behaviour = new GatewayBehaviour { SendingAfter = default, SentAfter = default, DeliveredAfter = default };
        Assert.Equal(new DeliveryStatus(DeliveryState.Delivered), await Sms().QueryAsync(sid, CancellationToken.None));
    }

    [Theory]
    [InlineData(30003, FailureCure.Later)]
    [InlineData(30005, FailureCure.None)]
    [InlineData(30007, FailureCure.Plainer)]
    [InlineData(30034, FailureCure.None)]
    [InlineData(39999, FailureCure.None)]
    public async Task Undelivered_carries_code_cure_and_advice(int code, FailureCure cure)
    {
        _gateway.Behaviour = new GatewayBehaviour { SendingAfter = default, SentAfter = default, DeliveredAfter = default, UndeliveredCode = code };
        var sid = ((SendOutcome.Accepted)await Sms().SendAsync(Message, CancellationToken.None)).ProviderId;

        Assert.Equal(new DeliveryStatus(DeliveryState.Failed, $"{code}", TwilioErrors.Of(code).Advice, cure, TwilioErrors.Of(code).Scope), await Sms().QueryAsync(sid, CancellationToken.None));
    }

    public static TheoryData<int, int, string> Failures => new()
    {
        { 400, 21211, "Refused" }, { 400, 21610, "Refused" }, { 400, 21608, "Refused" }, { 400, 30034, "Refused" }, { 400, 63038, "Refused" },
        { 429, 20429, "NotNow" }, { 429, 0, "NotNow" }, { 503, 0, "NotNow" }, { 400, 21611, "NotNow" }, { 400, 30022, "NotNow" },
        { 302, 0, "NotNow" }, { 407, 0, "NotNow" }, { 404, 0, "NotNow" },
        { 500, 20500, "Unclear" }, { 502, 0, "Unclear" }, { 504, 0, "Unclear" }, { 200, 0, "Unclear" }, { 0, 0, "Unclear" },
        { 401, 20003, "Refused" }, { 403, 0, "Refused" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Every_failure_is_sorted_by_whether_it_was_certainly_not_sent(int status, int code, string outcome)
    {
        _gateway.Behaviour = new GatewayBehaviour { FailSends = [new(status, code)] };

        var answer = await Sms().SendAsync(Message, CancellationToken.None);

        Assert.Equal(outcome, answer.GetType().Name);
        AssertDiscreet($"{answer}");
    }

    [Fact]
    public async Task Retry_after_is_passed_on()
    {
        _gateway.Behaviour = new GatewayBehaviour { FailSends = [new(429, 20429, TimeSpan.FromSeconds(17))] };

        Assert.Equal(TimeSpan.FromSeconds(17), ((SendOutcome.NotNow)await Sms().SendAsync(Message, CancellationToken.None)).After);
    }

    [Fact]
    public async Task Wrong_secret_is_refused_with_advice_and_a_new_one_counts_at_once()
    {
        await File.WriteAllTextAsync(SecretFile, "wrong");
        var refused = (SendOutcome.Refused)await Sms().SendAsync(Message, CancellationToken.None);
        Assert.Equal(("20003", TwilioErrors.Of(20003).Advice), (refused.Code, refused.Reason));

        await File.WriteAllTextAsync(SecretFile, _account.Secret);
        Assert.IsType<SendOutcome.Accepted>(await Sms().SendAsync(Message, CancellationToken.None));
    }

    [Fact]
    public async Task Missing_secret_is_certainly_not_sent()
    {
        File.Delete(SecretFile);

        Assert.Equal(new SendOutcome.NotNow("the secret's file cannot be read", null), await Sms().SendAsync(Message, CancellationToken.None));
    }

    [Fact]
    public async Task Gateway_down_is_certainly_not_sent()
    {
        await _gateway.GoDownAsync();

        Assert.Equal(new SendOutcome.NotNow("gateway cannot be reached", null), await Sms().SendAsync(Message, CancellationToken.None));
    }

    [Fact]
    public async Task Connection_that_never_comes_up_is_certainly_not_sent()
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, ct) =>
            {
                await Task.Delay(Timeout.Infinite, ct);
                return Stream.Null;
            },
        };
        using var http = new HttpClient(handler);
        var sms = new TwilioSms(() => http, Options() with { Timeout = TimeSpan.FromMilliseconds(200) }, TimeProvider.System);

        Assert.IsType<SendOutcome.NotNow>(await sms.SendAsync(Message, CancellationToken.None));
    }

    [Fact]
    public async Task No_uplink_is_certainly_not_sent()
    {
        var sms = new TwilioSms(() => throw new InvalidOperationException("no uplink"), Options(), TimeProvider.System);

        Assert.IsType<SendOutcome.NotNow>(await sms.SendAsync(Message, CancellationToken.None));
    }

    [Fact]
    public async Task Answer_that_comes_too_late_is_unclear()
    {
        _gateway.Behaviour = new GatewayBehaviour { AnswerDelay = TimeSpan.FromMinutes(2) };
        var sms = new TwilioSms(() => _http, Options() with { Timeout = TimeSpan.FromSeconds(3) }, TimeProvider.System);

        Assert.Equal(new SendOutcome.Unclear("no answer in time"), await sms.SendAsync(Message, CancellationToken.None));
    }

    [Theory]
    [InlineData("15550100001")]
    [InlineData("+05550100001")]
    [InlineData("+1555010\n0001")]
    [InlineData("+15550100001\n")]
    [InlineData("+1555")]
    [InlineData("+1 555 010 0001")]
    [InlineData("+1555010000112345")]
    [InlineData("12345")]
    [InlineData("+1٠٥٥٠١٠٠٠٠١")]
    [InlineData("")]
    public async Task Recipient_that_is_no_number_is_never_asked_for(string to)
    {
        Assert.IsType<SendOutcome.Refused>(await Sms().SendAsync(Message with { Recipient = to }, CancellationToken.None));
        Assert.Equal(0, _gateway.Requests);
    }

    [Fact]
    public async Task Sender_s_own_number_is_no_recipient()
    {
        var refused = Assert.IsType<SendOutcome.Refused>(await Sms().SendAsync(Message with { Recipient = _gateway.Account.Number }, CancellationToken.None));

        Assert.Equal(("21266", TwilioErrors.Of(21266).Advice, RefusalScope.Recipient), (refused.Code, refused.Reason, refused.Scope));
        Assert.Empty(_gateway.Messages);
    }

    [Fact]
    public async Task Lost_message_is_found_among_hundreds_by_id_and_text()
    {
        _gateway.Behaviour = new GatewayBehaviour { LoseReplies = 1 };
        Assert.IsType<SendOutcome.Unclear>(await Sms().SendAsync(Message, CancellationToken.None));
        for (var i = 0; i < 250; i++)
        {
            await Sms().SendAsync(Message with { AlertId = $"X{i}", Text = $"home: other #X{i}" }, CancellationToken.None);
        }

        Assert.Equal(_gateway.Messages[0].Sid, await Sms().FindAsync(Message, CancellationToken.None));
    }

    [Fact]
    public async Task A_trial_account_s_words_in_front_do_not_hide_it()
    {
        await Sms().SendAsync(Message, CancellationToken.None);
        _gateway.Behaviour = new GatewayBehaviour { BodyPrefix = "Sent from your Twilio trial account - " };

        Assert.NotNull(await Sms().FindAsync(Message, CancellationToken.None));
    }

    [Fact]
    public async Task Another_recipient_or_other_words_under_the_same_id_are_not_it()
    {
        await Sms().SendAsync(Message with { Recipient = "+15550100002" }, CancellationToken.None);
        await Sms().SendAsync(Message with { Text = "office: something else #7F3K" }, CancellationToken.None);
        await Sms().SendAsync(Message with { Text = Message.Text + "X" }, CancellationToken.None);

        Assert.Null(await Sms().FindAsync(Message, CancellationToken.None));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(429)]
    [InlineData(200)]
    [InlineData(0)]
    public async Task Look_that_is_not_answered_never_means_not_there(int status)
    {
        _gateway.Behaviour = new GatewayBehaviour { FailAsks = [new(status), new(status)] };

        var look = await Assert.ThrowsAsync<HttpRequestException>(() => Sms().FindAsync(Message, CancellationToken.None));
        var query = await Assert.ThrowsAsync<HttpRequestException>(() => Sms().QueryAsync("SM1", CancellationToken.None));

        AssertDiscreet($"{look}{query}");
    }

    [Theory]
    [InlineData("http://api.twilio.com", "loopback only")]
    [InlineData("http://192.0.2.1:80", "loopback only")]
    [InlineData("ftp://localhost", "neither https nor http")]
    [InlineData("https://user:secret@api.twilio.com", "credentials")]
    public void Address_that_would_give_the_key_away_is_refused(string url, string words)
    {
        var error = Assert.Throws<ArgumentException>(() => new TwilioSms(() => _http, Options() with { BaseUrl = new Uri(url) }, TimeProvider.System));

        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret@", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_cannot_work_are_refused()
    {
        Assert.Null((Options() with { BaseUrl = new Uri("https://api.twilio.com"), From = "MG0123456789" }).Fault());
        Assert.NotNull((Options() with { AccountSid = "AC1/../AC2" }).Fault());
        Assert.NotNull((Options() with { KeyName = "a:b" }).Fault());
        Assert.NotNull((Options() with { From = "HOME" }).Fault());
        Assert.NotNull((Options() with { ValidityPeriod = TimeSpan.FromDays(1) }).Fault());
    }

    [Theory]
    [InlineData("To", 21604)]
    [InlineData("From", 21603)]
    [InlineData("Body", 21602)]
    public async Task The_stand_in_refuses_a_message_without_its_required_fields(string missing, int code)
    {
        var fields = new Dictionary<string, string> { ["To"] = To, ["From"] = _account.Number, ["Body"] = "x" };
        fields.Remove(missing);
        using var form = new FormUrlEncodedContent(fields);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_gateway.BaseUrl, $"/2010-04-01/Accounts/{_account.Sid}/Messages.json")) { Content = form };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{_account.KeyName}:{_account.Secret}")));

        using var response = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains($"\"code\":{code}", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private void AssertDiscreet(string words) =>
        Assert.All([To, To[1..], Message.Text, "lab-secret", _account.Sid, _account.KeyName, _account.Number], s => Assert.DoesNotContain(s, words, StringComparison.Ordinal));

    private TwilioSms Sms() => new(() => _http, Options(), TimeProvider.System);

    private TwilioOptions Options() => new(_gateway.BaseUrl, _account.Sid, _account.KeyName, SecretFile, _account.Number);
}
