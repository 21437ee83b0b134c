using System.Net.Sockets;
using InternalHost.Cloud;
using InternalHost.Cloud.Ec2;

namespace Integration.Tests.Cloud.Ec2;

/// <summary>
/// What the client and the cloud rely on in any EC2, clause by clause; each with a site of its own, so that one account will do for all.
/// </summary>
internal static class Ec2Contract
{
    private static readonly SortedDictionary<string, Func<Ec2Desk, string, Task>> All = new(StringComparer.Ordinal)
    {
        ["absent: nothing is found, nothing to stop, and start says what is missing"] = AbsentAsync,
        ["life: made, found by tag, stopped, started, and a launch of its own each time"] = LifeAsync,
        ["terminated: it is nobody's any more"] = TerminatedAsync,
        ["twice: start of what runs and stop of what is stopped do nothing"] = TwiceAsync,
        ["two: the one that runs is used, and no second one is started"] = TwoAsync,
        ["dry run: what is allowed is said, and not done"] = DryRunAsync,
        ["size: it changes while stopped"] = SizeAsync,
        ["unknown id: told apart"] = UnknownIdAsync,
        ["tags: read and written, whatever is in them"] = TagsAsync,
        ["status and console: there is an answer"] = StatusAsync,
    };

    public static TheoryData<string> Clauses => [.. All.Keys];

    public static Task HoldsAsync(string clause, Ec2Desk desk) => All[clause](desk, $"site-{Guid.NewGuid():N}"[..20]);

    private static async Task AbsentAsync(Ec2Desk desk, string site)
    {
        var cloud = desk.Cloud(site);

        Assert.Equal(InstanceSight.Absent, await cloud.DescribeAsync(desk.Soon));
        await cloud.StopAsync(desk.Soon);
        var e = await Assert.ThrowsAsync<CloudException>(() => cloud.StartAsync(desk.Soon));
        Assert.Equal(CloudFailure.NotFound, e.Failure);
        Assert.Contains($"no instance tagged bastion:site={site}", e.Message);
    }

    private static async Task LifeAsync(Ec2Desk desk, string site)
    {
        var made = await desk.MakeAsync(site);
        var cloud = desk.Cloud(site);

        var first = await cloud.DescribeAsync(desk.Soon);
        Assert.Equal((made.InstanceId, InstanceState.Running), (first.Id, first.State));
        Assert.Contains(first.Addresses, a => a.AddressFamily == AddressFamily.InterNetwork);
        await cloud.StopAsync(desk.Soon);
        var stopped = await desk.UntilAsync(cloud, InstanceState.Stopped);
        Assert.Equal((made.InstanceId, true), (stopped.Id, stopped.Addresses.IsEmpty));
        await Task.Delay(TimeSpan.FromSeconds(1.1), desk.Soon);   // some clouds tell launches to the second only
        await cloud.StartAsync(desk.Soon);
        var second = await desk.UntilAsync(cloud, InstanceState.Running);
        Assert.Equal(made.InstanceId, second.Id);
        Assert.NotNull(second.LaunchId);
    }

    private static async Task TerminatedAsync(Ec2Desk desk, string site)
    {
        var made = await desk.MakeAsync(site);
        var cloud = desk.Cloud(site);

        await desk.Client.TerminateInstancesAsync(made.InstanceId, dryRun: false, desk.Soon);

        await desk.UntilAsync(cloud, InstanceState.Absent);
        Assert.Equal(CloudFailure.NotFound, (await Assert.ThrowsAsync<CloudException>(() => cloud.StartAsync(desk.Soon))).Failure);
    }

    private static async Task TwiceAsync(Ec2Desk desk, string site)
    {
        await desk.MakeAsync(site);
        var cloud = desk.Cloud(site);

        var before = await cloud.DescribeAsync(desk.Soon);
        await cloud.StartAsync(desk.Soon);
        Assert.Equal(before, await cloud.DescribeAsync(desk.Soon));
        await cloud.StopAsync(desk.Soon);
        await desk.UntilAsync(cloud, InstanceState.Stopped);
        await cloud.StopAsync(desk.Soon);
        Assert.Equal(InstanceState.Stopped, (await cloud.DescribeAsync(desk.Soon)).State);
    }

    private static async Task TwoAsync(Ec2Desk desk, string site)
    {
        var cloud = desk.Cloud(site);
        var one = await desk.MakeAsync(site);
        await cloud.StopAsync(desk.Soon);
        await desk.UntilAsync(cloud, InstanceState.Stopped);
        var two = await desk.MakeAsync(site);

        Assert.Equal(two.InstanceId, (await cloud.DescribeAsync(desk.Soon)).Id);
        await cloud.StartAsync(desk.Soon);
        Assert.Equal("stopped", (await desk.Client.DescribeInstancesAsync([one.InstanceId], desk.Soon))[0].State);
    }

    private static async Task DryRunAsync(Ec2Desk desk, string site)
    {
        var made = await desk.MakeAsync(site);

        await desk.Client.StopInstancesAsync(made.InstanceId, dryRun: true, desk.Soon);
        await desk.Client.TerminateInstancesAsync(made.InstanceId, dryRun: true, desk.Soon);
        await desk.Client.StartInstancesAsync(made.InstanceId, dryRun: true, desk.Soon);

        Assert.Equal("running", (await desk.Client.DescribeInstancesAsync([made.InstanceId], desk.Soon))[0].State);
    }

    private static async Task SizeAsync(Ec2Desk desk, string site)
    {
        var made = await desk.MakeAsync(site);
        var cloud = desk.Cloud(site);
        await cloud.StopAsync(desk.Soon);
        await desk.UntilAsync(cloud, InstanceState.Stopped);

        await desk.Client.ModifyInstanceTypeAsync(made.InstanceId, "t3a.nano", dryRun: false, desk.Soon);

        Assert.Equal("t3a.nano", (await desk.Client.DescribeInstancesAsync([made.InstanceId], desk.Soon))[0].InstanceType);
    }

    private static async Task UnknownIdAsync(Ec2Desk desk, string site)
    {
        var e = await Assert.ThrowsAsync<Ec2Exception>(() => desk.Client.StartInstancesAsync("i-0123456789abcdef0", dryRun: false, desk.Soon));

        Assert.Equal((CallFault.Refused, Ec2Errors.InvalidInstanceIdNotFound, 400), (e.Fault, e.Code, e.Status));
    }

    private static async Task TagsAsync(Ec2Desk desk, string site)
    {
        var made = await desk.MakeAsync(site);

        await desk.Client.CreateTagsAsync([made.InstanceId], new Dictionary<string, string> { ["note"] = "+ = & <ü>" }, desk.Soon);

        var tags = (await desk.Client.DescribeInstancesAsync([made.InstanceId], desk.Soon))[0].Tags;
        Assert.Equal((site, "space / slash & ä", "+ = & <ü>"), (tags[Ec2Cloud.SiteTag], tags["Name"], tags["note"]));
    }

    private static async Task StatusAsync(Ec2Desk desk, string site)
    {
        var made = await desk.MakeAsync(site);

        var status = Assert.Single(await desk.Client.DescribeInstanceStatusAsync([made.InstanceId], desk.Soon));
        Assert.Equal((made.InstanceId, "running", "ok"), (status.InstanceId, status.State, status.SystemStatus));
        Assert.Equal(made.InstanceId, (await desk.Client.GetConsoleOutputAsync(made.InstanceId, desk.Soon)).InstanceId);
    }
}
