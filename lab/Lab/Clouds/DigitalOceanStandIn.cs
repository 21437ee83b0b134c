using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lab.World;
using Microsoft.AspNetCore.Http;
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
    private const string JsonType = "application/json; charset=utf-8";
    private const int NoContent = 204;

    private readonly DropletAccount _account;
    private readonly DropletThings _things = new();
    private readonly DomainRecords _domains = new();
    private readonly CloudTroubles _troubles = new();
    private readonly LoopbackWeb _web;
    private readonly TimeProvider _time;

    private DigitalOceanStandIn(TimeProvider time) =>
        (_time, _account, _web) = (time, new DropletAccount(time), new LoopbackWeb(new IPEndPoint(IPAddress.Loopback, 0), AnswerAsync));

    public Uri BaseUrl => new($"http://{_web.EndPoint}/");

    /// <summary>Method and path of every request so far, refused ones too: <c>GET droplets</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public DropletBehaviour Behaviour
    {
        get => _account.Behaviour;
        set => _account.Behaviour = value;
    }

    /// <summary>All that are there, oldest first.</summary>
    public ImmutableArray<LabDroplet> Droplets => _account.Droplets;

    public ImmutableArray<LabSshKey> Keys => _things.Keys;

    public ImmutableArray<LabFirewall> Firewalls => _things.Firewalls;

    public ImmutableArray<string> TagNames => _things.Tags;

    public ImmutableArray<string> SnapshotNames => [.. _account.Snapshots.Select(s => s.Name)];

    /// <summary>Droplets ever made.</summary>
    public int Made => _account.Made;

    /// <summary>The most that there ever were at the same moment.</summary>
    public int MostAtOnce => _account.MostAtOnce;

    public static async Task<DigitalOceanStandIn> StartAsync(TimeProvider? time = null)
    {
        var standIn = new DigitalOceanStandIn(time ?? TimeProvider.System);
        await standIn.GoUpAsync();
        return standIn;
    }

    /// <summary>A snapshot that lies in these regions.</summary>
    public long AddSnapshot(string name, params ReadOnlySpan<string> regions) => _account.AddSnapshot(name, [.. regions]);

    /// <summary>Made in the provider's app; attached to nothing.</summary>
    public string AddVolume(string name, int gigabytes, string tag) => _account.AddVolume(name, gigabytes, tag);

    /// <summary>Made in the provider's app by the owner.</summary>
    public LabDroplet Add(string name, string tag, string region = "fra1") => _account.Create(name, region, "s-1vcpu-512mb-10gb", "1", tag.Length == 0 ? [] : [tag]);

    /// <summary>Reserved IPs, and the Droplet to which each was assigned last; 0: to none. One that is gone has lost its own.</summary>
    public ConcurrentDictionary<string, long> ReservedIps { get; } = new(StringComparer.Ordinal);

    public ImmutableArray<LabDomainRecord> Records => _domains.All;

    public void AddDomain(string domain) => _domains.AddDomain(domain);

    public void AddRecord(string domain, string type, string name, string data, int ttl) => _domains.Add(domain, type, name, data, ttl);

    /// <summary>As the owner does in the app.</summary>
    public void Act(long id, string type) => _account.Act(id, type, null);

    public void Destroy(long id) => _account.Destroy(id);

    /// <summary>The machine switches itself off: no action tells of it.</summary>
    public void ShutDownFromInside(long id) => _account.SwitchOff(id);

    /// <summary>What the next requests of that method and path meet, one each: <c>POST droplets</c>.</summary>
    public void Trouble(string request, params ReadOnlySpan<CloudTrouble> troubles) => _troubles.Add(request, troubles);

    public int Count(string request) => Requests.Count(r => r == request);

    /// <summary>Connections are refused from now on; Droplets stay as they are.</summary>
    public Task GoDownAsync() => _web.GoDownAsync();

    public Task GoUpAsync() => _web.GoUpAsync();

    public ValueTask DisposeAsync() => new(GoDownAsync());

    private async Task AnswerAsync(HttpContext context)
    {
        var path = (context.Request.Path.Value ?? "").Replace("/v2/", "", StringComparison.Ordinal);
        var name = $"{context.Request.Method} {NoNumbers(path)}";
        Requests.Enqueue(name);
        var trouble = _troubles.Next(name);
        switch (trouble)
        {
            case CloudTrouble.LoseRequest:
                context.Abort();
                return;
            case CloudTrouble.Page page:
                context.Response.Headers.Location = page.Location ?? "";
                await WriteAsync(context, page.Status, CloudTroubles.Portal, "text/html");
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
        ("POST", ["droplets"]) => (202, Created(Create(body))),
        ("GET", ["droplets", var id]) => (200, new JsonObject { ["droplet"] = DropletAnswer.Droplet(_account.Get(Number(id))) }),
        ("DELETE", ["droplets", var id]) => Gone(() => _account.Destroy(Number(id))),
        ("GET", ["droplets", var id, "actions"]) => (200, Page("actions", [.. _account.ActionsOf(Number(id)).Select(DropletAnswer.Action)], $"droplets/{id}/actions", query)),
        ("POST", ["droplets", var id, "actions"]) => (201, new JsonObject { ["action"] = DropletAnswer.Action(_account.Act(Number(id), Text(body, "type"), body?["name"]?.GetValue<string>())) }),
        ("GET", ["actions", var id]) => (200, new JsonObject { ["action"] = DropletAnswer.Action(_account.ActionOf(Number(id))) }),
        ("GET", ["snapshots"]) => (200, Page("snapshots", [.. _account.Snapshots.Select(DropletAnswer.Snapshot)], "snapshots", query)),
        ("GET", ["account", "keys"]) => (200, Page("ssh_keys", [.. _things.Keys.Select(DropletAnswer.Key)], "account/keys", query)),
        ("POST", ["account", "keys"]) => (201, new JsonObject { ["ssh_key"] = DropletAnswer.Key(_things.AddKey(Text(body, "name"), Text(body, "public_key"))) }),
        ("DELETE", ["account", "keys", var id]) => Gone(() => _things.RemoveKey(Number(id))),
        ("GET", ["firewalls"]) => (200, Page("firewalls", [.. _things.Firewalls.Select(DropletAnswer.Firewall)], "firewalls", query)),
        ("POST", ["firewalls"]) => (202, new JsonObject { ["firewall"] = DropletAnswer.Firewall(_things.Put(null, body!)) }),
        ("PUT", ["firewalls", var id]) => (200, new JsonObject { ["firewall"] = DropletAnswer.Firewall(_things.Put(id, body!)) }),
        ("DELETE", ["firewalls", var id]) => Gone(() => _things.RemoveFirewall(id)),
        ("POST", ["tags"]) => (201, new JsonObject { ["tag"] = DropletAnswer.Tag(Tagged(Text(body, "name"))) }),
        ("GET", ["tags", var name]) => (200, new JsonObject { ["tag"] = DropletAnswer.Tag(_things.Tag(name)) }),
        ("DELETE", ["tags", var name]) => Gone(() => _things.RemoveTag(name)),
        ("GET", ["volumes"]) => (200, Page("volumes", [.. _account.Volumes.Select(DropletAnswer.Volume)], "volumes", query)),
        ("DELETE", ["volumes", var id]) => Gone(() => _account.DestroyVolume(id)),
        ("POST", ["tags", var tag, "resources"]) => Gone(() => _account.Tag(tag, (body?["resources"] as JsonArray ?? []).Select(r => Number($"{r?["resource_id"]}")))),
        ("DELETE", ["snapshots", var id]) => Gone(() => _account.DestroySnapshot(Number(id))),
        ("GET", ["reserved_ips", var ip]) => (200, new JsonObject { ["reserved_ip"] = Reserved(ip) }),
        ("POST", ["reserved_ips", var ip, "actions"]) => (201, new JsonObject { ["action"] = Assign(ip, Text(body, "type"), Number(Text(body, "droplet_id"))) }),
        ("GET", ["domains", var domain, "records"]) => (200, Page("domain_records", [.. _domains.Of(domain, query.GetValueOrDefault("name"), query.GetValueOrDefault("type")).Select(DomainRecords.Answer)], $"domains/{domain}/records", query)),
        ("POST", ["domains", var domain, "records"]) => (201, new JsonObject { ["domain_record"] = DomainRecords.Answer(_domains.Add(domain, body)) }),
        ("DELETE", ["domains", var domain, "records", var id]) => Gone(() => _domains.Remove(domain, Number(id))),
        _ => throw new DropletRefusal(404, "not_found", "The resource you requested could not be found."),
    };

    private JsonObject Created(LabDroplet droplet)
    {
        var create = _account.ActionsOf(droplet.Id).First();
        return new JsonObject
        {
            ["droplet"] = DropletAnswer.Droplet(droplet),
            ["links"] = new JsonObject { ["actions"] = new JsonArray(new JsonObject { ["id"] = create.Id, ["rel"] = "create", ["href"] = $"https://api.invalid/v2/actions/{create.Id}" }) },
        };
    }

    private JsonObject Reserved(string ip)
    {
        var holder = ReservedIps.TryGetValue(ip, out var id) ? id : throw new DropletRefusal(404, "not_found", "The resource you requested could not be found.");
        return new JsonObject { ["ip"] = ip, ["droplet"] = Droplets.FirstOrDefault(d => d.Id == holder) is { } droplet ? DropletAnswer.Droplet(droplet) : null, ["locked"] = false };
    }

    private JsonObject Assign(string ip, string type, long droplet)
    {
        _ = Reserved(ip);
        _ = _account.Get(droplet);
        ReservedIps[ip] = type == "assign" ? droplet : 0;
        return new JsonObject { ["id"] = 72_531_856, ["status"] = "in-progress", ["type"] = type == "assign" ? "assign_ip" : "unassign_ip", ["started_at"] = $"{_time.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ}", ["resource_id"] = 0, ["resource_type"] = "reserved_ip" };
    }

    private LabDroplet Create(JsonObject? body)
    {
        foreach (var tag in Tags(body))
        {
            _things.AddTag(tag);
        }

        var keys = body?["ssh_keys"] is JsonArray list ? list.Select(k => (long)k!).ToList() : [];
        return keys.TrueForAll(id => _things.Keys.Any(k => k.Id == id))
            ? _account.Create(Text(body, "name"), Text(body, "region"), Text(body, "size"), Text(body, "image"), Tags(body), body?["user_data"]?.ToString())
            : throw new DropletRefusal(422, "unprocessable_entity", "ssh_keys holds a key that is not in the account");
    }

    private string Tagged(string name)
    {
        _things.AddTag(name);
        return name;
    }

    private static (int, JsonNode?) Gone(Action action)
    {
        action();
        return (NoContent, null);
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
        Head(context, status, JsonType);
        if (!await CloudTroubles.CutAsync(context, trouble, json, _time))
        {
            await WriteAsync(context, status, json);
        }
    }

    private static async Task WriteAsync(HttpContext context, int status, string text, string type = JsonType)
    {
        Head(context, status, type);
        if (status != NoContent)
        {
            await context.Response.WriteAsync(text);
        }
    }

    private static void Head(HttpContext context, int status, string type)
    {
        context.Response.StatusCode = status;
        if (status != NoContent)
        {
            context.Response.ContentType = type;
        }
    }

    private static JsonObject Fault(string id, string message) => new() { ["id"] = id, ["message"] = message, ["request_id"] = $"{Guid.NewGuid()}" };

    private static string NoNumbers(string path) => string.Join('/', path.Split('/').Select(p => long.TryParse(p, CultureInfo.InvariantCulture, out _) ? "ID" : p));

    private static long Number(string text) => long.TryParse(text, CultureInfo.InvariantCulture, out var n) ? n : throw new DropletRefusal(404, "not_found", "The resource you requested could not be found.");

    private static string Text(JsonObject? body, string key) => body?[key]?.ToString() ?? throw new DropletRefusal(422, "unprocessable_entity", $"{key} is required");

    private static ImmutableArray<string> Tags(JsonObject? body) => [.. body?["tags"] is JsonArray tags ? tags.Select(t => t!.GetValue<string>()) : []];
}
