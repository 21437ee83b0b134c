using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Xml.Linq;

namespace InternalHost.Cloud.Ec2;

/// <param name="State">pending, running, stopping, stopped, shutting-down, terminated.</param>
/// <param name="LaunchTime">Of its last start.</param>
/// <param name="StateReasonCode">Why it is as it is: <c>Client.UserInitiatedShutdown</c>.</param>
/// <param name="PublicAddresses">Of all its interfaces: IPv4 first, each once.</param>
internal sealed record Ec2Instance(
    string InstanceId,
    string State,
    string InstanceType,
    DateTimeOffset? LaunchTime,
    string? StateReasonCode,
    ImmutableArray<IPAddress> PublicAddresses,
    ImmutableSortedDictionary<string, string> Tags)
{
    public string? ImageId { get; init; }

    public string? KeyName { get; init; }

    public string? AvailabilityZone { get; init; }

    public ImmutableArray<string> SecurityGroupIds { get; init; } = [];

    /// <summary>Its volumes, by device name.</summary>
    public ImmutableSortedDictionary<string, string> VolumeIds { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

internal sealed record Ec2StateChange(string InstanceId, string PreviousState, string CurrentState);

/// <param name="SystemStatus">ok, impaired, initializing, insufficient-data, not-applicable.</param>
internal sealed record Ec2InstanceStatus(string InstanceId, string State, string SystemStatus, string InstanceStatus, ImmutableArray<string> Events);

/// <param name="Output">What the machine wrote to its serial console, the latest 64 kB; null: nothing yet.</param>
internal sealed record Ec2ConsoleOutput(string InstanceId, DateTimeOffset? Timestamp, string? Output);

/// <summary>One instance to be made. What is not here is always so: metadata by token only and one hop, encrypted volume, shutdown from inside stops.</summary>
/// <param name="ClientToken">1-64 characters; a repeated call with the same one makes no second machine.</param>
/// <param name="Tags">Of instance, volume and network interface.</param>
/// <param name="UserData">cloud-init's, as text.</param>
internal sealed record Ec2NewInstance(
    string ClientToken,
    string ImageId,
    string InstanceType,
    string? KeyName,
    ImmutableArray<string> SecurityGroupIds,
    ImmutableSortedDictionary<string, string> Tags,
    string? UserData = null)
{
    public string? SubnetId { get; init; }

    public string? AvailabilityZone { get; init; }

    /// <summary>The image's name for its root: <c>/dev/xvda</c>.</summary>
    public string RootDeviceName { get; init; } = "/dev/xvda";

    /// <summary>GB; null: the image's own.</summary>
    public int? VolumeSize { get; init; }
}

internal sealed partial class Ec2Client
{
    public Task<ImmutableArray<Ec2Instance>> DescribeInstancesAsync(IEnumerable<string> ids, CancellationToken ct) =>
        ListAsync(new Ec2Call("DescribeInstances").WithList("InstanceId", ids), Instances, ct);

    /// <summary>Those with that tag that are in one of those states.</summary>
    public Task<ImmutableArray<Ec2Instance>> DescribeInstancesByTagAsync(string tag, string value, IEnumerable<string> states, CancellationToken ct) =>
        ListAsync(new Ec2Call("DescribeInstances").WithFilter($"tag:{tag}", value).WithFilter("instance-state-name", states), Instances, ct);

    /// <summary>Null: a dry run.</summary>
    public async Task<Ec2Instance?> RunInstancesAsync(Ec2NewInstance wanted, bool dryRun, CancellationToken ct)
    {
        var call = new Ec2Call("RunInstances")
            .With("ClientToken", wanted.ClientToken)
            .With("MinCount", 1)
            .With("MaxCount", 1)
            .With("ImageId", wanted.ImageId)
            .With("InstanceType", wanted.InstanceType)
            .With("KeyName", wanted.KeyName)
            .With("SubnetId", wanted.SubnetId)
            .With("Placement.AvailabilityZone", wanted.AvailabilityZone)
            .WithList("SecurityGroupId", wanted.SecurityGroupIds)
            .With("UserData", wanted.UserData is null ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(wanted.UserData)))
            .With("MetadataOptions.HttpTokens", "required")
            .With("MetadataOptions.HttpPutResponseHopLimit", 1)
            .With("MetadataOptions.HttpEndpoint", "enabled")
            .With("InstanceInitiatedShutdownBehavior", "stop")
            .With("BlockDeviceMapping.1.DeviceName", wanted.RootDeviceName)
            .With("BlockDeviceMapping.1.Ebs.Encrypted", true)
            .With("BlockDeviceMapping.1.Ebs.DeleteOnTermination", true)
            .With("BlockDeviceMapping.1.Ebs.VolumeType", "gp3")
            .With("BlockDeviceMapping.1.Ebs.VolumeSize", wanted.VolumeSize)
            .WithTagSpecification("instance", wanted.Tags)
            .WithTagSpecification("volume", wanted.Tags)
            .WithTagSpecification("network-interface", wanted.Tags);
        return await TryAsync(call, dryRun, ct) is { } answer
            ? answer.Items("instancesSet").Select(Instance).FirstOrDefault() ?? throw Ec2Exception.Unreadable("RunInstances made no instance")
            : null;
    }

    public Task<ImmutableArray<Ec2StateChange>> StartInstancesAsync(string id, bool dryRun, CancellationToken ct) => ChangeAsync("StartInstances", id, dryRun, ct);

    public Task<ImmutableArray<Ec2StateChange>> StopInstancesAsync(string id, bool dryRun, CancellationToken ct) => ChangeAsync("StopInstances", id, dryRun, ct);

    public Task<ImmutableArray<Ec2StateChange>> TerminateInstancesAsync(string id, bool dryRun, CancellationToken ct) => ChangeAsync("TerminateInstances", id, dryRun, ct);

    /// <summary>Of running instances, or of those given, in whatever state.</summary>
    public Task<ImmutableArray<Ec2InstanceStatus>> DescribeInstanceStatusAsync(IReadOnlyCollection<string> ids, CancellationToken ct) => ListAsync(
        new Ec2Call("DescribeInstanceStatus").WithList("InstanceId", ids).With("IncludeAllInstances", ids.Count > 0 ? "true" : null),
        answer => answer.Items("instanceStatusSet").Select(item => new Ec2InstanceStatus(
            item.Need("instanceId"), item.Need("instanceState", "name"), item.Text("systemStatus", "status") ?? "", item.Text("instanceStatus", "status") ?? "",
            [.. item.Items("eventsSet").Select(e => e.Text("description") ?? e.Text("code") ?? "")])),
        ct);

    /// <summary>As it is now, where the type of instance has that (Nitro); else as of its last start or stop.</summary>
    public async Task<Ec2ConsoleOutput> GetConsoleOutputAsync(string id, CancellationToken ct)
    {
        var call = new Ec2Call("GetConsoleOutput").With("InstanceId", id);
        try
        {
            return ConsoleOf(await SendAsync(call.With("Latest", true), ct));
        }
        catch (Ec2Exception e) when (e.Code == Ec2Errors.UnsupportedOperation)
        {
            return ConsoleOf(await SendAsync(call, ct));
        }
    }

    /// <summary>Only while it is stopped.</summary>
    public async Task ModifyInstanceTypeAsync(string id, string type, bool dryRun, CancellationToken ct) =>
        await TryAsync(new Ec2Call("ModifyInstanceAttribute").With("InstanceId", id).With("InstanceType.Value", type), dryRun, ct);

    public async Task CreateTagsAsync(IEnumerable<string> resourceIds, IReadOnlyDictionary<string, string> tags, CancellationToken ct) =>
        await SendAsync(new Ec2Call("CreateTags").WithList("ResourceId", resourceIds).WithTags("", tags), ct);

    private async Task<ImmutableArray<Ec2StateChange>> ChangeAsync(string action, string id, bool dryRun, CancellationToken ct) =>
        await TryAsync(new Ec2Call(action).With("InstanceId.1", id), dryRun, ct) is { } answer
            ? [.. answer.Items("instancesSet").Select(i => new Ec2StateChange(i.Need("instanceId"), StateOf(i, "previousState"), StateOf(i, "currentState")))]
            : [];

    private static IEnumerable<Ec2Instance> Instances(XElement answer) => answer.Items("reservationSet").SelectMany(r => r.Items("instancesSet")).Select(Instance);

    private static Ec2Instance Instance(XElement item) => new(
        item.Need("instanceId"), StateOf(item, "instanceState"), item.Text("instanceType") ?? "", item.Time("launchTime"), item.Text("stateReason", "code"),
        PublicAddresses(item), item.Tags())
    {
        ImageId = item.Text("imageId"),
        KeyName = item.Text("keyName"),
        AvailabilityZone = item.Text("placement", "availabilityZone"),
        SecurityGroupIds = [.. item.Items("groupSet").Select(g => g.Need("groupId"))],
        VolumeIds = item.Items("blockDeviceMapping").Where(d => d.Text("ebs", "volumeId") is not null)
            .ToImmutableSortedDictionary(d => d.Text("deviceName") ?? "", d => d.Need("ebs", "volumeId"), StringComparer.Ordinal),
    };

    /// <summary>By the code: only its low byte counts, the high one is EC2's own.</summary>
    private static string StateOf(XElement item, string element) => item.Child(element)?.Number("code") is { } code
        ? (code & 0xff) switch
        {
            0 => "pending",
            16 => "running",
            32 => "shutting-down",
            48 => "terminated",
            64 => "stopping",
            80 => "stopped",
            var other => throw Ec2Exception.Unreadable($"state code {other}"),
        }
        : item.Need(element, "name");

    private static ImmutableArray<IPAddress> PublicAddresses(XElement item)
    {
        var interfaces = item.Items("networkInterfaceSet").ToList();
        var v4 = interfaces.SelectMany(i => i.Items("privateIpAddressesSet")).Select(a => a.Address("association", "publicIp"))
            .Concat(interfaces.Select(i => i.Address("association", "publicIp")))
            .Prepend(item.Address("ipAddress"));
        var v6 = interfaces.SelectMany(i => i.Items("ipv6AddressesSet")).Select(a => a.Address("ipv6Address")).Prepend(item.Address("ipv6Address"));
        return [.. v4.Concat(v6).OfType<IPAddress>().Distinct()];
    }

    private static Ec2ConsoleOutput ConsoleOf(XElement answer) =>
        new(answer.Need("instanceId"), answer.Time("timestamp"), answer.Text("output") is { } base64 ? FromBase64(base64) : null);

    private static string FromBase64(string text)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(text));
        }
        catch (FormatException e)
        {
            throw Ec2Exception.Unreadable($"console output: {e.Message}");
        }
    }
}
