using System.Net;
using System.Net.Http.Headers;

namespace Common.Alerts.Http;

/// <summary>One answer of a gateway. <paramref name="Body"/> is cut at the caller's cap.</summary>
/// <param name="RetryAfter">As the header asked.</param>
internal sealed record GatewayReply(HttpStatusCode Status, TimeSpan? RetryAfter, byte[] Body)
{
    public bool Ok => (int)Status is >= 200 and < 300;
}

/// <summary>
/// One request to a gateway, bounded in time and bytes, and told apart by one question: has the message certainly not left? No
/// address, key or text goes into an exception or an outcome: a token may be a part of the address.
/// </summary>
/// <param name="client">Called for each request and not disposed here: the client of the uplink to be used now.</param>
internal sealed class GatewayHttp(Func<HttpClient> client, TimeProvider time, TimeSpan? patience = null)
{
    /// <summary>Two uplinks may be dialled in turn; a request that never got out is told apart from one that may have arrived.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    private readonly TimeSpan _patience = patience ?? Patience;

    /// <param name="request">Disposed here.</param>
    /// <param name="bodyCap">So much of the answer is read and no more; 0: none.</param>
    /// <exception cref="HttpRequestException">Or another of <see cref="IsNoAnswer"/>: there was none.</exception>
    public async Task<GatewayReply> AskAsync(HttpRequestMessage request, int bodyCap, CancellationToken ct)
    {
        using (request)
        {
            using var late = new CancellationTokenSource(_patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
            using var response = await Client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var body = bodyCap == 0 ? [] : await ReadAsync(response.Content, bodyCap, either.Token);
            return new GatewayReply(response.StatusCode, RetryAfter(response.Headers.RetryAfter, time), body);
        }
    }

    /// <summary>Sends a message; no answer is "not now" as long as no byte of the body was handed to a connection.</summary>
    /// <param name="judge">What the answer means.</param>
    public async Task<SendOutcome> PostAsync(
        Uri address, MarkedContent body, Action<HttpRequestHeaders>? headers, int bodyCap, Func<GatewayReply, SendOutcome> judge, CancellationToken ct)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = body };
        headers?.Invoke(request.Headers);
        try
        {
            return judge(await AskAsync(request, bodyCap, ct));
        }
        catch (Exception e) when (IsNoAnswer(e))
        {
            return body.Began ? new SendOutcome.Unclear(Words(e)) : new SendOutcome.NotNow(Words(e), null);
        }
    }

    public static bool IsNoAnswer(Exception e) => e is HttpRequestException or IOException or OperationCanceledException or TimeoutException;

    /// <summary>Words of ours only: those of the library may quote a host, an address or a header.</summary>
    public static string Words(Exception e) => e switch
    {
        OperationCanceledException or TimeoutException => "no answer in time",
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } => "gateway cannot be reached",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "gateway's certificate or TLS fails",
        HttpRequestException { HttpRequestError: HttpRequestError.UserAuthenticationError } ours => ours.Message,
        _ => "connection broke",
    };

    /// <summary>No uplink to use now is a kind of "cannot connect".</summary>
    private HttpClient Client()
    {
        try
        {
            return client();
        }
        catch (InvalidOperationException e)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, "no uplink to send by", e);
        }
    }

    private static async Task<byte[]> ReadAsync(HttpContent content, int cap, CancellationToken ct)
    {
        await using var stream = await content.ReadAsStreamAsync(ct);
        var buffer = new byte[Math.Min(cap, 4096)];
        using var kept = new MemoryStream();
        while (kept.Length < cap && await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, cap - kept.Length)), ct) is > 0 and var read)
        {
            kept.Write(buffer, 0, read);
        }

        return kept.ToArray();
    }

    /// <summary>A date is turned into a span by our wall clock; a nonsense of a span is cut by the delivery's policy.</summary>
    public static TimeSpan? RetryAfter(RetryConditionHeaderValue? header, TimeProvider time) => header switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - time.GetUtcNow(),
        _ => null,
    };
}

/// <summary>A body that knows whether a byte of it was handed to a connection.</summary>
internal sealed class MarkedContent : ByteArrayContent
{
    private volatile bool _began;

    public MarkedContent(byte[] bytes, string mediaType)
        : base(bytes) => Headers.ContentType = new MediaTypeHeaderValue(mediaType);

    public bool Began => _began;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _began = true;
        return base.SerializeToStreamAsync(stream, context, cancellationToken);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        _began = true;
        return base.SerializeToStreamAsync(stream, context);
    }
}
