using System.Collections.Concurrent;
using Common.Time;

namespace Common.Alerts;

/// <summary>Channels that are out of order, hours when nobody wants to be woken, and what has piled up meanwhile.</summary>
public sealed partial class OutboxService
{
    private static readonly TimeSpan AnnounceAtMostEvery = TimeSpan.FromDays(1);

    private readonly Dictionary<(string Channel, string? Recipient), Instant> _announced = [];
    private readonly ConcurrentQueue<string> _reopen = new();
    private volatile RefusedLanes _refused = RefusedLanes.None;   // written by the loop
    private volatile bool _endQuiet;

    /// <summary>First word of the messages that the outbox itself has to tell.</summary>
    public string Site { get; init; } = "";

    /// <summary>How long an alert rests before it is sent (<see cref="QuietHours"/>).</summary>
    public Func<Alert, TimeSpan> Hold { get; init; } = _ => TimeSpan.Zero;

    /// <summary>What rests for quiet hours is sent now: the machine is about to go.</summary>
    public void EndQuiet()
    {
        _endQuiet = true;
        _outbox.Signal();
    }

    /// <summary>What stands against a channel is forgotten: the next message tries it.</summary>
    public void Reopen(string channel)
    {
        _reopen.Enqueue(channel);
        _outbox.Signal();
    }

    private void TakeReopened()
    {
        while (_reopen.TryDequeue(out var channel))
        {
            _refused = _refused.Reopen(channel);
        }
    }

    /// <summary>A channel that was refused for good is not tried for an alert that can go another way. True: it died of that.</summary>
    private bool Bar(Delivery delivery, Instant now) =>
        _refused.Bars(delivery.Key, now) && _refused.Find(delivery.Key) is { } lane && _book.HasOther(delivery, d => _refused.Bars(d.Key, now))
        && Advance(delivery.Key, new DeliveryEvent.LaneRefused(now, _jitter(), lane.Code, lane.Reason));

    private void Hear(DeliveryKey key, DeliveryEvent answer)
    {
        var before = _refused.All.Length;
        _refused = _refused.Hear(key, answer);
        if (_refused.All.Length > before)
        {
            Announce(key, _refused.All[^1]);
        }
    }

    /// <summary>Tells by the other channels of that alert that one of them is out of order; at most once a day.</summary>
    private void Announce(DeliveryKey key, RefusedLane lane)
    {
        if (_announced.TryGetValue((lane.Channel, lane.Recipient), out var last) && lane.Since - last < AnnounceAtMostEvery)
        {
            return;
        }

        var others = _book.Deliveries(key.AlertId).Where(d => d.Key.Channel != lane.Channel || (lane.Recipient is not null && d.Key.Recipient != lane.Recipient)).ToList();
        if (others.Count > 0)
        {
            _announced[(lane.Channel, lane.Recipient)] = lane.Since;
            _outbox.Raise(ChannelAlert.Of(Site, lane, _time.GetUtcNow()), Routes(others));
        }
    }

    /// <summary>The line is back after a long time: the newest are sent, one message tells of the rest.</summary>
    private void FoldBacklog()
    {
        var now = Instant.Now(_time);
        var folded = Backlog.ToFold(_book.Waiting(now), now);
        if (folded.IsEmpty)
        {
            return;
        }

        // The message first: a kill in between tells twice, not never.
        var digest = Backlog.Digest(Site, folded, _time.GetUtcNow());
        var deliveries = folded.SelectMany(a => _book.Deliveries(a.Id)).ToList();
        _outbox.Raise(digest, Routes(deliveries));
        foreach (var delivery in deliveries)
        {
            Advance(delivery.Key, new DeliveryEvent.Folded(now, _jitter(), digest.Id));
        }
    }

    private static List<Route> Routes(IEnumerable<Delivery> deliveries) =>
        [.. deliveries.Select(d => new Route(d.Key.Channel, d.Key.Recipient, d.Person, d.Rank)).Distinct()];

    private void WakeResting()
    {
        if (_endQuiet)
        {
            _endQuiet = false;
            var now = Instant.Now(_time);
            foreach (var (_, delivery) in _book.Open().Where(o => o.Delivery.IsResting(now)))
            {
                _book.Replace(delivery with { Due = now, Since = now, RestsUntil = now });
            }
        }
    }
}
