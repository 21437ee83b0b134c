using Common.Alerts;
using Common.Time;
using InternalHost.Failover;

namespace InternalHost.Simulation;

/// <summary>
/// I4, counted at both ends: what the controller raised, and what the gateway accepted and phones received. Each alert arrives or is a
/// dead letter that the owner sees; none is accepted twice unless the gateway itself said that the first had failed.
/// </summary>
internal sealed class AlertBook(World world)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(25);

    private readonly List<FailoverEffect.RaiseAlert> _raising = [];
    private readonly Dictionary<(string Id, string Recipient), Expected> _expected = [];
    private readonly Dictionary<(string Id, string Recipient), int> _accepted = [];

    private sealed record Expected(string What, Instant At)
    {
        /// <summary>It was in memory only when the process died: disk or process has to survive, not neither.</summary>
        public bool Excused { get; set; }

        public bool InMemory { get; init; }

        public bool IsAccepted { get; set; }
    }

    private Instant _nextLook;

    public int Raised { get; private set; }

    public void Raising(FailoverEffect.RaiseAlert alert) => _raising.Add(alert);

    public void RolledBack() => _raising.Clear();

    public void Committed()
    {
        _raising.ForEach(a => Expect(a, inMemory: false));
        _raising.Clear();
    }

    public void RaisedInMemory(FailoverEffect.RaiseAlert alert)
    {
        _raising.Clear();
        Expect(alert, inMemory: true);
    }

    public void Accepted(Gateway.Text text)
    {
        var key = (text.Message.AlertId, text.Message.Recipient);
        if (_expected.TryGetValue(key, out var expected))
        {
            expected.IsAccepted = true;
        }

        var allowed = 1 + world.Gateway.Accepted.Count(t => t != text && t.Failed && t.Message.AlertId == key.AlertId && t.Message.Recipient == key.Recipient);
        var count = _accepted[key] = _accepted.GetValueOrDefault(key) + 1;
        world.Invariants.Hold(4, count <= allowed || expected is { Excused: true }, $"alert {key.AlertId} was accepted {count} times");
    }

    /// <summary>With a gateway and a way to it that work, nothing waits for longer than the longest pause between two tries.</summary>
    public void Check()
    {
        if (world.Now < _nextLook)
        {
            return;
        }

        _nextLook = world.Now + TimeSpan.FromSeconds(30);
        foreach (var (key, expected) in _expected)
        {
            var waits = expected is { IsAccepted: false, Excused: false } && world.Now - expected.At > LongestPause && world.Invariants.CalmForAlerts > LongestPause;
            if (waits && !IsTold(key.Id, key.Recipient, anyTime: true))
            {
                world.Invariants.Violate(4, $"{expected.What} ({key.Id}) to {key.Recipient} has not left for {LongestPause.TotalMinutes:F0} calm minutes");
            }
        }
    }

    /// <summary>While the disk takes nothing, what is in memory dies with the process; so does the knowledge of what has been sent.</summary>
    public void Died(Inside inside)
    {
        _raising.Clear();
        foreach (var expected in _expected.Values)
        {
            expected.Excused |= inside.Outbox.Snapshot.Problem is not null || (expected.InMemory && world.Is(FaultKind.DiskFull) | world.Is(FaultKind.DiskReadOnly));
        }
    }

    /// <summary>All is at rest: every alert has come to its end.</summary>
    public void Settled()
    {
        foreach (var (key, expected) in _expected)
        {
            world.Invariants.Hold(4, expected.Excused || IsTold(key.Id, key.Recipient), $"{expected.What} ({key.Id}) to {key.Recipient} was raised and never arrived");
        }

        _expected.Clear();
        _accepted.Clear();
    }

    /// <summary>It arrived, or is a dead letter, or one of the two is true of the message that tells of it and others (<see cref="Backlog"/>).</summary>
    /// <param name="anyTime">The gateway has it: it will arrive.</param>
    private bool IsTold(string id, string recipient, bool anyTime = false) =>
        world.Gateway.Accepted.Exists(t => t.Message.AlertId == id && t.Message.Recipient == recipient && (anyTime || t.DeliveredAt <= world.Now))
        || world.IsDeadLetter(id, recipient)
        || (world.ToldIn(id, recipient) is { } digest && IsTold(digest, recipient, anyTime));

    /// <summary>The id comes from what happened (docs/alerts.md): it is computed here once more, not read from the outbox.</summary>
    private void Expect(FailoverEffect.RaiseAlert alert, bool inMemory)
    {
        Raised++;
        foreach (var person in SimulatedSite.Options.People)
        {
            var about = alert.Alert == OutageAlert.Open ? $"{alert.Id}.{person.Name}" : alert.Id;
            var kind = Kind(alert.Alert);
            var id = AlertId.From($"inside/{SimulatedSite.Options.Site}/{about}/{kind}");
            // Two alerts may share a short id; the later one then has a long one.
            var own = world.Owns(id, kind, about) ? id : AlertId.From($"{id}/{kind}/{about}", AlertId.LongLength);
            // Raised again because the disk did not keep that it had been raised: told twice is better than not told.
            var excused = _expected.GetValueOrDefault((own, person.Text!)) is { Excused: true };
            _expected[(own, person.Text!)] = new Expected($"{kind} {about}", world.Now) { InMemory = inMemory, Excused = excused };
        }
    }

    private static string Kind(OutageAlert alert) => alert switch
    {
        OutageAlert.Open => "open",
        OutageAlert.Stuck => "stuck",
        OutageAlert.Closed => "closed",
        OutageAlert.StopFailing => "stop-failing",
        OutageAlert.OwnerStopped => "stopped-by-owner",
        _ => "long-uptime",
    };
}
