using System.Collections.Immutable;

namespace InternalHost.Cloud.Inventory;

internal enum CloudThingKind
{
    Unknown = 0,
    Machine = 1,
    Snapshot = 2,
    Volume = 3,
    Address = 4,
}

/// <summary>One thing at the provider that bears the site's tag or name.</summary>
/// <param name="Used">The way in needs it. False: nobody remembers it, and it may cost money.</param>
/// <param name="MonthUsd">As it is now, by the price table.</param>
internal sealed record CloudThing(CloudThingKind Kind, string Id, string Name, string State, bool Used, decimal MonthUsd)
{
    /// <summary>A machine that is off, that costs as if it ran, and that can be made again.</summary>
    public bool IsLeftOff { get; init; }
}

/// <param name="Unseen">Kinds that our key may not list: there may be more.</param>
internal sealed record CloudInventory(ImmutableArray<CloudThing> Things, ImmutableArray<CloudThingKind> Unseen)
{
    public IEnumerable<CloudThing> Forgotten => Things.Where(t => !t.Used);
}

/// <summary>Port to what lies at a provider for this site, in use or not.</summary>
internal interface ICloudInventory
{
    /// <exception cref="CloudException"/>
    Task<CloudInventory> ListAsync(CancellationToken ct);

    /// <summary>A machine without the site's tag becomes the site's.</summary>
    /// <exception cref="CloudException">There is none of that id, or the site has another.</exception>
    Task AdoptAsync(string id, CancellationToken ct);

    /// <summary>For ever. What is gone already is no error.</summary>
    /// <exception cref="CloudException"/>
    Task DiscardAsync(CloudThing thing, CancellationToken ct);
}
