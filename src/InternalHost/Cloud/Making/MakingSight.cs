using System.Collections.Immutable;
using System.Net;

namespace InternalHost.Cloud.Making;

/// <summary>Kinds of things at a provider, in the order in which they are deleted.</summary>
internal enum ThingKind
{
    Unknown = 0,
    Machine = 1,
    Address = 2,
    Volume = 3,
    Snapshot = 4,
    Firewall = 5,
    Key = 6,
    User = 7,
    Tag = 8,
}

/// <summary>Something at the provider that belongs to the site.</summary>
/// <param name="Word">The provider's own name of its kind: <c>security group</c>.</param>
/// <param name="Paid">It costs money while it is there.</param>
internal sealed record Thing(ThingKind Kind, string Id, string Word, string? Detail = null, bool Paid = false)
{
    /// <summary>It is on its way out.</summary>
    public bool Going { get; init; }

    public override string ToString() => Detail is null ? $"{Word} {Id}" : $"{Word} {Id} ({Detail})";
}

internal sealed record SeenMachine(string Id, InstanceState State, ImmutableArray<IPAddress> Addresses);

/// <summary>What there is at the provider with the site's tag or name, at one moment.</summary>
internal sealed record MakingSight
{
    /// <summary>Everything, with what a making does not need to know.</summary>
    public ImmutableArray<Thing> Things { get; init; } = [];

    /// <summary>Those that are not gone.</summary>
    public ImmutableArray<SeenMachine> Machines { get; init; } = [];

    /// <summary>What the machine is given of our key: its name or number.</summary>
    public string? Key { get; init; }

    public string? Firewall { get; init; }

    /// <summary>The bastion's ports are open in it, and nothing else.</summary>
    public bool FirewallIsRight { get; init; }

    /// <summary>The golden snapshot, complete.</summary>
    public string? Golden { get; init; }

    public bool SnapshotUnderWay { get; init; }
}
