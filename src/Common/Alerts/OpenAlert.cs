using System.Collections.Immutable;

namespace Common.Alerts;

/// <summary>An alert with its deliveries, as the outbox holds it.</summary>
/// <param name="Sequence">Place in the order of raising; 0: not yet on disk.</param>
internal sealed record OpenAlert(Alert Alert, long Sequence, ImmutableArray<Delivery> Deliveries)
{
    /// <summary>Critical goes to two channels of a person at once, whatever becomes of the first.</summary>
    private const int AtOnceWhenCritical = 2;

    public static OpenAlert New(Alert alert, IReadOnlyList<Route> routes)
    {
        var ranked = routes.Distinct().GroupBy(r => r.Person, StringComparer.Ordinal)
            .SelectMany(person => person.Select((route, place) => route.Rank >= 0 ? route : route with { Rank = place })).DistinctBy(r => (r.Channel, r.Recipient)).ToList();
        var all = ranked.Select(route => New(alert, route, Place(ranked, route))).ToImmutableArray();
        return new OpenAlert(alert, 0, all.IsEmpty ? [NoChannel(alert)] : all);
    }

    /// <summary>How many ways a person has before this one; of the common ones, the fewest that anybody has.</summary>
    private static int Place(List<Route> all, Route route)
    {
        var people = all.Where(r => r.Person != Route.Everybody).Select(r => r.Person).Distinct().DefaultIfEmpty(Route.Everybody);
        return people.Where(p => p == route.Person || route.Person == Route.Everybody)
            .Min(p => all.Count(r => (r.Person == p || r.Person == Route.Everybody) && r.Rank < route.Rank));
    }

    /// <summary>Raised twice, or two alerts that share a short id?</summary>
    public static bool IsSame(Alert known, Alert alert) => known.Kind == alert.Kind && known.About == alert.About;

    public static Alert WithLongId(Alert alert)
    {
        var id = AlertId.From($"{alert.Id}/{alert.Kind}/{alert.About}", AlertId.LongLength);
        return alert with { Id = id, Text = WithId(alert.Text, alert.Id, id), Plain = alert.Plain is null ? null : WithId(alert.Plain, alert.Id, id) };
    }

    private static string WithId(string text, string old, string id)
    {
        var words = text.EndsWith(" #" + old, StringComparison.Ordinal) ? text[..^(old.Length + 2)] : text;
        return Text.SmsText.Fit(id, words);
    }

    private static Delivery New(Alert alert, Route route, int place)
    {
        var always = alert.Severity == Severity.Critical && place < AtOnceWhenCritical;
        return new Delivery(new DeliveryKey(alert.Id, route.Channel, route.Recipient), route.Person, route.Rank, always, alert.Plain is not null)
        {
            Phase = place == 0 || always ? DeliveryPhase.Pending : DeliveryPhase.Held,
        };
    }

    /// <summary>Nobody to tell becomes a dead letter: it is not lost without a trace.</summary>
    private static Delivery NoChannel(Alert alert) => new(new DeliveryKey(alert.Id, Outbox.Nowhere, ""), "", 0, false, false)
    {
        Phase = DeliveryPhase.Pending,
    };
}
