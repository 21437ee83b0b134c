using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Common.Alerts;
using Common.Alerts.Http;

namespace InternalHost.Cloud.DigitalOcean;

/// <summary>
/// Requests to DigitalOcean's API v2 and what may be repeated of them: what was refused for its pace, always; what only looks or destroys,
/// also where no answer came. Making something is never repeated here: it has no idempotency key.
/// </summary>
/// <param name="token">Asked for at each request.</param>
/// <param name="handler">Takes every request (UplinkHttp's); disposed with this.</param>
internal sealed class DigitalOceanHttp(Uri endpoint, Func<CancellationToken, Task<string>> token, HttpMessageHandler handler, TimeProvider time) : IDisposable
{
    /// <param name="tokenFile">Read at each request, so that a new token counts at once.</param>
    public DigitalOceanHttp(Uri endpoint, string tokenFile, HttpMessageHandler handler, TimeProvider time)
        : this(endpoint, ct => ChannelSecret.ReadAsync(tokenFile, ct), handler, time)
    {
    }

    public static readonly Uri Public = new("https://api.digitalocean.com/");

    private const int Attempts = 3;
    private const int LongestReply = 8 * 1024 * 1024;
    private const int TooManyRequests = 429;

    /// <summary>With all its repeats a call ends before the controller's patience of 30 s does, so that it is said what did not answer.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http = new(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = LongestReply };

    /// <param name="path">Below <c>/v2/</c>, with its query.</param>
    /// <exception cref="DigitalOceanException"/>
    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken ct)
        where T : class => CallAsync(HttpMethod.Get, path, null, body => Parse(body, type), repeat: true, ct);

    /// <exception cref="DigitalOceanException"/>
    public Task<T> PostAsync<TBody, T>(string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken ct)
        where T : class => CallAsync(HttpMethod.Post, path, JsonSerializer.SerializeToUtf8Bytes(body, bodyType), reply => Parse(reply, type), repeat: false, ct);

    /// <summary>Put twice it is what it was put once.</summary>
    /// <exception cref="DigitalOceanException"/>
    public Task<T> PutAsync<TBody, T>(string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken ct)
        where T : class => CallAsync(HttpMethod.Put, path, JsonSerializer.SerializeToUtf8Bytes(body, bodyType), reply => Parse(reply, type), repeat: true, ct);

    /// <summary>Of what may be done twice, and has no answer that we read.</summary>
    /// <exception cref="DigitalOceanException"/>
    public Task PostAsync<TBody>(string path, TBody body, JsonTypeInfo<TBody> bodyType, CancellationToken ct) =>
        CallAsync(HttpMethod.Post, path, JsonSerializer.SerializeToUtf8Bytes(body, bodyType), _ => true, repeat: true, ct);

    /// <exception cref="DigitalOceanException"/>
    public Task DeleteAsync(string path, CancellationToken ct) => CallAsync(HttpMethod.Delete, path, null, _ => true, repeat: true, ct);

    public void Dispose() => _http.Dispose();

    private async Task<T> CallAsync<T>(HttpMethod method, string path, byte[]? body, Func<byte[], T> read, bool repeat, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(CallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return read(await OnceAsync(method, path, body, either.Token));
            }
            catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
            {
                throw new DigitalOceanException(CallFault.LostReply, 0, "", string.Create(CultureInfo.InvariantCulture, $"{endpoint.Host} did not answer in {CallTimeout.TotalSeconds} s"), null, e);
            }
            catch (DigitalOceanException e) when (attempt < Attempts && MayRepeat(e, repeat) && Wait(e, attempt) is { } wait)
            {
                await Task.Delay(wait, time, ct);
            }
        }
    }

    private static bool MayRepeat(DigitalOceanException e, bool repeat) =>
        e.Status == TooManyRequests || (repeat && (e.Fault is CallFault.Unreachable or CallFault.LostReply || e is { Fault: CallFault.Refused, Status: >= 500 }));

    /// <summary>Null: longer than anybody waits here.</summary>
    private static TimeSpan? Wait(DigitalOceanException e, int attempt)
    {
        var wait = e.RetryAfter ?? (FirstWait * attempt);
        return wait <= LongestWait ? wait : null;
    }

    private async Task<byte[]> OnceAsync(HttpMethod method, string path, byte[]? body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, new Uri(endpoint, "v2/" + path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(ct));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        try
        {
            using var response = await _http.SendAsync(request, ct);
            var reply = await response.Content.ReadAsByteArrayAsync(ct);
            return response.IsSuccessStatusCode ? reply : throw Refused(response, reply);
        }
        catch (HttpRequestException e)
        {
            throw new DigitalOceanException(NoAnswer.Fault(e), 0, "", e.Message, null, e);
        }
    }

    private async Task<string> TokenAsync(CancellationToken ct)
    {
        try
        {
            return await token(ct);
        }
        catch (HttpRequestException e)
        {
            throw new DigitalOceanException(CallFault.NoCredential, 0, "", e.Message, null, e);
        }
    }

    private DigitalOceanException Refused(HttpResponseMessage response, byte[] body)
    {
        var status = (int)response.StatusCode;
        if (!TryParse(body, DigitalOceanJson.Default.DigitalOceanFault, out var fault) || fault.Id is null)
        {
            // A load balancer of its own answers without JSON; a redirect or a page is somebody else's.
            return status >= 500 || status == TooManyRequests
                ? new(CallFault.Refused, status, "", $"HTTP {status}") { RetryAfter = RetryAfter(response) }
                : Stranger($"HTTP {status}", status);
        }

        return new(CallFault.Refused, status, fault.Id, fault.Message ?? "", fault.RequestId) { RetryAfter = RetryAfter(response) };
    }

    /// <summary>A date that has passed is now.</summary>
    private TimeSpan? RetryAfter(HttpResponseMessage response) =>
        GatewayHttp.RetryAfter(response.Headers.RetryAfter, time) is { } wait ? wait < TimeSpan.Zero ? TimeSpan.Zero : wait : null;

    private static T Parse<T>(byte[] body, JsonTypeInfo<T> type)
        where T : class => TryParse(body, type, out var reply) ? reply : throw Stranger("the answer is not what the API gives", 200);

    private static bool TryParse<T>(byte[] body, JsonTypeInfo<T> type, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? reply)
        where T : class
    {
        try
        {
            reply = JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            reply = null;
        }

        return reply is not null;
    }

    private static DigitalOceanException Stranger(string what, int status) => new(CallFault.Stranger, status, "", what);
}
