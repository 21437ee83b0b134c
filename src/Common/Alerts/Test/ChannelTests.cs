using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using Common.Text;
using Common.Time;

namespace Common.Alerts.Test;

/// <summary>One test message.</summary>
/// <param name="Phase">As of <see cref="DeliveryPhase"/>, in small letters: pending, sending, sent, confirmed, dead, ...</param>
/// <param name="Reason">Why it does not go on, or did not arrive.</param>
public sealed record ChannelTest(string Id, string Channel, string Phase, string? Code = null, string? Reason = null)
{
    [JsonIgnore]
    public bool IsSettled => Phase is "confirmed" or "dead" or "notneeded";

    [JsonIgnore]
    public bool IsConfirmed => Phase == "confirmed";
}

/// <summary>Sends a real message by each channel through the running program's outbox: its credentials, its uplinks, its order.</summary>
/// <param name="routes">Read at each test.</param>
public sealed class ChannelTests(Outbox outbox, OutboxService service, string site, Func<IReadOnlyList<Route>> routes, TimeProvider time)
{
    public const string Kind = "test";

    /// <summary>Whoever may ask must not be able to run up a bill.</summary>
    private static readonly TimeSpan AtMostEvery = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private Instant? _last;   // guarded by _gate

    /// <summary>One message for each recipient of each channel, or of the one that is named.</summary>
    /// <returns>The messages; a problem where there is nothing to send by, or where the last test is too recent.</returns>
    public (ImmutableArray<ChannelTest> Tests, string? Problem) Start(string? channel)
    {
        var all = routes();
        var chosen = all.Where(r => channel is null || r.Channel == channel).DistinctBy(r => (r.Channel, r.Recipient)).ToList();
        if (chosen.Count == 0)
        {
            var known = string.Join(", ", all.Select(r => r.Channel).Distinct());
            return ([], all.Count == 0 ? "no channel is configured" : $"{SafeText.Clean(channel, 32)} is not configured; configured: {known}");
        }

        lock (_gate)
        {
            var now = Instant.Now(time);
            if (_last is { } last && now - last < AtMostEvery)
            {
                return ([], $"the last test was just now: wait {Math.Ceiling((AtMostEvery - (now - last)).TotalSeconds):F0} s");
            }

            _last = now;
        }

        return ([.. chosen.Select(Send)], null);
    }

    public ImmutableArray<ChannelTest> Look(IReadOnlyCollection<string> ids) => outbox.TestsOf(ids);

    private ChannelTest Send(Route route)
    {
        service.Reopen(route.Channel);
        var wall = time.GetUtcNow();
        var about = string.Create(CultureInfo.InvariantCulture, $"test/{route.Channel}/{route.Recipient}/{wall.UtcTicks}");
        var id = AlertId.From($"{site}/{about}", AlertId.LongLength);
        var text = SmsText.Fit(id, $"{SmsText.Field(site, 20)}: test by {route.Channel}. Nothing has happened.");
        outbox.Raise(new Alert(id, Kind, Severity.Normal, text, wall, about), [route with { Rank = 0 }]);
        return new ChannelTest(id, route.Channel, "pending");
    }
}
