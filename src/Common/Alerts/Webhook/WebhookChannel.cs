using System.Collections.Immutable;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Common.Alerts.Http;
using Common.Configuration;
using Common.Text;

namespace Common.Alerts.Webhook;

/// <summary>
/// One POST of a body of the owner's choice. Any 2xx is acceptance, and its answer is not read; nobody can be asked afterwards, so a
/// message whose answer was lost is sent again with the same id.
/// </summary>
/// <remarks>The address may be a secret: it goes into no exception, outcome or log.</remarks>
public sealed class WebhookChannel : IMessageChannel
{
    public const string ChannelName = "webhook";

    /// <summary>There is one webhook; its address is not a person's.</summary>
    public const string Recipient = "webhook";

    /// <summary><c>sha256=HEX</c> of the body, as GitHub signs: receivers that exist verify it.</summary>
    public const string SignatureHeader = "X-Hub-Signature-256";

    private const int TitleLimit = 64;

    private readonly GatewayHttp _http;
    private readonly WebhookOptions _options;

    /// <exception cref="ArgumentException">The options cannot work.</exception>
    public WebhookChannel(Func<HttpClient> client, WebhookOptions options, TimeProvider time)
    {
        if (options.Fault() is { } fault)
        {
            throw new ArgumentException(fault, nameof(options));
        }

        _http = new GatewayHttp(client, time, options.Timeout);
        _options = options;
    }

    public string Name => ChannelName;

    public Repetition Repetition => Repetition.Seen;

    public async Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        try
        {
            var address = _options.Address ?? await AddressAsync(_options.AddressFile!, ct);
            var (target, topic) = _options.Shape.TopicFromPath ? SplitTopic(address) : (address, "");
            var bytes = _options.Shape.Template.Fill(Values(message, topic, await SecretAsync(_options.KeyFile, ct)));
            var (token, signature) = (await SecretAsync(_options.TokenFile, ct), await SignAsync(bytes, ct));
            using var body = new MarkedContent(bytes, "application/json");
            return await _http.PostAsync(target, body, headers => Head(headers, message, token, signature), bodyCap: 0, WebhookReply.Outcome, ct);
        }
        catch (HttpRequestException e)
        {
            return new SendOutcome.NotNow(GatewayHttp.Words(e), null);   // before the request: a secret
        }
    }

    private static void Head(HttpRequestHeaders headers, OutgoingMessage message, string? token, string? signature)
    {
        headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        headers.Add("Idempotency-Key", message.AlertId);
        if (signature is not null)
        {
            headers.Add(SignatureHeader, signature);
        }
    }

    private ImmutableDictionary<string, string> Values(OutgoingMessage message, string topic, string? key)
    {
        var (escape, limit) = (_options.Shape.Escape, _options.Shape.LongestText);
        var text = SafeText.Clean(message.Text, limit);
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["id"] = message.AlertId,
            ["kind"] = SafeText.Clean(message.Kind),
            ["severity"] = message.Severity.ToString().ToLowerInvariant(),
            ["priority"] = Priority(message.Severity),
            ["level"] = Level(message.Severity),
            ["site"] = SafeText.Clean(_options.Site),
            ["title"] = SafeText.Clean($"{_options.Site}: {message.Kind}", TitleLimit),
            ["text"] = escape(text),
            ["details"] = escape(message.WithDetails("", limit)),
            ["all"] = escape(message.WithDetails(text, limit)),
            ["at"] = message.RaisedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            ["key"] = key ?? "",
            ["topic"] = topic,
        }.ToImmutableDictionary(StringComparer.Ordinal);
    }

    /// <summary>ntfy's: 1 to 5, of which 5 rings through.</summary>
    private static string Priority(Severity severity) => severity switch
    {
        Severity.Critical => "5",
        Severity.High => "4",
        Severity.Low => "2",
        _ => "3",
    };

    /// <summary>PagerDuty's words.</summary>
    private static string Level(Severity severity) => severity switch
    {
        Severity.Critical => "critical",
        Severity.High => "error",
        Severity.Normal => "warning",
        _ => "info",
    };

    private static async Task<Uri> AddressAsync(string file, CancellationToken ct) =>
        NetworkValues.WebAddress(await ChannelSecret.ReadAsync(file, ct)) is { Value: { } address }
            ? address
            : throw ChannelSecret.Unusable("the secret is not the webhook's address (https://...)");

    private static async Task<string?> SecretAsync(string? file, CancellationToken ct) => file is null ? null : await ChannelSecret.ReadAsync(file, ct);

    private async Task<string?> SignAsync(byte[] body, CancellationToken ct) => await SecretAsync(_options.SigningFile, ct) is { } key
        ? $"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), body))}"
        : null;

    /// <summary>ntfy takes JSON at the server's root only; the topic is then a field.</summary>
    private static (Uri Server, string Topic) SplitTopic(Uri address)
    {
        var path = address.AbsolutePath.TrimEnd('/');
        var slash = path.LastIndexOf('/');
        var topic = slash < 0 ? "" : Uri.UnescapeDataString(path[(slash + 1)..]);
        return topic.Length > 0
            ? (new UriBuilder(address) { Path = path[..(slash + 1)], Query = "" }.Uri, topic)
            : throw ChannelSecret.Unusable("the webhook's address has no topic (https://ntfy.sh/TOPIC)");
    }
}
