using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace InternalHost.Cloud.Ec2;

/// <summary>
/// Provider <c>ec2</c>: the instance that bears the site's tag. Nothing is made here, so nothing can be doubled; of several the one in use
/// is kept to, and a second one is never started.
/// </summary>
/// <param name="sizes">Instance types that will do, tried in this order where there is no room.</param>
internal sealed partial class Ec2Cloud(Ec2Client client, string site, ImmutableArray<string> sizes, TimeProvider time, ILogger<Ec2Cloud> log) : ICloud
{
    /// <summary>Carries the site's label; everything that belongs to a site has it.</summary>
    public const string SiteTag = "bastion:site";

    /// <summary>EC2 may not know yet, at one of its doors, what it said at another; it is over within seconds.</summary>
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);
    private const int Looks = 4;

    /// <summary>What is terminated stays in the list for an hour, and is nobody's any more.</summary>
    private static readonly ImmutableArray<string> Living = ["pending", "running", "stopping", "stopped"];

    private volatile string _others = "";

    /// <summary>The launch that we have asked to stop: EC2 gives the same reason for our call and for the owner's.</summary>
    private volatile string? _ourStop;

    public Lifecycle Lifecycle => Lifecycle.StopStart;

    public Task<InstanceSight> DescribeAsync(CancellationToken ct) => CallAsync("look for the VM", async () =>
        await FindAsync(ct) is { } found ? Sight(found) : InstanceSight.Absent);

    public Task StartAsync(CancellationToken ct) => CallAsync("start the VM", async () =>
    {
        var found = await FindAsync(ct) ?? throw new CloudException(
            CloudFailure.NotFound, $"no instance tagged {SiteTag}={site} is in this region: make one there with that tag, or look at bastion.region (docs/cloud.md)");
        switch (found.State)
        {
            case "stopped":
                await StartAsync(found, ct);
                break;
            case "stopping":
                throw new CloudException(CloudFailure.Transient, $"{found.InstanceId} is still stopping; it is started as soon as it has stopped");
        }

        return found;
    });

    public Task StopAsync(CancellationToken ct) => CallAsync("stop the VM", async () =>
    {
        var found = await FindAsync(ct);
        if (found is { State: "running" or "pending" })
        {
            _ourStop = Launch(found);
            await client.StopInstancesAsync(found.InstanceId, dryRun: false, ct);
        }

        return found;
    });

    private async Task StartAsync(Ec2Instance stopped, CancellationToken ct)
    {
        for (var look = 1; ; look++)
        {
            try
            {
                await StartInSomeSizeAsync(stopped, ct);
                return;
            }
            catch (Ec2Exception e) when (e.Code == Ec2Errors.InvalidInstanceIdNotFound && look < Looks)
            {
                await Task.Delay(LookAgainAfter, time, ct);
            }
            catch (Ec2Exception e) when (e.Code == Ec2Errors.IncorrectInstanceState && look < Looks)
            {
                // Somebody was quicker, or the picture was old.
                await Task.Delay(LookAgainAfter, time, ct);
                if (await FindAsync(ct) is not { State: "stopped" })
                {
                    return;
                }
            }
        }
    }

    /// <summary>As it is, then in the other sizes: a stopped instance may change its type, not its zone.</summary>
    private async Task StartInSomeSizeAsync(Ec2Instance stopped, CancellationToken ct)
    {
        var noRoom = await TryStartAsync(stopped.InstanceId, ct);
        var tried = new List<string> { stopped.InstanceType };
        foreach (var size in sizes.Where(s => s != stopped.InstanceType))
        {
            if (noRoom is null)
            {
                return;
            }

            NoRoom(log, stopped.InstanceId, tried[^1], size);
            try
            {
                await client.ModifyInstanceTypeAsync(stopped.InstanceId, size, dryRun: false, ct);
            }
            catch (Ec2Exception e) when (Ec2Errors.IsNotPermitted(e.Code))
            {
                throw new CloudException(
                    CloudFailure.Capacity, $"AWS has no room for {tried[^1]}, and our key may not change the size to {size}: give its user or role the policy of docs/cloud.md ({e.Code})", e);
            }

            tried.Add(size);
            noRoom = await TryStartAsync(stopped.InstanceId, ct);
        }

        if (noRoom is not null)
        {
            throw Ec2Errors.ToCloud(noRoom, $"start {stopped.InstanceId} as {string.Join(", ", tried)}");
        }
    }

    /// <summary>Null: it starts. Else why there is no room.</summary>
    private async Task<Ec2Exception?> TryStartAsync(string id, CancellationToken ct)
    {
        try
        {
            await client.StartInstancesAsync(id, dryRun: false, ct);
            return null;
        }
        catch (Ec2Exception e) when (Ec2Errors.IsCapacity(e.Code))
        {
            return e;
        }
    }

    /// <summary>The site's instance; null: there is none.</summary>
    private async Task<Ec2Instance?> FindAsync(CancellationToken ct)
    {
        var all = await client.DescribeInstancesByTagAsync(SiteTag, site, Living, ct);
        var (chosen, others) = Ec2Choice.Of(all);
        Tell(chosen, others);
        return chosen;
    }

    private void Tell(Ec2Instance? chosen, ImmutableArray<Ec2Instance> others)
    {
        var told = string.Join(", ", others.Select(o => $"{o.InstanceId} ({o.State})"));
        if (Interlocked.Exchange(ref _others, told) != told && chosen is not null && told.Length > 0)
        {
            Others(log, site, chosen.InstanceId, told);
        }
    }

    private InstanceSight Sight(Ec2Instance found) => new(
        found.InstanceId,
        found.State switch
        {
            "pending" => InstanceState.Pending,
            "running" => InstanceState.Running,
            "stopping" => InstanceState.Stopping,
            _ => InstanceState.Stopped,
        },
        found.State is "pending" or "running" ? found.PublicAddresses : [],
        StoppedByOwner: found.State == "stopped" && found.StateReasonCode == Ec2Choice.StoppedByCall && Launch(found) != _ourStop,
        LaunchId: Launch(found));

    private static string? Launch(Ec2Instance found) => found.LaunchTime?.ToString("O", CultureInfo.InvariantCulture);

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

    [LoggerMessage(1151, LogLevel.Warning, "{Id}: AWS has no room for {Size}; trying {Next}")]
    private static partial void NoRoom(ILogger log, string id, string size, string next);

    [LoggerMessage(1152, LogLevel.Warning, "more than one instance is tagged for {Site}: {Id} is used, not {Others}; they cost money: remove them, or their tag, in the AWS console")]
    private static partial void Others(ILogger log, string site, string id, string others);
}
