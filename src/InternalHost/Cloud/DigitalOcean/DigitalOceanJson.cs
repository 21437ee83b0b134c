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
internal sealed record DropletSnapshot(string Id, string Name, DateTimeOffset CreatedAt, IReadOnlyList<string>? Regions, int MinDiskSize);

internal sealed record NewDroplet(string Name, string Region, string Size, long Image, IReadOnlyList<string> Tags)
{
    public bool Ipv6 { get; init; } = true;
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
[JsonSerializable(typeof(NewDroplet))]
[JsonSerializable(typeof(NewAction))]
[JsonSerializable(typeof(DigitalOceanFault))]
internal sealed partial class DigitalOceanJson : JsonSerializerContext;
