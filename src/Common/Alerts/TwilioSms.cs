using System.Net.Http.Headers;
using System.Text;

namespace Common.Alerts;

/// <summary>
/// SMS by Twilio's REST API: POST and GET of Messages, nothing else. Creating a message is not idempotent there, so every answer is
/// sorted by one question: has it certainly not been sent? Never retries: the outbox does.
/// </summary>
/// <remarks>No number, text, key or address of the account goes into an exception or an outcome.</remarks>
public sealed class TwilioSms : IMessageChannel
{
    public const string ChannelName = "sms";

    private const int PageSize = 100;

    /// <summary>The newest thousand messages to one person: what is not among them was not sent since we last tried.</summary>
    private const int MaxPages = 10;
    private const int MaxAnswerBytes = 1 << 20;

    private readonly Func<HttpClient> _client;
    private readonly TwilioOptions _options;
    private readonly TimeProvider _time;

    /// <param name="client">Called for each request and not disposed here: the client of the uplink to be used now.</param>
    /// <exception cref="ArgumentException">The options cannot work.</exception>
    public TwilioSms(Func<HttpClient> client, TwilioOptions options, TimeProvider time)
    {
        if (options.Fault() is { } fault)
        {
            throw new ArgumentException(fault, nameof(options));
        }

        _client = client;
        _options = options;
        _time = time;
    }

    public string Name => ChannelName;

    public async Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        if (!TwilioOptions.IsE164(message.Recipient))
        {
            return new SendOutcome.Refused("21211", TwilioErrors.Of(21211).Advice);
        }

        using var body = new MarkedContent(Form(message));
        try
        {
            var reply = await AskAsync(HttpMethod.Post, MessagesPath, body, _options.SendTimeout, ct);
            return reply.Outcome();
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or TimeoutException)
        {
            // As long as no byte of the body has been written, the gateway cannot have the message.
            return body.Began ? new SendOutcome.Unclear(Words(e)) : new SendOutcome.NotNow(Words(e), null);
        }
    }

    public async Task<DeliveryStatus> QueryAsync(string providerId, CancellationToken ct)
    {
        var reply = await AskAsync(HttpMethod.Get, $"{AccountPath}/Messages/{Uri.EscapeDataString(providerId)}.json", null, _options.AskTimeout, ct);
        return reply.State();
    }

    /// <remarks>
    /// No DateSent filter: a message still queued has no such date, and our own clock may be wrong by years. The list comes newest
    /// first, so a bounded walk finds what was sent last. The text is compared as well as the id, which another host may share.
    /// </remarks>
    public async Task<string?> FindAsync(OutgoingMessage message, CancellationToken ct)
    {
        var to = Uri.EscapeDataString(message.Recipient);
        var from = _options.IsMessagingService ? "" : $"&From={Uri.EscapeDataString(_options.From)}";
        string? path = $"{MessagesPath}?To={to}{from}&PageSize={PageSize}";
        for (var page = 0; path is not null && page < MaxPages; page++)
        {
            var reply = await AskAsync(HttpMethod.Get, path, null, _options.AskTimeout, ct);
            if (!reply.Ok || reply.Parse(TwilioJson.Default.TwilioPage) is not { Messages: { } messages } list)
            {
                throw new HttpRequestException($"list not answered: {reply.Words}", null, reply.Status);
            }

            if (messages.FirstOrDefault(m => IsThis(m, message)) is { Sid: { } sid })
            {
                return sid;
            }

            path = NextPath(list.NextPageUri);
        }

        return null;
    }

    private string AccountPath => $"/2010-04-01/Accounts/{_options.AccountSid}";

    private string MessagesPath => AccountPath + "/Messages.json";

    private Dictionary<string, string> Form(OutgoingMessage message) => new(StringComparer.Ordinal)
    {
        ["To"] = message.Recipient,
        [_options.IsMessagingService ? "MessagingServiceSid" : "From"] = _options.From,
        ["Body"] = message.Text,
        ["ValidityPeriod"] = $"{(int)_options.ValidityPeriod.TotalSeconds}",
    };

    private async Task<TwilioReply> AskAsync(HttpMethod method, string path, HttpContent? body, TimeSpan timeout, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        using var request = new HttpRequestMessage(method, new Uri(_options.BaseUrl, path)) { Content = body };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", await CredentialAsync(either.Token));
        using var response = await Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
        await response.Content.LoadIntoBufferAsync(MaxAnswerBytes, either.Token);
        var bytes = await response.Content.ReadAsByteArrayAsync(either.Token);
        return new TwilioReply(response.StatusCode, RetryAfter(response.Headers.RetryAfter), bytes);
    }

    /// <summary>No uplink to use now is a kind of "cannot connect".</summary>
    private HttpClient Client()
    {
        try
        {
            return _client();
        }
        catch (InvalidOperationException e)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, "no uplink to send by", e);
        }
    }

    private async Task<string> CredentialAsync(CancellationToken ct)
    {
        try
        {
            var secret = (await File.ReadAllTextAsync(_options.SecretFile, ct)).Trim();
            return Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_options.KeyName}:{secret}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HttpRequestException(HttpRequestError.UserAuthenticationError, "the secret's file cannot be read", e);
        }
    }

    /// <summary>A date is turned into a span by our wall clock; a nonsense of a span is cut by the delivery's policy.</summary>
    private TimeSpan? RetryAfter(RetryConditionHeaderValue? header) => header switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - _time.GetUtcNow(),
        _ => null,
    };

    /// <summary>Only the path of the next page is followed, never another host: our key goes with it.</summary>
    private string? NextPath(string? next) =>
        Uri.TryCreate(_options.BaseUrl, next, out var uri) && !string.IsNullOrEmpty(next) && uri.AbsolutePath == MessagesPath ? uri.PathAndQuery : null;

    private static bool IsThis(TwilioMessage m, OutgoingMessage message) => m.Body is { } body
        && m.Direction is null or { Length: 0 } or ['o', 'u', 't', ..]
        && body.TrimEnd().EndsWith($" #{message.AlertId}", StringComparison.Ordinal)
        && Letters(body).EndsWith(Letters(message.Text), StringComparison.Ordinal);

    /// <summary>A gateway may put its own words in front or exchange quotes and accents: only plain letters and digits are compared.</summary>
    private static string Letters(string text) => string.Concat(text.Where(char.IsAsciiLetterOrDigit));

    private static string Words(Exception e) => e switch
    {
        OperationCanceledException or TimeoutException => "no answer in time",
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } => "gateway cannot be reached",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "gateway's certificate or TLS fails",
        HttpRequestException { HttpRequestError: HttpRequestError.UserAuthenticationError } ours => ours.Message,
        _ => "connection broke",
    };

    /// <summary>Form fields that know whether a byte of them was handed to a connection.</summary>
    private sealed class MarkedContent : FormUrlEncodedContent
    {
        private volatile bool _began;

        public MarkedContent(Dictionary<string, string> form)
            : base(form)
        {
        }

        public bool Began => _began;

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context, CancellationToken cancellationToken)
        {
            _began = true;
            return base.SerializeToStreamAsync(stream, context, cancellationToken);
        }

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            _began = true;
            return base.SerializeToStreamAsync(stream, context);
        }
    }
}
