using System.Globalization;
using InternalHost.Cloud.DigitalOcean;
using InternalHost.Cloud.Prices;
using InternalHost.Configuration;

namespace InternalHost.Cloud.Inventory;

/// <summary>What bears the site's tag or name at DigitalOcean. Reserved addresses have neither there: they are not seen.</summary>
internal sealed class DropletInventory(DigitalOceanClient client, string site, string region) : ICloudInventory
{
    private const string Off = "off";

    private readonly string _tag = DropletCloud.TagOf(site);

    public Task<CloudInventory> ListAsync(CancellationToken ct) => CallAsync("list what is there", async () =>
    {
        var droplets = DropletCloud.InOrderOfUse(await client.DropletsByTagAsync(_tag, ct)).ToList();
        var snapshots = (await client.SnapshotsAsync(ct)).Where(s => s.Name.StartsWith(DropletCloud.SnapshotsOf(site), StringComparison.Ordinal)).ToList();
        var golden = DropletCloud.Newest(snapshots, site, region);
        var things = droplets.Select(d => Machine(d, used: d == droplets[0] && (d.Status != Off || golden is null), golden is not null))
            .Concat(snapshots.Select(s => new CloudThing(
                CloudThingKind.Snapshot, s.Id, s.Name, "", s == golden, (decimal)s.SizeGigabytes * Prices("").SnapshotGbMonth)))
            .ToList();
        try
        {
            things.AddRange((await client.VolumesAsync(ct)).Where(v => v.Tags?.Contains(_tag) == true).Select(v => Volume(v, droplets.FirstOrDefault())));
            return new CloudInventory([.. things], []);
        }
        catch (DigitalOceanException e) when (e.Status == 403)
        {
            return new CloudInventory([.. things], [CloudThingKind.Volume]);   // a token of an older list of scopes
        }
    });

    public Task AdoptAsync(string id, CancellationToken ct) => CallAsync("adopt the Droplet", async () =>
    {
        var others = DropletCloud.InOrderOfUse(await client.DropletsByTagAsync(_tag, ct)).Where(d => $"{d.Id}" != id).ToList();
        if (others is [var other, ..])
        {
            throw new CloudException(CloudFailure.Unknown, $"{site} has a Droplet already, {other.Id} ({other.Status}): discard that one first, then adopt {id}");
        }

        if (!long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || await client.DropletAsync(number, ct) is null)
        {
            throw new CloudException(CloudFailure.NotFound, $"there is no Droplet {id}");
        }

        await client.TagDropletAsync(_tag, number, ct);
        return true;
    });

    public Task DiscardAsync(CloudThing thing, CancellationToken ct) => CallAsync($"remove {thing.Id}", async () =>
    {
        try
        {
            await (thing.Kind switch
            {
                CloudThingKind.Machine => client.DeleteDropletAsync(long.Parse(thing.Id, CultureInfo.InvariantCulture), ct),
                CloudThingKind.Snapshot => client.DeleteSnapshotAsync(thing.Id, ct),
                CloudThingKind.Volume => client.DeleteVolumeAsync(thing.Id, ct),
                _ => throw new ArgumentOutOfRangeException(nameof(thing)),
            });
        }
        catch (DigitalOceanException e) when (e.IsNotFound)
        {
            // Somebody was quicker, or the first answer was lost.
        }

        return true;
    });

    /// <summary>Off or not, it costs the same.</summary>
    private CloudThing Machine(Droplet droplet, bool used, bool canBeMadeAgain) => new(
        CloudThingKind.Machine, $"{droplet.Id}", droplet.Name, droplet.Status, used, Prices(droplet.SizeSlug ?? "").OffMonth)
    {
        IsLeftOff = droplet.Status == Off && canBeMadeAgain,
    };

    private CloudThing Volume(DropletVolume volume, Droplet? used) => new(
        CloudThingKind.Volume, volume.Id, volume.Name, volume.DropletIds is { Count: > 0 } ? "attached" : "of nothing",
        used is not null && volume.DropletIds?.Contains(used.Id) == true, volume.SizeGigabytes * Prices("").DiskGbMonth);

    private CloudPrices Prices(string size) => PriceTable.Of(CloudKind.DigitalOcean, region, size)!;

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
}
