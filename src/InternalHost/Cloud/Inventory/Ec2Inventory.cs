using System.Collections.Immutable;
using InternalHost.Cloud.Ec2;
using InternalHost.Cloud.Prices;
using InternalHost.Configuration;

namespace InternalHost.Cloud.Inventory;

/// <summary>What bears the site's tag at EC2.</summary>
internal sealed class Ec2Inventory(Ec2Client client, string site, string region) : ICloudInventory
{
    private static readonly ImmutableArray<string> Living = ["pending", "running", "stopping", "stopped"];

    public async Task<CloudInventory> ListAsync(CancellationToken ct)
    {
        var (chosen, others) = Ec2Choice.Of(await CallAsync("list the VMs", () => client.DescribeInstancesByTagAsync(Ec2Cloud.SiteTag, site, Living, ct)));
        var things = new List<CloudThing>();
        var unseen = new List<CloudThingKind>();
        things.AddRange((chosen is null ? others : [chosen, .. others]).Select(i => Machine(i, used: i == chosen)));
        await AddAsync(CloudThingKind.Volume, async () => (await client.DescribeVolumesByTagAsync(Ec2Cloud.SiteTag, site, ct)).Select(v => new CloudThing(
            CloudThingKind.Volume, v.VolumeId, $"{v.Size} GB", v.State, v.InstanceId is not null && v.InstanceId == chosen?.InstanceId, v.Size * Prices("").DiskGbMonth)));
        await AddAsync(CloudThingKind.Address, async () => (await client.DescribeAddressesByTagAsync(Ec2Cloud.SiteTag, site, ct)).Select(a => new CloudThing(
            CloudThingKind.Address, a.AllocationId, $"{a.PublicIp}", a.InstanceId ?? "of nothing", a.InstanceId is not null && a.InstanceId == chosen?.InstanceId, Prices("").IdleAddressMonth)));
        await AddAsync(CloudThingKind.Snapshot, async () => (await client.DescribeSnapshotsByTagAsync(Ec2Cloud.SiteTag, site, ct)).Select(s => new CloudThing(
            CloudThingKind.Snapshot, s.SnapshotId, $"{s.VolumeSize} GB", s.State, Used: false, s.VolumeSize * Prices("").SnapshotGbMonth)));
        return new CloudInventory([.. things], [.. unseen]);

        // A key of an older policy may list machines only.
        async Task AddAsync(CloudThingKind kind, Func<Task<IEnumerable<CloudThing>>> list)
        {
            try
            {
                things.AddRange(await list());
            }
            catch (Ec2Exception e) when (Ec2Errors.IsNotPermitted(e.Code))
            {
                unseen.Add(kind);
            }
            catch (Ec2Exception e)
            {
                throw Ec2Errors.ToCloud(e, $"list what is there ({kind})");
            }
        }
    }

    public Task AdoptAsync(string id, CancellationToken ct) => CallAsync("adopt the VM", async () =>
    {
        var (chosen, _) = Ec2Choice.Of(await client.DescribeInstancesByTagAsync(Ec2Cloud.SiteTag, site, Living, ct));
        if (chosen is not null && chosen.InstanceId != id)
        {
            throw new CloudException(CloudFailure.Unknown, $"{site} has a VM already, {chosen.InstanceId} ({chosen.State}): discard that one first, then adopt {id}");
        }

        if ((await client.DescribeInstancesAsync([id], ct)).FirstOrDefault(i => Living.Contains(i.State)) is null)
        {
            throw new CloudException(CloudFailure.NotFound, $"no instance {id} is in {region}: look at its id and at bastion.region");
        }

        await client.CreateTagsAsync([id], new Dictionary<string, string>(StringComparer.Ordinal) { [Ec2Cloud.SiteTag] = site }, ct);
        return true;
    });

    public Task DiscardAsync(CloudThing thing, CancellationToken ct) => CallAsync($"remove {thing.Id}", async () =>
    {
        try
        {
            await (thing.Kind switch
            {
                CloudThingKind.Machine => client.TerminateInstancesAsync(thing.Id, dryRun: false, ct),
                CloudThingKind.Volume => client.DeleteVolumeAsync(thing.Id, ct),
                CloudThingKind.Address => client.ReleaseAddressAsync(thing.Id, ct),
                CloudThingKind.Snapshot => client.DeleteSnapshotAsync(thing.Id, ct),
                _ => throw new ArgumentOutOfRangeException(nameof(thing)),
            });
        }
        catch (Ec2Exception e) when (e.Code.EndsWith(".NotFound", StringComparison.Ordinal))
        {
            // Somebody was quicker, or the first answer was lost.
        }

        return true;
    });

    private CloudThing Machine(Ec2Instance instance, bool used) => new(
        CloudThingKind.Machine, instance.InstanceId, instance.Tags.GetValueOrDefault("Name", ""), instance.State, used,
        instance.State is "stopped" ? 0 : Prices(instance.InstanceType).VmHour * PriceTable.HoursOfMonth);

    private CloudPrices Prices(string size) => PriceTable.Of(CloudKind.Ec2, region, size)!;

    private static async Task<T> CallAsync<T>(string doing, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Ec2Exception e)
        {
            throw Ec2Errors.ToCloud(e, doing);
        }
    }
}
