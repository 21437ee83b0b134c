using System.Runtime.InteropServices;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Wan.Detection;

namespace InternalHost.Simulation;

/// <summary>Which events the controller has met in which of its states.</summary>
internal sealed class Coverage
{
    /// <summary>The answer to a question of an earlier round, whatever it says: it is dropped.</summary>
    private const string Late = "late";

    public static readonly string[] Phases = ["Standby", "Waiting", "Starting", "Connecting", "Serving", "Draining", "Refusing", "Stopping"];

    public static readonly string[] Events =
    [
        "primary yes", "primary no", "primary unknown", "backup yes", "backup no", "backup unknown",
        "absent", "stopped", "stopped by owner", "pending", "running", "stopping", "describe failed",
        "start accepted", "start failed", "stop accepted", "stop failed",
        "verified", "lost", "troubled", "sessions none", "sessions some", "sessions unknown", "drained", "not drained",
        "inner up", "inner down", "open", "close", "pause", "resume", "drill", "restarted", "tick", Late,
    ];

    private static readonly Dictionary<(UplinkName, Usable), string> Uplinks = new(
        from uplink in new[] { UplinkName.Primary, UplinkName.Backup }
        from usable in Enum.GetValues<Usable>()
        select KeyValuePair.Create((uplink, usable), $"{uplink} {usable}".ToLowerInvariant()));

    private static readonly Dictionary<InstanceState, string> States = Enum.GetValues<InstanceState>().ToDictionary(s => s, s => s.ToString().ToLowerInvariant());

    private readonly Dictionary<(string, string), long> _seen = [];

    public IReadOnlyDictionary<(string Phase, string Event), long> Seen => _seen;

    /// <summary>Why there can be no such event in this state; null: there can.</summary>
    public string? Saw(FailoverState state, FailoverEvent ev)
    {
        var pair = (Phase: PhaseOf(state), Event: IsLate(state, ev) ? Late : EventOf(ev));
        CollectionsMarshal.GetValueRefOrAddDefault(_seen, pair, out _)++;
        return PairsThatCannotBe.Why(pair.Phase, pair.Event) is { } why ? $"{pair.Event} in {pair.Phase}: {why}" : null;
    }

    public void Add(Coverage other)
    {
        foreach (var (pair, times) in other._seen)
        {
            _seen[pair] = _seen.GetValueOrDefault(pair) + times;
        }
    }

    /// <summary>How many of <see cref="Phases"/> and <see cref="Events"/> can come together.</summary>
    public static int Possible => (Phases.Length * Events.Length) - PairsThatCannotBe.Count;

    /// <summary>Pairs that can be and have not been seen.</summary>
    public IEnumerable<(string Phase, string Event)> Missing() =>
        from phase in Phases from ev in Events where !_seen.ContainsKey((phase, ev)) && PairsThatCannotBe.Why(phase, ev) is null select (phase, ev);

    /// <summary>Standby with an outage waits; Draining after the agent was asked refuses.</summary>
    public static string PhaseOf(FailoverState state) => state.Phase switch
    {
        Phase.Standby when state.Outage is not null => "Waiting",
        Phase.Draining { DrainAsked: true } => "Refusing",
        var phase => phase.Name,
    };

    private static bool IsLate(FailoverState state, FailoverEvent ev) => state.Run != ev switch
    {
        FailoverEvent.InstanceSeen e => e.Run,
        FailoverEvent.DescribeFailed e => e.Run,
        FailoverEvent.StartAccepted e => e.Run,
        FailoverEvent.StartFailed e => e.Run,
        FailoverEvent.StopAccepted e => e.Run,
        FailoverEvent.StopFailed e => e.Run,
        FailoverEvent.TunnelVerified e => e.Run,
        FailoverEvent.TunnelLost e => e.Run,
        FailoverEvent.TunnelTroubled e => e.Run,
        FailoverEvent.DrainAnswered e => e.Run,
        _ => state.Run,
    };

    private static string EventOf(FailoverEvent ev) => ev switch
    {
        FailoverEvent.UplinkSeen e => Uplinks[(e.Uplink, e.Usable)],
        FailoverEvent.InstanceSeen { Sight: { State: Cloud.InstanceState.Stopped, StoppedByOwner: true } } => "stopped by owner",
        FailoverEvent.InstanceSeen e => States[e.Sight.State],
        FailoverEvent.DescribeFailed => "describe failed",
        FailoverEvent.StartAccepted => "start accepted",
        FailoverEvent.StartFailed => "start failed",
        FailoverEvent.StopAccepted => "stop accepted",
        FailoverEvent.StopFailed => "stop failed",
        FailoverEvent.TunnelVerified => "verified",
        FailoverEvent.TunnelLost => "lost",
        FailoverEvent.TunnelTroubled => "troubled",
        FailoverEvent.SessionsSeen { Count: null } => "sessions unknown",
        FailoverEvent.SessionsSeen { Count: 0 } => "sessions none",
        FailoverEvent.SessionsSeen => "sessions some",
        FailoverEvent.DrainAnswered { Drained: true } => "drained",
        FailoverEvent.DrainAnswered => "not drained",
        FailoverEvent.InnerSshSeen { Up: true } => "inner up",
        FailoverEvent.InnerSshSeen => "inner down",
        FailoverEvent.OperatorOpened => "open",
        FailoverEvent.OperatorClosed => "close",
        FailoverEvent.OperatorPaused => "pause",
        FailoverEvent.OperatorResumed => "resume",
        FailoverEvent.DrillRequested => "drill",
        FailoverEvent.Restarted => "restarted",
        _ => "tick",
    };
}
