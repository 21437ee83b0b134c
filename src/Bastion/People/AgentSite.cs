using System.Collections.Immutable;
using Common.Alerts;
using Common.Sync;

namespace Bastion.People;

/// <summary>A site whose bundle is in force, as the agent needs it.</summary>
internal sealed record AgentSite(Bundle Bundle, SiteMessages Messages)
{
    public string Label => Bundle.Site;

    /// <summary>
    /// Beside other sites: by channels of its own, to people of its own. What all of a site read together stands for nobody of another, so that it counts as a
    /// person here.
    /// </summary>
    public ImmutableArray<Route> Routes =>
        [.. Messages.Routes.Select(r => r with { Channel = SiteChannel.NameOf(r.Channel, Label), Person = SiteChannel.NameOf(r.Person, Label) })];

    /// <summary>For quiet hours. A zone that this machine does not know is UTC: no reason to keep anybody out.</summary>
    public TimeZoneInfo Zone => Bundle.TimeZone is { } name && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : TimeZoneInfo.Utc;
}
