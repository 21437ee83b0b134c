using System.Net.Http.Headers;
using System.Text;
using Common.Alerts.Http;

namespace Common.Alerts.Sms;

/// <summary>
/// SMS by Twilio's REST API: POST and GET of Messages, nothing else. Creating a message is not idempotent there, so every answer is
/// sorted by one question: has it certainly not been sent? Never retries: the outbox does.
/// </summary>
/// <remarks>No number, text, key or address of the account goes into an exception or an outcome.</remarks>
public sealed class TwilioSms : ITrackedChannel
{
    public const string ChannelName = "sms";

    private const int PageSize = 100;

    /// <summary>The newest thousand messages to one person: what is not among them was not sent since we last tried.</summary>
    private const int MaxPages = 10;
    private const int MaxAnswerBytes = 1 << 20;

    private readonly GatewayHttp _http;
    private readonly TwilioOptions _options;

    /// <param name="client">Called for each request and not disposed here: the client of the uplink to be used now.</param>
    /// <exception cref="ArgumentException">The options cannot work.</exception>
    public TwilioSms(Func<HttpClient> client, TwilioOptions options, TimeProvider time)
    {
        if (options.Fault() is { } fault)
        {
            throw new ArgumentException(fault, nameof(options));
        }

        _http = new GatewayHttp(client, time, options.Timeout);
        _options = options;
    }

    public string Name => ChannelName;

    public Repetition Repetition => Repetition.AfterALook;

    public async Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        if (!TwilioOptions.IsE164(message.Recipient))
        {
            return new SendOutcome.Refused("21211", TwilioErrors.Of(21211).Advice);
        }

        try
        {
            var credential = await CredentialAsync(ct);
            using var body = new MarkedContent(await Form(message).ReadAsByteArrayAsync(ct), "application/x-www-form-urlencoded");
            return await _http.PostAsync(
                new Uri(_options.BaseUrl, MessagesPath), body, headers => headers.Authorization = credential, MaxAnswerBytes, reply => TwilioReply.Of(reply).Outcome(), ct);
        }
        catch (HttpRequestException e)
        {
            return new SendOutcome.NotNow(GatewayHttp.Words(e), null);   // before the request: the secret
        }
    }

    public async Task<DeliveryStatus> QueryAsync(string providerId, CancellationToken ct)
    {
        var reply = await AskAsync($"{AccountPath}/Messages/{Uri.EscapeDataString(providerId)}.json", ct);
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
            var reply = await AskAsync(path, ct);
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

    private FormUrlEncodedContent Form(OutgoingMessage message) => new(new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["To"] = message.Recipient,
        [_options.IsMessagingService ? "MessagingServiceSid" : "From"] = _options.From,
        ["Body"] = message.Text,
        ["ValidityPeriod"] = $"{(int)_options.ValidityPeriod.TotalSeconds}",
    });

    private async Task<TwilioReply> AskAsync(string path, CancellationToken ct)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_options.BaseUrl, path));
        request.Headers.Authorization = await CredentialAsync(ct);
        return TwilioReply.Of(await _http.AskAsync(request, MaxAnswerBytes, ct));
    }

    private async Task<AuthenticationHeaderValue> CredentialAsync(CancellationToken ct) => new(
        "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_options.KeyName}:{await ChannelSecret.ReadAsync(_options.SecretFile, ct)}")));

    /// <summary>Only the path of the next page is followed, never another host: our key goes with it.</summary>
    private string? NextPath(string? next) =>
        Uri.TryCreate(_options.BaseUrl, next, out var uri) && !string.IsNullOrEmpty(next) && uri.AbsolutePath == MessagesPath ? uri.PathAndQuery : null;

    private static bool IsThis(TwilioMessage m, OutgoingMessage message) => m.Body is { } body
        && m.Direction is null or { Length: 0 } or ['o', 'u', 't', ..]
        && body.TrimEnd().EndsWith($" #{message.AlertId}", StringComparison.Ordinal)
        && Letters(body).EndsWith(Letters(message.Text), StringComparison.Ordinal);

    /// <summary>A gateway may put its own words in front or exchange quotes and accents: only plain letters and digits are compared.</summary>
    private static string Letters(string text) => string.Concat(text.Where(char.IsAsciiLetterOrDigit));
}
