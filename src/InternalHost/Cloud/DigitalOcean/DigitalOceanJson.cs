using System.Text.Json.Serialization;

namespace InternalHost.Cloud.DigitalOcean;

/// <summary>What we read and write of DigitalOcean's API v2, in its own words.</summary>
/// <param name="Status"><c>new</c>, <c>active</c>, <c>off</c> or <c>archive</c>.</param>
internal sealed record Droplet(long Id, string Name, string Status, DateTimeOffset CreatedAt, DropletNetworks? Networks, string? SizeSlug);

internal sealed record DropletNetworks(IReadOnlyList<DropletNetwork>? V4, IReadOnlyList<DropletNetwork>? V6);

/// <param name="Type"><c>public</c> or <c>private</c>.</param>
internal sealed record DropletNetwork(string IpAddress, string Type);

/// <summary>A change under way.</summary>
/// <param name="Type"><c>power_on</c>, <c>power_off</c>, <c>shutdown</c>, <c>create</c>, <c>destroy</c>, <c>snapshot</c> ...</param>
/// <param name="Status"><c>in-progress</c>, <c>completed</c> or <c>errored</c>.</param>
internal sealed record DropletAction(long Id, string Status, string Type, DateTimeOffset? StartedAt, long? ResourceId);

/// <param name="Id">A number, as text.</param>
/// <param name="MinDiskSize">In GB: a size with less cannot take it.</param>
internal sealed record DropletSnapshot(string Id, string Name, DateTimeOffset CreatedAt, IReadOnlyList<string>? Regions, int MinDiskSize)
{
    /// <summary>What is paid for.</summary>
    public double SizeGigabytes { get; init; }
}

/// <param name="DropletIds">Empty: it belongs to nothing, and costs money.</param>
internal sealed record DropletVolume(string Id, string Name, int SizeGigabytes, IReadOnlyList<long>? DropletIds, IReadOnlyList<string>? Tags);

internal sealed record VolumePage(IReadOnlyList<DropletVolume>? Volumes, PageLinks? Links) : IPage<DropletVolume>
{
    public IReadOnlyList<DropletVolume>? Items => Volumes;
}

internal sealed record TaggedResources(IReadOnlyList<TaggedResource> Resources);

internal sealed record TaggedResource(string ResourceId, string ResourceType);

internal sealed record NewDroplet(string Name, string Region, string Size, long Image, IReadOnlyList<string> Tags)
{
    public bool Ipv6 { get; init; } = true;
}

/// <summary>The first one, out of a public image.</summary>
/// <param name="Image">A slug: <c>debian-12-x64</c>.</param>
/// <param name="SshKeys">Numbers of keys that come in as root.</param>
internal sealed record FirstDroplet(string Name, string Region, string Size, string Image, IReadOnlyList<long> SshKeys, IReadOnlyList<string> Tags, string UserData)
{
    public bool Ipv6 { get; init; } = true;
}

internal sealed record AccountKey(long Id, string Name, string PublicKey);

internal sealed record NewAccountKey(string Name, string PublicKey);

/// <param name="Ports">One, or a range; <c>0</c>: all of them.</param>
/// <param name="Sources">inbound. Others: null.</param>
/// <param name="Destinations">outbound. Others: null.</param>
internal sealed record FirewallRule(string Protocol, string Ports, FirewallPeers? Sources, FirewallPeers? Destinations);

/// <param name="Addresses">Networks of both families.</param>
internal sealed record FirewallPeers(IReadOnlyList<string>? Addresses);

/// <summary>A cloud firewall: all that is not named is closed, in both directions.</summary>
/// <param name="Tags">Of the Droplets that it holds for.</param>
internal sealed record CloudFirewall(string? Id, string Name, IReadOnlyList<FirewallRule>? InboundRules, IReadOnlyList<FirewallRule>? OutboundRules, IReadOnlyList<string>? Tags);

internal sealed record NewTag(string Name);

internal sealed record TagReply(NewTag? Tag);

internal sealed record AccountKeyReply(AccountKey? SshKey);

internal sealed record AccountKeyPage(IReadOnlyList<AccountKey>? SshKeys, PageLinks? Links) : IPage<AccountKey>
{
    public IReadOnlyList<AccountKey>? Items => SshKeys;
}

internal sealed record FirewallReply(CloudFirewall? Firewall);

internal sealed record FirewallPage(IReadOnlyList<CloudFirewall>? Firewalls, PageLinks? Links) : IPage<CloudFirewall>
{
    public IReadOnlyList<CloudFirewall>? Items => Firewalls;
}

internal sealed record NewAction(string Type, string? Name = null);

internal sealed record DropletReply(Droplet? Droplet);

internal sealed record DropletPage(IReadOnlyList<Droplet>? Droplets, PageLinks? Links) : IPage<Droplet>
{
    public IReadOnlyList<Droplet>? Items => Droplets;
}

internal sealed record ActionReply(DropletAction? Action);

internal sealed record ActionPage(IReadOnlyList<DropletAction>? Actions, PageLinks? Links) : IPage<DropletAction>
{
    public IReadOnlyList<DropletAction>? Items => Actions;
}

internal sealed record SnapshotPage(IReadOnlyList<DropletSnapshot>? Snapshots, PageLinks? Links) : IPage<DropletSnapshot>
{
    public IReadOnlyList<DropletSnapshot>? Items => Snapshots;
}

/// <summary>One page of a list.</summary>
internal interface IPage<out T>
{
    /// <summary>Null: it is no such list.</summary>
    IReadOnlyList<T>? Items { get; }

    PageLinks? Links { get; }
}

internal sealed record PageLinks(Pages? Pages);

internal sealed record Pages(string? Next);

/// <param name="Id">A short word: <c>unauthorized</c>, <c>not_found</c>, <c>unprocessable_entity</c> ...</param>
internal sealed record DigitalOceanFault(string? Id, string? Message, string? RequestId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DropletReply))]
[JsonSerializable(typeof(DropletPage))]
[JsonSerializable(typeof(ActionReply))]
[JsonSerializable(typeof(ActionPage))]
[JsonSerializable(typeof(SnapshotPage))]
[JsonSerializable(typeof(VolumePage))]
[JsonSerializable(typeof(TaggedResources))]
[JsonSerializable(typeof(NewDroplet))]
[JsonSerializable(typeof(NewAction))]
[JsonSerializable(typeof(FirstDroplet))]
[JsonSerializable(typeof(NewAccountKey))]
[JsonSerializable(typeof(NewTag))]
[JsonSerializable(typeof(TagReply))]
[JsonSerializable(typeof(AccountKeyReply))]
[JsonSerializable(typeof(AccountKeyPage))]
[JsonSerializable(typeof(FirewallReply))]
[JsonSerializable(typeof(FirewallPage))]
[JsonSerializable(typeof(DigitalOceanFault))]
internal sealed partial class DigitalOceanJson : JsonSerializerContext;
