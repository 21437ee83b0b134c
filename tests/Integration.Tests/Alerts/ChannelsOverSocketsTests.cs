using System.Collections.Concurrent;
using Common.Alerts;
using Common.Alerts.Http;
using Common.Alerts.Mail;
using Common.Alerts.Telegram;
using Common.Alerts.Webhook;
using Common.Journal;
using Lab.World;
using Microsoft.Extensions.Logging;

namespace Integration.Tests.Alerts;

/// <summary>The channels against servers that misbehave, over real sockets and TLS.</summary>
public sealed class ChannelsOverSocketsTests : IDisposable
{
    private const string Token = "123456:AbCdEfGhIjKlMnOpQrStUvWxYz-_0123456";
    private const string Good = """{"ok":true,"result":{"message_id":42}}""";

    private static readonly OutgoingMessage Message = new("7F3K", "42", "home: test #7F3K") { Kind = "test", RaisedAt = DateTimeOffset.UnixEpoch };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("channels");
    private readonly LabAuthority _authority = LabAuthority.Create();
    private readonly LabCertificate _certificate;
    private readonly HttpClient _http;

    public ChannelsOverSocketsTests()
    {
        _certificate = _authority.Issue("127.0.0.1");
        _authority.WriteRoot(CaFile);
        _http = Client(CaFile);
    }

    private string CaFile => Path.Combine(_folder.FullName, "ca.pem");

    public void Dispose()
    {
        _http.Dispose();
        _certificate.Dispose();
        _authority.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Telegram_and_webhook_arrive_over_TLS_of_a_private_authority()
    {
        await using var server = ScriptedServer.Start(_certificate);
        server.Next(ScriptedServer.Answer(200, Good));

        Assert.Equal(new SendOutcome.Handed("42"), await Telegram(server.BaseUrl).SendAsync(Message, CancellationToken.None));
        Assert.Equal(new SendOutcome.Handed(null), await Webhook(new Uri(server.BaseUrl, "/hook")).SendAsync(Message, CancellationToken.None));

        Assert.Equal([$"POST /bot{Token}/sendMessage", "POST /hook"], server.Requests.Select(r => r.Path));
    }

    [Fact]
    public async Task A_certificate_of_somebody_else_gets_nothing()
    {
        using var other = LabAuthority.Create("Somebody else");
        using var certificate = other.Issue("127.0.0.1");
        using var old = _authority.Issue(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(1), "127.0.0.1");
        foreach (var bad in new[] { certificate, old })
        {
            await using var server = ScriptedServer.Start(bad);

            var notNow = new SendOutcome.NotNow("gateway's certificate or TLS fails", null);
            Assert.Equal(notNow, await Telegram(server.BaseUrl).SendAsync(Message, CancellationToken.None));
            Assert.Equal(notNow, await Webhook(server.BaseUrl).SendAsync(Message, CancellationToken.None));
            Assert.Empty(server.Requests);
        }
    }

    [Fact]
    public async Task A_closed_port_is_certainly_not_sent()
    {
        var server = ScriptedServer.Start();
        var closed = server.BaseUrl;
        await server.DisposeAsync();

        var notNow = new SendOutcome.NotNow("gateway cannot be reached", null);
        Assert.Equal(notNow, await Telegram(closed).SendAsync(Message, CancellationToken.None));
        Assert.Equal(notNow, await Webhook(closed).SendAsync(Message, CancellationToken.None));
    }

    [Fact]
    public async Task Silence_a_cut_and_a_dripping_answer_after_the_request_are_unclear()
    {
        await using var server = ScriptedServer.Start();
        server.Next(ScriptedServer.HangAsync).Next(ScriptedServer.CutAsync).Next(ScriptedServer.Drip(200)).Next(ScriptedServer.Answer(200, "<html>log in to the hotel</html>"));

        for (var i = 0; i < 4; i++)
        {
            Assert.IsType<SendOutcome.Unclear>(await Telegram(server.BaseUrl, TimeSpan.FromSeconds(2)).SendAsync(Message, CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_webhook_that_says_yes_need_not_finish_speaking()
    {
        await using var server = ScriptedServer.Start();
        server.Next(ScriptedServer.Drip(204)).Next(ScriptedServer.Flood(200, 10_000_000));

        Assert.IsType<SendOutcome.Handed>(await Webhook(server.BaseUrl).SendAsync(Message, CancellationToken.None));
        Assert.IsType<SendOutcome.Handed>(await Webhook(server.BaseUrl).SendAsync(Message, CancellationToken.None));
    }

    [Fact]
    public async Task Ten_megabytes_are_not_read()
    {
        await using var server = ScriptedServer.Start();
        server.Next(ScriptedServer.Flood(200, 10_000_000));

        Assert.Equal(new SendOutcome.Unclear("the answer is not Telegram's"), await Telegram(server.BaseUrl).SendAsync(Message, CancellationToken.None));
    }

    [Fact]
    public async Task A_redirect_is_not_followed_and_a_proxy_of_the_environment_not_used()
    {
        await using var elsewhere = ScriptedServer.Start();
        await using var server = ScriptedServer.Start(_certificate);
        server.Next(ScriptedServer.Answer(307, "", $"Location: {elsewhere.BaseUrl}")).Next(ScriptedServer.Answer(200, Good));

        Assert.IsType<SendOutcome.NotNow>(await Webhook(server.BaseUrl).SendAsync(Message, CancellationToken.None));
        Assert.IsType<SendOutcome.Handed>(await Telegram(server.BaseUrl).SendAsync(Message, CancellationToken.None));

        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task The_token_and_a_secret_address_reach_no_log_no_status_and_no_file()
    {
        await using var server = ScriptedServer.Start();
        server.Otherwise = ScriptedServer.Answer(500, $"bot{Token} s3cr3t-path");
        server.Next(ScriptedServer.CutAsync).Next(ScriptedServer.Answer(401, "{\"ok\":false,\"error_code\":401,\"description\":\"bot" + Token + "\"}"));
        var address = Put("url", new Uri(server.BaseUrl, "/s3cr3t-path").AbsoluteUri);
        var webhook = new WebhookChannel(() => _http, new WebhookOptions("home", WebhookShape.Json, null, address), TimeProvider.System);
        using var log = new ListLog();
        using var database = Database.Open(Path.Combine(_folder.FullName, "state.db"), "CREATE TABLE journal(entry TEXT)", Outbox.Migration);
        var outbox = new Outbox(database);
        var policy = DeliveryPolicy.Default with { RepeatGaps = [TimeSpan.FromMilliseconds(10)], EscalateAfter = TimeSpan.FromMilliseconds(10), GiveUpAfter = TimeSpan.FromSeconds(1) };
        using var service = new OutboxService(outbox, [Telegram(server.BaseUrl), webhook], TimeProvider.System, log.Make<OutboxService>(), policy);
        await service.StartAsync(CancellationToken.None);

        outbox.Raise(new Alert("7F3K", "test", Severity.Critical, Message.Text, DateTimeOffset.UnixEpoch), [new Route("telegram", "42", "alice"), new Route("webhook", "webhook", "alice")]);
        outbox.Raise(new Alert("8G4M", "other", Severity.Critical, "home: test #8G4M", DateTimeOffset.UnixEpoch), [new Route("telegram", "42", "alice"), new Route("webhook", "webhook", "alice")]);
        await service.FlushAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
        var snapshot = service.Snapshot;
        await service.StopAsync(CancellationToken.None);

        Assert.NotEmpty(server.Requests);
        Assert.NotEmpty(log.Lines);
        var disk = string.Concat(_folder.GetFiles("state.db*").Select(f => System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(f.FullName))));
        foreach (var shown in log.Lines.Append(disk).Append(snapshot.ToString()).Concat(snapshot.DeadLetters.Select(d => d.ToString())).Concat(snapshot.Refused.Select(r => r.ToString())))
        {
            Assert.DoesNotContain(Token, shown, StringComparison.Ordinal);
            Assert.DoesNotContain("s3cr3t", shown, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(MailSecurity.StartTls, "PLAIN LOGIN", "AUTH PLAIN")]
    [InlineData(MailSecurity.StartTls, "LOGIN", "AUTH LOGIN")]
    [InlineData(MailSecurity.Implicit, "PLAIN", "AUTH PLAIN")]
    public async Task A_mail_arrives_by_TLS_with_authentication(MailSecurity security, string auth, string used)
    {
        await using var server = SmtpServer.Start(_certificate);
        server.Behaviour = new SmtpBehaviour { Implicit = security == MailSecurity.Implicit, OffersStartTls = security == MailSecurity.StartTls, Auth = auth };

        var outcome = await Mail(server, security).SendAsync(Message with { Recipient = "alice@example.net,bob@example.org" }, CancellationToken.None);

        Assert.Equal(new SendOutcome.Handed(null), outcome);
        var mail = Assert.Single(server.Taken);
        Assert.Equal(("home@example.com", true, "home"), (mail.From, mail.Secure, mail.User));
        Assert.Equal(["alice@example.net", "bob@example.org"], mail.To);
        Assert.Contains("Message-ID: <7F3K.19700101000000@example.com>\r\n", mail.Data, StringComparison.Ordinal);
        Assert.Contains(server.Commands, c => c.StartsWith(used, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_STARTTLS_nothing_of_ours_is_said()
    {
        await using var server = SmtpServer.Start(_certificate);
        server.Behaviour = new SmtpBehaviour { OffersStartTls = false };

        var refused = Assert.IsType<SendOutcome.Refused>(await Mail(server).SendAsync(Mailed, CancellationToken.None));

        Assert.Equal(RefusalScope.Channel, refused.Scope);
        Assert.Equal(["EHLO example.com", "QUIT"], server.Commands);
    }

    [Fact]
    public async Task Words_put_in_front_of_TLS_are_no_answer_of_the_server()
    {
        await using var server = SmtpServer.Start(_certificate);
        server.Behaviour = new SmtpBehaviour { Injected = "250 AUTH PLAIN" };

        var outcome = Assert.IsType<SendOutcome.NotNow>(await Mail(server).SendAsync(Mailed, CancellationToken.None));

        Assert.NotNull(outcome.Reason);
        Assert.Empty(server.Taken);
        Assert.DoesNotContain(server.Commands, c => c.StartsWith("AUTH", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_mail_server_with_a_certificate_of_somebody_else_gets_no_password()
    {
        using var other = LabAuthority.Create("Somebody else");
        using var certificate = other.Issue("127.0.0.1");
        await using var server = SmtpServer.Start(certificate);

        Assert.Equal(new SendOutcome.NotNow("mail server's certificate or TLS fails", null), await Mail(server).SendAsync(Mailed, CancellationToken.None));
        Assert.DoesNotContain(server.Commands, c => c.StartsWith("AUTH", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("CONNECT", "421 later", "NotNow")]
    [InlineData("CONNECT", "554 blocked", "Refused Channel")]
    [InlineData("CONNECT", "hello there", "NotNow")]
    [InlineData("CONNECT", "", "NotNow")]
    [InlineData("AUTH", "535 no", "Refused Channel")]
    [InlineData("AUTH", "454 later", "NotNow")]
    [InlineData("MAIL", "553 not yours", "Refused Channel")]
    [InlineData("RCPT TO:<alice", "550 nobody", "Refused Recipient")]
    [InlineData("RCPT TO:<alice", "450 greylisted", "NotNow")]
    [InlineData("DATA", "451 later", "NotNow")]
    [InlineData("EOM", "554 spam", "Refused Message")]
    [InlineData("EOM", "452 full", "NotNow")]
    [InlineData("EOM", "", "Unclear")]
    [InlineData("EOM", "hang", "Unclear")]
    public async Task A_mail_server_s_no_at_each_step_means_what_it_means(string step, string reply, string expected)
    {
        await using var server = SmtpServer.Start(_certificate);
        server.Behaviour = new SmtpBehaviour { Instead = new Dictionary<string, string> { [step] = reply } };

        var outcome = await Mail(server, timeout: TimeSpan.FromSeconds(reply == "hang" ? 3 : 30)).SendAsync(Mailed, CancellationToken.None);

        Assert.Equal(expected, outcome is SendOutcome.Refused r ? $"Refused {r.Scope}" : outcome.GetType().Name);
    }

    [Fact]
    public async Task One_recipient_that_is_taken_is_enough()
    {
        await using var server = SmtpServer.Start(_certificate);
        server.Behaviour = new SmtpBehaviour { Instead = new Dictionary<string, string> { ["RCPT TO:<eve"] = "550 nobody" } };

        Assert.IsType<SendOutcome.Handed>(await Mail(server).SendAsync(Message with { Recipient = "eve@example.net,alice@example.net" }, CancellationToken.None));
        Assert.Equal(["alice@example.net"], Assert.Single(server.Taken).To);
    }

    private static OutgoingMessage Mailed => Message with { Recipient = "alice@example.net" };

    /// <summary>As the agent makes it.</summary>
    private static HttpClient Client(string caFile)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false };
        handler.SslOptions.CertificateChainPolicy = PrivateRoot.Policy(caFile);
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    private string Put(string name, string secret)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, secret + "\n");
        return path;
    }

    private TelegramChannel Telegram(Uri server, TimeSpan? timeout = null) =>
        new(() => _http, new TelegramOptions(server, Put("token", Token)) { Timeout = timeout ?? TimeSpan.FromSeconds(30) }, TimeProvider.System);

    private WebhookChannel Webhook(Uri address) => new(() => _http, new WebhookOptions("home", WebhookShape.Json, address, null), TimeProvider.System);

    private MailChannel Mail(SmtpServer server, MailSecurity security = MailSecurity.StartTls, TimeSpan? timeout = null) => new(
        new MailOptions("127.0.0.1", server.Port, security, "home", Put("password", "correct"), "home@example.com", CaFile) { Timeout = timeout ?? TimeSpan.FromSeconds(30) },
        TimeProvider.System);

    /// <summary>Every line that is logged, at every level.</summary>
    private sealed class ListLog : ILoggerProvider, ILogger
    {
        private readonly ILoggerFactory _factory;

        public ListLog() => _factory = LoggerFactory.Create(b => b.SetMinimumLevel(LogLevel.Trace).AddProvider(this));

        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger<T> Make<T>() => _factory.CreateLogger<T>();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose() => GC.SuppressFinalize(this);
    }
}
