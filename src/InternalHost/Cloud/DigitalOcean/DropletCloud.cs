using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;

namespace InternalHost.Cloud.DigitalOcean;

/// <summary>
/// Provider <c>digitalocean</c>: a Droplet that is off is paid for all the same, so it is destroyed at the end of an outage and made again out of
/// the site's golden snapshot. Nothing is destroyed while there is no such snapshot.
/// </summary>
/// <param name="sizes">Slugs that will do, tried in this order where there is no room.</param>
/// <param name="mayHaveAsked">An earlier run of the program may just have asked for a Droplet that no list shows yet.</param>
internal sealed partial class DropletCloud(DigitalOceanClient client, string site, string region, ImmutableArray<string> sizes, TimeProvider time, ILogger<DropletCloud> log, bool mayHaveAsked = false) : ICloud
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private string _others = "";      // the four are guarded by _gate
    private long? _asked = mayHaveAsked ? time.GetTimestamp() : null;   // when a create went out whose end is not known: a timestamp
    private long? _seen;              // the Droplet that was last there
    private long? _ended;             // the one that we have ended

    /// <summary>A Droplet that was asked for may be missing from the list for a while; so long no other is asked for.</summary>
    internal TimeSpan ListLag { get; init; } = TimeSpan.FromSeconds(20);

    public Lifecycle Lifecycle => Lifecycle.Snapshot;

    /// <summary>Carried by everything that belongs to a site.</summary>
    public static string TagOf(string site) => $"bastion:site:{site}";

    public static string NameOf(string site) => $"bastion-{site}";

    /// <summary>Golden snapshots are the site's by this beginning of their names.</summary>
    public static string SnapshotsOf(string site) => $"bastion-{site}.golden.";

    public Task<InstanceSight> DescribeAsync(CancellationToken ct) => CallAsync("look for the VM", async () =>
        (await FindAsync(ct) ?? await MissingAsync(ct)) is { } found ? await SightAsync(found, ct) : Absent());

    public Task StartAsync(CancellationToken ct) => CallAsync("start the VM", async () =>
    {
        if (await FindBeforeMakingAsync(ct) is { } found)
        {
            if (found.Status == "off")
            {
                Began(found.Id);
                await client.ActAsync(found.Id, "power_on", ct);
            }

            return found;
        }

        return await CreateAsync(await GoldenAsync(ct) ?? throw NothingToStartFrom(), ct);
    });

    public Task StopAsync(CancellationToken ct) => CallAsync("destroy the VM", async () =>
    {
        if ((await FindAsync(ct) ?? await MissingAsync(ct)) is not { } found)
        {
            return false;
        }

        if (await GoldenAsync(ct) is null)
        {
            NoSnapshot(log, site, found.Id, SnapshotsOf(site));
            await ShutDownAsync(found, ct);
            return true;
        }

        Ends(found.Id);
        await DestroyAsync(found.Id, ct);
        return true;
    });

    private async Task DestroyAsync(long id, CancellationToken ct)
    {
        try
        {
            await client.DeleteDropletAsync(id, ct);
        }
        catch (DigitalOceanException e) when (e.IsNotFound)
        {
            // Somebody was quicker, or the first answer was lost.
        }
    }

    private async Task ShutDownAsync(Droplet droplet, CancellationToken ct)
    {
        if (droplet.Status != "off")
        {
            Ends(droplet.Id);
            await client.ActAsync(droplet.Id, "shutdown", ct);
        }
    }

    /// <summary>After a create whose end is not known the list is looked at until it would show what was made.</summary>
    private async Task<Droplet?> FindBeforeMakingAsync(CancellationToken ct)
    {
        while (true)
        {
            var found = await FindAsync(ct) ?? await MissingAsync(ct);
            if (found is not null || !IsUncertain())
            {
                return found;
            }

            await Task.Delay(LookAgainAfter, time, ct);
        }
    }

    /// <summary>From now on its end is somebody else's doing.</summary>
    private void Began(long id)
    {
        lock (_gate)
        {
            (_seen, _ended) = (id, null);
        }
    }

    /// <summary>Written down before it is asked: the answer may be lost.</summary>
    private void Ends(long id)
    {
        lock (_gate)
        {
            _ended = id;
        }
    }

    private bool IsUncertain()
    {
        lock (_gate)
        {
            return _asked is { } asked && time.GetElapsedTime(asked) < ListLag;
        }
    }

    private void Asked(bool isCertain)
    {
        lock (_gate)
        {
            _asked = isCertain ? null : time.GetTimestamp();
        }
    }

    private async Task<Droplet> CreateAsync(DropletSnapshot golden, CancellationToken ct)
    {
        for (var n = 0; ; n++)
        {
            var droplet = new NewDroplet(NameOf(site), region, sizes[n], long.Parse(golden.Id, null), [TagOf(site)]);
            Asked(isCertain: false);
            try
            {
                var made = await client.CreateDropletAsync(droplet, ct);
                Began(made.Id);
                return made;
            }
            catch (DigitalOceanException e) when (e.Fault is CallFault.Refused or CallFault.Unreachable or CallFault.NoCredential)
            {
                Asked(isCertain: true);
                if (!DigitalOceanErrors.IsNoRoom(e) || n == sizes.Length - 1)
                {
                    throw;
                }

                NoRoom(log, sizes[n], region, sizes[n + 1]);
            }
        }
    }

    /// <summary>The newest one that can be used in this region; null: there is none.</summary>
    private async Task<DropletSnapshot?> GoldenAsync(CancellationToken ct) => Newest(await client.SnapshotsAsync(ct), site, region);

    public static DropletSnapshot? Newest(IEnumerable<DropletSnapshot> all, string site, string region) => all
        .Where(s => s.Name.StartsWith(SnapshotsOf(site), StringComparison.Ordinal) && s.Regions?.Contains(region) == true && long.TryParse(s.Id, null, out _))
        .OrderByDescending(s => s.CreatedAt).ThenByDescending(s => long.Parse(s.Id, null)).FirstOrDefault();

    private CloudException NothingToStartFrom() => new(
        CloudFailure.NotFound, $"no Droplet is tagged {TagOf(site)}, and no snapshot named {SnapshotsOf(site)}... is in {region}: make one there, or look at bastion.region (docs/cloud.md)");

    /// <summary>The first one is the site's.</summary>
    public static IEnumerable<Droplet> InOrderOfUse(IEnumerable<Droplet> all) =>
        all.Where(d => d.Status != "archive").OrderBy(d => d.Status == "off").ThenBy(d => d.CreatedAt).ThenBy(d => d.Id);

    /// <summary>The site's Droplet: the one that is used, of several the oldest; null: there is none.</summary>
    private async Task<Droplet?> FindAsync(CancellationToken ct)
    {
        var all = InOrderOfUse(await client.DropletsByTagAsync(TagOf(site), ct)).ToList();
        var others = string.Join(", ", all.Skip(1).Select(d => $"{d.Id} ({d.Status})"));
        lock (_gate)
        {
            if (all.Count > 0)
            {
                (_seen, _asked) = (all[0].Id, null);
            }

            if (others == _others)
            {
                return all.FirstOrDefault();
            }

            _others = others;
        }

        if (others.Length > 0)
        {
            Others(log, site, all[0].Id, others);
        }

        return all.FirstOrDefault();
    }

    /// <summary>The list may leave out what is there: the one that was last seen, and was not ended by us, is asked for by its number.</summary>
    private async Task<Droplet?> MissingAsync(CancellationToken ct)
    {
        long? id;
        lock (_gate)
        {
            id = _seen == _ended ? null : _seen;
        }

        return id is { } known && await client.DropletAsync(known, ct) is { Status: not "archive" } found ? found : null;
    }

    /// <summary>What was there and is not, and was not ended by us, was destroyed in the provider's app.</summary>
    private InstanceSight Absent()
    {
        lock (_gate)
        {
            return InstanceSight.Absent with { StoppedByOwner = _seen is not null && _seen != _ended };
        }
    }

    private async Task<InstanceSight> SightAsync(Droplet found, CancellationToken ct) => new(
        $"{found.Id}",
        found.Status switch { "new" => InstanceState.Pending, "active" => InstanceState.Running, _ => InstanceState.Stopped },
        found.Status == "off" ? [] : Public(found),
        StoppedByOwner: found.Status == "off" && !EndedByUs(found.Id) && await WasSwitchedOffAsync(found.Id, ct));

    private bool EndedByUs(long id)
    {
        lock (_gate)
        {
            return _ended == id;
        }
    }

    /// <summary>By the API, so by a person; a machine that switched itself off leaves no action.</summary>
    private async Task<bool> WasSwitchedOffAsync(long id, CancellationToken ct) =>
        (await client.ActionsAsync(id, ct)).MaxBy(a => a.StartedAt) is { Type: "power_off" or "shutdown" };

    private static ImmutableArray<IPAddress> Public(Droplet droplet) =>
        [.. (droplet.Networks?.V4 ?? []).Concat(droplet.Networks?.V6 ?? []).Where(n => n.Type == "public").Select(n => IPAddress.Parse(n.IpAddress))];

    private static async Task<T> CallAsync<T>(string doing, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (DigitalOceanException e)
        {
            throw DigitalOceanErrors.ToCloud(e, doing);
        }
    }

    [LoggerMessage(1161, LogLevel.Warning, "no room for {Size} in {Region}; trying {Next}")]
    private static partial void NoRoom(ILogger log, string size, string region, string next);

    [LoggerMessage(1162, LogLevel.Warning, "more than one Droplet is tagged for {Site}: {Id} is used, not {Others}; they cost money: destroy them in DigitalOcean's control panel")]
    private static partial void Others(ILogger log, string site, long id, string others);

    [LoggerMessage(1163, LogLevel.Error, "{Site}: Droplet {Id} is shut down, not destroyed: there is no snapshot named {Name}... to make it again from. It is paid for until there is one")]
    private static partial void NoSnapshot(ILogger log, string site, long id, string name);
}
