using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Lab.World;
using Microsoft.AspNetCore.Http;

namespace Lab.Clouds;

/// <summary>
/// The way to a moto, by which its machines get a body: what it accepts of starts and stops is told, and the public address that it
/// invented is shown as the one where the body answers. Requests go through as they are, so signatures are checked there.
/// </summary>
/// <param name="address">Where the machine is really reached.</param>
public sealed partial class MotoDoor(Uri moto, IPAddress address) : IAsyncDisposable
{
    private static readonly string[] NotOurs = ["Host", "Transfer-Encoding", "Connection"];

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
    private LoopbackWeb? _web;

    public Uri Url => new($"http://{_web!.EndPoint}/");

    /// <summary>Action, the answer's status and who asked, in the order in which they came.</summary>
    public ConcurrentQueue<(string Action, int Status, IPAddress? From)> Calls { get; } = new();

    /// <summary>An action that moto has carried out: <c>StartInstances</c>. Must not block.</summary>
    public Action<string>? Done { get; set; }

    public async Task OpenAsync()
    {
        _web = new LoopbackWeb(new IPEndPoint(IPAddress.Loopback, 0), AnswerAsync);
        await _web.GoUpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_web is not null)
        {
            await _web.GoDownAsync();
        }

        _http.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var action = ActionOf().Match(System.Text.Encoding.UTF8.GetString(body.ToArray())).Groups["name"].Value;
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(moto, context.Request.Path + context.Request.QueryString))
        {
            Content = new ByteArrayContent(body.ToArray()),
        };
        foreach (var header in context.Request.Headers.Where(h => !NotOurs.Contains(h.Key, StringComparer.OrdinalIgnoreCase)))
        {
            if (!request.Headers.TryAddWithoutValidation(header.Key, header.Value.ToArray()))
            {
                request.Content.Headers.TryAddWithoutValidation(header.Key, header.Value.ToArray());
            }
        }

        request.Headers.Host = context.Request.Host.Value;   // it is signed
        using var response = await _http.SendAsync(request, context.RequestAborted);
        var text = await response.Content.ReadAsStringAsync(context.RequestAborted);
        Calls.Enqueue((action, (int)response.StatusCode, context.Connection.RemoteIpAddress));
        if (response.IsSuccessStatusCode)
        {
            Done?.Invoke(action);
        }

        context.Response.StatusCode = (int)response.StatusCode;
        context.Response.ContentType = (response.Content.Headers.ContentType ?? new MediaTypeHeaderValue("text/xml")).ToString();
        await context.Response.WriteAsync(PublicAddress().Replace(text, m => $"<{m.Groups["name"].Value}>{address}</"), context.RequestAborted);
    }

    [GeneratedRegex("<(?<name>ipAddress|publicIp)>[0-9.]+</", RegexOptions.ExplicitCapture)]
    private static partial Regex PublicAddress();

    [GeneratedRegex("(^|&)Action=(?<name>[A-Za-z]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex ActionOf();
}
