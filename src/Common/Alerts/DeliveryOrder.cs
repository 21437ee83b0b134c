using Common.Time;

namespace Common.Alerts;

/// <summary>Which delivery may go when there are several: a person's channels one after another, a channel's messages in the order they were raised.</summary>
[PureCore]
public static class DeliveryOrder
{
    public static bool Told(IEnumerable<Delivery> ofOnePerson) => ofOnePerson.Any(d => d.Phase == DeliveryPhase.Confirmed);

    /// <summary>The held delivery whose turn it is: those before it are dead, unconfirmed, or too slow.</summary>
    public static Delivery? NextTurn(IReadOnlyList<Delivery> ofOnePerson, Instant now, DeliveryPolicy policy)
    {
        var held = ofOnePerson.Where(d => d.Phase == DeliveryPhase.Held).MinBy(d => d.Rank);
        return held is not null && !Told(ofOnePerson) && Before(ofOnePerson, held).All(d => IsSpent(d, now, policy)) ? held : null;
    }

    /// <summary>When <see cref="NextTurn"/> may find one without any other news.</summary>
    public static Instant NextTurnAt(IReadOnlyList<Delivery> ofOnePerson, Instant now, DeliveryPolicy policy)
    {
        var held = ofOnePerson.Where(d => d.Phase == DeliveryPhase.Held).MinBy(d => d.Rank);
        if (held is null || Told(ofOnePerson))
        {
            return Instant.Never;
        }

        return Before(ofOnePerson, held).Where(d => !IsSpent(d, now, policy)).Select(d => d.Since + policy.EscalateAfter).DefaultIfEmpty(now).Max();
    }

    /// <summary>
    /// The deliveries that may make a request now, of those given in the order they were raised. To one recipient by one channel
    /// one sending is under way at a time, and a message waits for the one before it; unless that one has been unclear too often,
    /// or waits for a phone to be switched on.
    /// </summary>
    public static HashSet<DeliveryKey> MayAsk(IReadOnlyList<Delivery> inOrder, Instant now, DeliveryPolicy policy)
    {
        var blocked = inOrder.Where(d => d.IsUnsent && d.IsAsking).Select(Lane).ToHashSet();
        var asking = inOrder.Where(d => !d.IsUnsent && d.IsAsking).Select(Lane).ToHashSet();
        var may = new HashSet<DeliveryKey>();
        foreach (var d in inOrder)
        {
            var taken = d.IsUnsent ? blocked : asking;
            if (IsDue(d, now) && taken.Add(Lane(d)))
            {
                may.Add(d.Key);
            }

            if (d.IsUnsent && !d.IsResting(now) && d.Doubts < policy.DoubtsBeforeYielding && d.Resends == 0)
            {
                blocked.Add(Lane(d));
            }
        }

        return may;
    }

    private static bool IsDue(Delivery d, Instant now) => !d.IsSettled && d.Phase != DeliveryPhase.Held && now >= d.Due;

    private static IEnumerable<Delivery> Before(IReadOnlyList<Delivery> ofOnePerson, Delivery held) => ofOnePerson.Where(d => d.Rank < held.Rank);

    private static bool IsSpent(Delivery d, Instant now, DeliveryPolicy policy) =>
        d.Phase is DeliveryPhase.Dead or DeliveryPhase.Unconfirmed || (!d.IsSettled && now >= d.Since + policy.EscalateAfter);

    private static (string Channel, string Recipient) Lane(Delivery d) => (d.Key.Channel, d.Key.Recipient);
}
