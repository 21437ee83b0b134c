using System.Collections.Immutable;

namespace Common.Alerts;

/// <param name="Own">What only this person reads, by channel.</param>
public sealed record Reach(string Person, ImmutableDictionary<string, string> Own);

/// <summary>Who is told by what, in which order.</summary>
[PureCore]
public static class RoutePlan
{
    /// <param name="shared">What all read together, by channel; a person with an own recipient there uses that.</param>
    public static ImmutableArray<Route> Of(ImmutableArray<string> order, IEnumerable<Reach> people, ImmutableDictionary<string, string> shared)
    {
        var all = people.ToList();
        var own = all.SelectMany(person => order.Select((channel, rank) =>
            person.Own.TryGetValue(channel, out var recipient) ? new Route(channel, recipient, person.Person, rank) : null)).OfType<Route>();
        var together = order.Select((channel, rank) =>
            shared.TryGetValue(channel, out var recipient) && (all.Count == 0 || all.Exists(p => !p.Own.ContainsKey(channel)))
                ? new Route(channel, recipient, Route.Everybody, rank) : null).OfType<Route>();
        return [.. own, .. together];
    }
}
