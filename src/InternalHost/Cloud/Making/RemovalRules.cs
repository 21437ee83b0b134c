using System.Collections.Immutable;
using Common;

namespace InternalHost.Cloud.Making;

/// <summary>In which order a site's things are deleted: a machine before what it uses.</summary>
[PureCore]
internal static class RemovalRules
{
    public static ImmutableArray<Thing> InOrder(IEnumerable<Thing> things) =>
        [.. things.OrderBy(t => t.Kind).ThenBy(t => t.Id, StringComparer.Ordinal)];

    /// <summary>Null: all are gone. One that is going is waited for before anything that comes after its kind.</summary>
    public static Thing? Next(MakingSight seen) => InOrder(seen.Things) is [var first, ..] things
        ? things.FirstOrDefault(t => t.Kind == first.Kind && !t.Going) ?? first
        : null;
}
