using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.WebUtilities;

namespace Lab.Clouds;

/// <summary>
/// A stand-in for DigitalOcean's API v2 on a loopback address: Droplets, their actions and snapshots, with states that take their time, pages,
/// pace limits, and the faults of a real network. Contract: DigitalOcean's OpenAPI description.
/// </summary>
/// <example><code>
/// await using var cloud = await DigitalOceanStandIn.StartAsync();
/// cloud.AddSnapshot("bastion-home.golden.1", "fra1");
/// cloud.Trouble("POST droplets", new CloudTrouble.LoseReply());
/// </code></example>
public sealed class DigitalOceanStandIn : IAsyncDisposable
{
    public const string Token = "dop_v1_of_the_lab";

    private readonly DropletAccount _account;
    private readonly ConcurrentDictionary<string, ConcurrentQueue<CloudTrouble>> _troubles = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private WebApplication? _app;

    private DigitalOceanStandIn(TimeProvider time) => (_time, _account) = (time, new DropletAccount(time));

    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.Loopback, 0);

    public Uri BaseUrl => new($"http://{EndPoint}/");

    /// <summary>Method and path of every request so far, refused ones too: <c>GET droplets</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public DropletBehaviour Behaviour
    {
        get => _account.Behaviour;
        set => _account.Behaviour = value;
    }

    /// <summary>All that are there, oldest first.</summary>
    public ImmutableArray<LabDroplet> Droplets => _account.Droplets;

    public static async Task<DigitalOceanStandIn> StartAsync(TimeProvider? time = null)
    {
        var standIn = new DigitalOceanStandIn(time ?? TimeProvider.System);
        await standIn.GoUpAsync();
        return standIn;
    }

    /// <summary>A snapshot that lies in these regions.</summary>
    public long AddSnapshot(string name, params ReadOnlySpan<string> regions) => _account.AddSnapshot(name, [.. regions]);

    /// <summary>Made in the provider's app by the owner.</summary>
    public LabDroplet Add(string name, string tag, string region = "fra1") => _account.Create(name, region, "s-1vcpu-512mb-10gb", "1", [tag]);

    /// <summary>As the owner does in the app.</summary>
    public void Act(long id, string type) => _account.Act(id, type, null);

    public void Destroy(long id) => _account.Destroy(id);

    /// <summary>The machine switches itself off: no action tells of it.</summary>
    public void ShutDownFromInside(long id) => _account.SwitchOff(id);

    /// <summary>What the next requests of that method and path meet, one each: <c>POST droplets</c>.</summary>
    public void Trouble(string request, params ReadOnlySpan<CloudTrouble> troubles)
    {
        var queue = _troubles.GetOrAdd(request, _ => new());
        foreach (var trouble in troubles)
        {
            queue.Enqueue(trouble);
        }
    }

    public int Count(string request) => Requests.Count(r => r == request);

    /// <summary>Connections are refused from now on; Droplets stay as they are.</summary>
    public async Task GoDownAsync()
    {
        if (Interlocked.Exchange(ref _app, null) is { } app)
        {
            await app.StopAsync(new CancellationToken(canceled: true));
            await app.DisposeAsync();
        }
    }

    public async Task GoUpAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(EndPoint, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var app = builder.Build();
        app.Run(AnswerAsync);
        await app.StartAsync();
        EndPoint = IPEndPoint.Parse(new Uri(app.Urls.First()).Authority);
        _app = app;
    }

    public ValueTask DisposeAsync() => new(GoDownAsync());

    private async Task AnswerAsync(HttpContext context)
    {
        var path = (context.Request.Path.Value ?? "").Replace("/v2/", "", StringComparison.Ordinal);
        var name = $"{context.Request.Method} {NoNumbers(path)}";
        Requests.Enqueue(name);
        var trouble = _troubles.TryGetValue(name, out var queue) && queue.TryDequeue(out var next) ? next : null;
        switch (trouble)
        {
            case CloudTrouble.LoseRequest:
                context.Abort();
                return;
            case CloudTrouble.Page page:
                context.Response.Headers.Location = page.Location ?? "";
                await WriteAsync(context, page.Status, "<!DOCTYPE html><html><body>Welcome to the hotel</body></html>", "text/html");
                return;
            case CloudTrouble.Error error:
                if (error.RetryAfter is { } after)
                {
                    context.Response.Headers.RetryAfter = ((int)after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
                }

                await WriteAsync(context, error.Status, Fault(error.Code, error.Message).ToJsonString());
                return;
        }

        var (status, body) = await DoAsync(context.Request, path);
        await SendAsync(context, status, body?.ToJsonString() ?? "", trouble);
    }

    private async Task<(int Status, JsonNode? Body)> DoAsync(HttpRequest request, string path)
    {
        if (request.Headers.Authorization != $"Bearer {Token}")
        {
            return (401, Fault("unauthorized", "Unable to authenticate you"));
        }

        try
        {
            using var reader = new StreamReader(request.Body);
            var text = await reader.ReadToEndAsync();
            var query = QueryHelpers.ParseQuery(request.QueryString.Value);
            return Do(request.Method, path.Split('/'), query.ToDictionary(q => q.Key, q => q.Value.ToString(), StringComparer.Ordinal), text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return (422, Fault("unprocessable_entity", $"the request cannot be read: {e.Message}"));
        }
        catch (DropletRefusal e)
        {
            return (e.Status, Fault(e.Id, e.Message));
        }
    }

    private (int Status, JsonNode? Body) Do(string method, string[] path, Dictionary<string, string> query, JsonObject? body) => (method, path) switch
    {
        ("GET", ["droplets"]) => (200, Page("droplets", [.. _account.Listed(query.GetValueOrDefault("tag_name")).Select(DropletAnswer.Droplet)], "droplets", query)),
        ("POST", ["droplets"]) => (202, new JsonObject { ["droplet"] = DropletAnswer.Droplet(_account.Create(Text(body, "name"), Text(body, "region"), Text(body, "size"), Text(body, "image"), Tags(body))) }),
        ("GET", ["droplets", var id]) => (200, new JsonObject { ["droplet"] = DropletAnswer.Droplet(_account.Get(Number(id))) }),
        ("DELETE", ["droplets", var id]) => Gone(() => _account.Destroy(Number(id))),
        ("GET", ["droplets", var id, "actions"]) => (200, Page("actions", [.. _account.ActionsOf(Number(id)).Select(DropletAnswer.Action)], $"droplets/{id}/actions", query)),
        ("POST", ["droplets", var id, "actions"]) => (201, new JsonObject { ["action"] = DropletAnswer.Action(_account.Act(Number(id), Text(body, "type"), body?["name"]?.GetValue<string>())) }),
        ("GET", ["actions", var id]) => (200, new JsonObject { ["action"] = DropletAnswer.Action(_account.ActionOf(Number(id))) }),
        ("GET", ["snapshots"]) => (200, Page("snapshots", [.. _account.Snapshots.Select(DropletAnswer.Snapshot)], "snapshots", query)),
        ("DELETE", ["snapshots", var id]) => Gone(() => _account.DestroySnapshot(Number(id))),
        _ => throw new DropletRefusal(404, "not_found", "The resource you requested could not be found."),
    };

    private static (int, JsonNode?) Gone(Action action)
    {
        action();
        return (204, null);
    }

    /// <summary>Links name a host that does not exist: whoever follows them has to stay with the one it speaks to.</summary>
    private JsonObject Page(string name, JsonArray all, string path, Dictionary<string, string> query)
    {
        var size = Math.Min(int.Parse(query.GetValueOrDefault("per_page", "20"), CultureInfo.InvariantCulture), Behaviour.PageSize);
        var page = int.Parse(query.GetValueOrDefault("page", "1"), CultureInfo.InvariantCulture);
        var next = all.Count > page * size
            ? new JsonObject { ["pages"] = new JsonObject { ["next"] = $"https://api.invalid/v2/{path}?{string.Join('&', query.Where(q => q.Key != "page").Select(q => $"{q.Key}={Uri.EscapeDataString(q.Value)}"))}&page={page + 1}" } }
            : [];
        return new JsonObject
        {
            [name] = new JsonArray([.. all.Skip((page - 1) * size).Take(size).Select(n => n!.DeepClone())]),
            ["links"] = next,
            ["meta"] = new JsonObject { ["total"] = all.Count },
        };
    }

    private async Task SendAsync(HttpContext context, int status, string json, CloudTrouble? trouble)
    {
        switch (trouble)
        {
            case CloudTrouble.LoseReply:
                context.Abort();
                return;
            case CloudTrouble.HalfReply:
                context.Response.StatusCode = status;
                context.Response.ContentType = "application/json";
                context.Response.ContentLength = Encoding.UTF8.GetByteCount(json);
                await context.Response.WriteAsync(json[..(json.Length / 2)]);
                await context.Response.Body.FlushAsync();
                context.Abort();
                return;
            case CloudTrouble.Slow slow:
                await Task.Delay(slow.By, _time, context.RequestAborted);
                break;
        }

        await WriteAsync(context, status, json);
    }

    private static async Task WriteAsync(HttpContext context, int status, string text, string type = "application/json; charset=utf-8")
    {
        context.Response.StatusCode = status;
        if (status != 204)
        {
            context.Response.ContentType = type;
            await context.Response.WriteAsync(text);
        }
    }

    private static JsonObject Fault(string id, string message) => new() { ["id"] = id, ["message"] = message, ["request_id"] = $"{Guid.NewGuid()}" };

    private static string NoNumbers(string path) => string.Join('/', path.Split('/').Select(p => long.TryParse(p, CultureInfo.InvariantCulture, out _) ? "ID" : p));

    private static long Number(string text) => long.TryParse(text, CultureInfo.InvariantCulture, out var n) ? n : throw new DropletRefusal(404, "not_found", "The resource you requested could not be found.");

    private static string Text(JsonObject? body, string key) => body?[key]?.ToString() ?? throw new DropletRefusal(422, "unprocessable_entity", $"{key} is required");

    private static ImmutableArray<string> Tags(JsonObject? body) => [.. body?["tags"] is JsonArray tags ? tags.Select(t => t!.GetValue<string>()) : []];
}
