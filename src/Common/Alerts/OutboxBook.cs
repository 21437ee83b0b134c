using Common.Time;

namespace Common.Alerts;

/// <summary>The open alerts in the order they were raised. Belongs to the outbox's loop.</summary>
internal sealed class OutboxBook(DeliveryPolicy policy)
{
    private readonly List<Entry> _entries = [];
    private readonly Dictionary<string, Entry> _byId = new(StringComparer.Ordinal);

    public bool Knows(string alertId) => _byId.ContainsKey(alertId);

    public void Add(Alert alert, IEnumerable<Delivery> deliveries, Instant now)
    {
        var entry = new Entry(alert, [.. deliveries], now);
        _entries.Add(entry);
        _byId.Add(alert.Id, entry);
    }

    /// <summary>A copy: the caller changes deliveries while it walks.</summary>
    public List<(Alert Alert, Delivery Delivery)> Open() =>
        [.. _entries.SelectMany(e => e.Deliveries.Where(d => !d.IsSettled).Select(d => (e.Alert, d)))];

    public (Alert Alert, Delivery Delivery)? Find(DeliveryKey key) =>
        _byId.TryGetValue(key.AlertId, out var entry) && Array.Find(entry.Deliveries, d => d.Key == key) is { } delivery
            ? (entry.Alert, delivery)
            : null;

    public void Replace(Delivery next)
    {
        var entry = _byId[next.Key.AlertId];
        entry.Deliveries[Array.FindIndex(entry.Deliveries, d => d.Key == next.Key)] = next;
    }

    /// <summary>The person has been reached; of a common channel: every person has.</summary>
    public bool Told(Delivery delivery)
    {
        var all = _byId[delivery.Key.AlertId].Deliveries;
        return delivery.Person == Route.Everybody
            ? People(all).All(DeliveryOrder.Told)
            : DeliveryOrder.Told(Ways(all, delivery.Person));
    }

    /// <summary>The person has another channel that may still work; of a common one: somebody has.</summary>
    public bool HasOther(Delivery delivery, Func<Delivery, bool> isRefused) =>
        _byId[delivery.Key.AlertId].Deliveries
        .Where(d => delivery.Person == Route.Everybody || d.Person == delivery.Person || d.Person == Route.Everybody)
        .Any(d => d.Key.Channel != delivery.Key.Channel && d.Phase != DeliveryPhase.Dead && !isRefused(d));

    public IReadOnlyList<Delivery> Deliveries(string alertId) => _byId.TryGetValue(alertId, out var entry) ? [.. entry.Deliveries] : [];

    /// <summary>Alerts of which nothing has left yet, in the order they were raised, with how long they have waited.</summary>
    public List<(Alert Alert, Instant Since)> Waiting(Instant now) =>
        [.. _entries.Where(e => Array.TrueForAll(e.Deliveries, d => d.Phase is DeliveryPhase.Held or DeliveryPhase.Pending or DeliveryPhase.Dead && !d.IsResting(now)))
            .Where(e => !Array.TrueForAll(e.Deliveries, d => d.IsSettled)).Select(e => (e.Alert, e.Since))];

    public HashSet<DeliveryKey> MayAsk(Instant now) => DeliveryOrder.MayAsk([.. Open().Select(o => o.Delivery)], now, policy);

    public List<Delivery> NextTurns(Instant now) =>
        [.. People().Select(person => DeliveryOrder.NextTurn(person, now, policy)).OfType<Delivery>()];

    public void ForgetSettled()
    {
        foreach (var settled in _entries.FindAll(e => Array.TrueForAll(e.Deliveries, d => d.IsSettled)))
        {
            _entries.Remove(settled);
            _byId.Remove(settled.Alert.Id);
        }
    }

    /// <summary>Alerts that a person still waits for.</summary>
    public int Awaited(Instant now) => _entries.Count(e => IsAwaited(e, now));

    public int Unconfirmed(Instant now) => _entries.Count(e => !IsAwaited(e, now) && !Array.Exists(e.Deliveries, d => d.IsResting(now)));

    public (Alert Alert, Instant Since)? OldestAwaited(Instant now) => _entries.Find(e => IsAwaited(e, now)) is { } oldest ? (oldest.Alert, oldest.Since) : null;

    /// <summary>
    /// The next moment after the turn at <paramref name="turn"/> when something is to be done without any news. What was due in that
    /// turn and did not go waits behind another delivery, whose own moment or answer comes first.
    /// </summary>
    public Instant NextWake(Instant turn)
    {
        var asks = Open().Where(o => o.Delivery.Phase != DeliveryPhase.Held && o.Delivery.Due > turn).Select(o => o.Delivery.Due);
        return asks.Concat(People().Select(person => DeliveryOrder.NextTurnAt(person, turn, policy))).DefaultIfEmpty(Instant.Never).Min();
    }

    private static bool IsAwaited(Entry entry, Instant now) => Array.Exists(entry.Deliveries, d => d.IsAwaited && !d.IsResting(now));

    private static List<Delivery> Ways(Delivery[] all, string person) => [.. all.Where(d => d.Person == person || d.Person == Route.Everybody)];

    /// <summary>The ways to each person, the common ones among them.</summary>
    private static IEnumerable<List<Delivery>> People(Delivery[] all)
    {
        var own = all.Select(d => d.Person).Where(p => p != Route.Everybody).Distinct(StringComparer.Ordinal).ToList();
        return own.Count == 0 ? [[.. all]] : own.Select(person => Ways(all, person));
    }

    /// <summary>The ways to each person for whom one of them still waits its turn.</summary>
    private IEnumerable<List<Delivery>> People() =>
        _entries.Where(e => Array.Exists(e.Deliveries, d => d.Phase == DeliveryPhase.Held)).SelectMany(e => People(e.Deliveries));

    private sealed class Entry(Alert alert, Delivery[] deliveries, Instant since)
    {
        public Alert Alert { get; } = alert;

        public Delivery[] Deliveries { get; } = deliveries;

        public Instant Since { get; } = since;
    }
}
