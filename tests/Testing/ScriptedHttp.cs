using System.Net;

namespace Testing;

/// <summary>A gateway behind an <see cref="HttpClient"/>: notes what is asked and answers as the test says, without a socket.</summary>
public sealed class ScriptedHttp : HttpMessageHandler
{
    private readonly Queue<Func<CancellationToken, Task<HttpResponseMessage>>> _answers = new();

    public List<(Uri Address, string Body, Dictionary<string, string> Headers)> Requests { get; } = [];

    /// <summary>What is answered when the script has come to its end.</summary>
    public Func<HttpResponseMessage> Otherwise { get; set; } = () => new HttpResponseMessage(HttpStatusCode.OK);

    public HttpClient Client => new(this, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };

    public ScriptedHttp Next(HttpStatusCode status, string body = "", TimeSpan? retryAfter = null) => Next(_ =>
    {
        var response = new HttpResponseMessage(status) { Content = new StringContent(body) };
        response.Headers.RetryAfter = retryAfter is { } after ? new(after) : null;
        return Task.FromResult(response);
    });

    public ScriptedHttp Next(Func<CancellationToken, Task<HttpResponseMessage>> answer)
    {
        _answers.Enqueue(answer);
        return this;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        Requests.Add((request.RequestUri!, body, request.Headers.ToDictionary(h => h.Key, h => string.Join(',', h.Value), StringComparer.OrdinalIgnoreCase)));
        return _answers.TryDequeue(out var answer) ? await answer(cancellationToken) : Otherwise();
    }
}
