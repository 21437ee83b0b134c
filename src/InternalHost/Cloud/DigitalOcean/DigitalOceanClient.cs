using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization.Metadata;

namespace InternalHost.Cloud.DigitalOcean;

/// <summary>Typed calls of DigitalOcean's API v2. Every one throws <see cref="DigitalOceanException"/>.</summary>
internal sealed partial class DigitalOceanClient(DigitalOceanHttp http)
{
    private const int PageSize = 200;

    /// <summary>Ten thousand of anything is not ours.</summary>
    private const int MostPages = 50;

    private static DigitalOceanJson Json => DigitalOceanJson.Default;

    /// <summary>All Droplets with a tag, whatever their state.</summary>
    public Task<ImmutableArray<Droplet>> DropletsByTagAsync(string tag, CancellationToken ct) =>
        ListAsync<DropletPage, Droplet>($"droplets?tag_name={Uri.EscapeDataString(tag)}&per_page={Number(PageSize)}", Json.DropletPage, ct);

    /// <summary>Null: there is none of that number (any more).</summary>
    public async Task<Droplet?> DropletAsync(long id, CancellationToken ct)
    {
        try
        {
            return (await http.GetAsync($"droplets/{Number(id)}", Json.DropletReply, ct)).Droplet ?? throw Strange("droplet");
        }
        catch (DigitalOceanException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Accepted, not yet running. There is no idempotency key: where the reply is lost, look before asking again.</summary>
    public async Task<Droplet> CreateDropletAsync(NewDroplet droplet, CancellationToken ct) =>
        (await http.PostAsync("droplets", droplet, Json.NewDroplet, Json.DropletReply, ct)).Droplet ?? throw Strange("droplet");

    /// <summary>Disk and addresses go with it. What is gone already is an error 404.</summary>
    public Task DeleteDropletAsync(long id, CancellationToken ct) => http.DeleteAsync($"droplets/{Number(id)}", ct);

    /// <param name="type"><c>power_on</c>, <c>power_off</c>, <c>shutdown</c>.</param>
    public Task<DropletAction> ActAsync(long id, string type, CancellationToken ct) => ActAsync(id, new NewAction(type), ct);

    /// <summary>A snapshot of its disk; complete when the action is.</summary>
    public Task<DropletAction> SnapshotAsync(long id, string name, CancellationToken ct) => ActAsync(id, new NewAction("snapshot", name), ct);

    /// <summary>What was done to a Droplet, newest first.</summary>
    public Task<ImmutableArray<DropletAction>> ActionsAsync(long id, CancellationToken ct) =>
        ListAsync<ActionPage, DropletAction>($"droplets/{Number(id)}/actions?per_page={Number(PageSize)}", Json.ActionPage, ct);

    public async Task<DropletAction> ActionAsync(long id, CancellationToken ct) =>
        (await http.GetAsync($"actions/{Number(id)}", Json.ActionReply, ct)).Action ?? throw Strange("action");

    /// <summary>Snapshots of Droplets of the whole account.</summary>
    public Task<ImmutableArray<DropletSnapshot>> SnapshotsAsync(CancellationToken ct) =>
        ListAsync<SnapshotPage, DropletSnapshot>($"snapshots?resource_type=droplet&per_page={Number(PageSize)}", Json.SnapshotPage, ct);

    public Task DeleteSnapshotAsync(string id, CancellationToken ct) => http.DeleteAsync($"snapshots/{Uri.EscapeDataString(id)}", ct);

    private async Task<DropletAction> ActAsync(long id, NewAction action, CancellationToken ct) =>
        (await http.PostAsync($"droplets/{Number(id)}/actions", action, Json.NewAction, Json.ActionReply, ct)).Action ?? throw Strange("action");

    /// <summary>Page after page. Where the next one is, is taken from the answer; never from which host.</summary>
    private async Task<ImmutableArray<T>> ListAsync<TPage, T>(string path, JsonTypeInfo<TPage> type, CancellationToken ct)
        where TPage : class, IPage<T>
    {
        var all = ImmutableArray.CreateBuilder<T>();
        for (var n = 1; n <= MostPages; n++)
        {
            var page = await http.GetAsync(path, type, ct);
            all.AddRange(page.Items ?? throw Strange("list"));
            if (page.Links?.Pages?.Next is not { Length: > 0 } next)
            {
                return all.ToImmutable();
            }

            path = Below(next);
        }

        throw Strange($"more than {MostPages} pages");
    }

    private static string Below(string next)
    {
        const string root = "/v2/";
        return Uri.TryCreate(next, UriKind.Absolute, out var url) && url.PathAndQuery.StartsWith(root, StringComparison.Ordinal) ? url.PathAndQuery[root.Length..] : throw Strange("next page");
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static DigitalOceanException Strange(string what) => new(CallFault.Stranger, 200, "", $"the answer has no {what} as the API gives it");
}
