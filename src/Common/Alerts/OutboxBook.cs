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

    public bool Told(Delivery delivery) => DeliveryOrder.Told(Channels(delivery));

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
    public int Awaited => _entries.Count(IsAwaited);

    public int Unconfirmed => _entries.Count(e => !IsAwaited(e));

    public (Alert Alert, Instant Since)? OldestAwaited => _entries.Find(IsAwaited) is { } oldest ? (oldest.Alert, oldest.Since) : null;

    /// <summary>
    /// The next moment after the turn at <paramref name="turn"/> when something is to be done without any news. What was due in that
    /// turn and did not go waits behind another delivery, whose own moment or answer comes first.
    /// </summary>
    public Instant NextWake(Instant turn)
    {
        var asks = Open().Where(o => o.Delivery.Phase != DeliveryPhase.Held && o.Delivery.Due > turn).Select(o => o.Delivery.Due);
        return asks.Concat(People().Select(person => DeliveryOrder.NextTurnAt(person, turn, policy))).DefaultIfEmpty(Instant.Never).Min();
    }

    private static bool IsAwaited(Entry entry) => Array.Exists(entry.Deliveries, d => d.IsAwaited);

    private IEnumerable<Delivery> Channels(Delivery delivery) =>
        _byId[delivery.Key.AlertId].Deliveries.Where(d => d.Person == delivery.Person);

    /// <summary>The channels of each person for whom one of them still waits its turn.</summary>
    private IEnumerable<List<Delivery>> People() =>
        _entries.Where(e => Array.Exists(e.Deliveries, d => d.Phase == DeliveryPhase.Held)).SelectMany(e => e.Deliveries.GroupBy(d => d.Person, StringComparer.Ordinal).Select(person => person.ToList()));

    private sealed class Entry(Alert alert, Delivery[] deliveries, Instant since)
    {
        public Alert Alert { get; } = alert;

        public Delivery[] Deliveries { get; } = deliveries;

        public Instant Since { get; } = since;
    }
}
