using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;
using static InternalHost.Failover.FailoverEffect;

namespace InternalHost.Tests.Failover;

/// <summary>Every state meets every event: what may follow is listed here, so that the catch-all arms hide nothing.</summary>
public sealed class FailoverTableTests
{
    private static readonly Dictionary<string, Func<Story>> States = new()
    {
        ["Standby"] = () => new Story().Backup(Usable.Yes).Primary(Usable.Yes),
        ["Standby waiting"] = () => new Story().Backup(Usable.No).Primary(Usable.No),
        ["Standby closed"] = () => new Story().Serving().Instance(InstanceState.Stopped, byOwner: true),
        ["Starting"] = () => new Story().Cut(),
        ["Connecting"] = () => new Story().Cut().Accepted().Instance(InstanceState.Running, Story.A),
        ["Serving"] = () => new Story().Serving().Wait(70),
        ["Draining"] = () => new Story().Serving().Wait(70).Primary(Usable.Yes).Sessions(0),
        ["Draining asked"] = () => new Story().Serving().Wait(70).Primary(Usable.Yes).Sessions(0).Empty(610),
        ["Stopping"] = () => new Story().Stopping(),
    };

    private static readonly Dictionary<string, Action<Story>> Events = new()
    {
        ["primary yes"] = s => s.Primary(Usable.Yes),
        ["primary no"] = s => s.Primary(Usable.No),
        ["primary unknown"] = s => s.Primary(Usable.Unknown),
        ["backup yes"] = s => s.Backup(Usable.Yes),
        ["backup no"] = s => s.Backup(Usable.No),
        ["backup unknown"] = s => s.Backup(Usable.Unknown),
        ["absent"] = s => s.Instance(InstanceState.Absent),
        ["stopped"] = s => s.Instance(InstanceState.Stopped),
        ["stopped by owner"] = s => s.Instance(InstanceState.Stopped, byOwner: true),
        ["pending"] = s => s.Instance(InstanceState.Pending),
        ["running"] = s => s.Instance(InstanceState.Running, Story.A),
        ["running elsewhere"] = s => s.Instance(InstanceState.Running, Story.B),
        ["stopping"] = s => s.Instance(InstanceState.Stopping),
        ["describe failed"] = s => s.Do(at => new FailoverEvent.DescribeFailed(at, s.State.Run, CloudFailure.Unreachable, "")),
        ["start accepted"] = s => s.Do(at => new FailoverEvent.StartAccepted(at, s.State.Run)),
        ["start failed"] = s => s.StartRefused(CloudFailure.LostReply),
        ["stop accepted"] = s => s.Do(at => new FailoverEvent.StopAccepted(at, s.State.Run)),
        ["stop failed"] = s => s.StopRefused(CloudFailure.Transient),
        ["verified"] = s => s.Verified(),
        ["lost"] = s => s.Lost(),
        ["troubled"] = s => s.Troubled(TunnelReason.HostKeyChanged),
        ["sessions none"] = s => s.Sessions(0),
        ["sessions one"] = s => s.Sessions(1),
        ["sessions unknown"] = s => s.Sessions(null),
        ["drained"] = s => s.Drained(),
        ["not drained"] = s => s.Drained(yes: false),
        ["inner ssh down"] = s => s.Do(at => new FailoverEvent.InnerSshSeen(at, Up: false)),
        ["open"] = s => s.Do(at => new FailoverEvent.OperatorOpened(at, TimeSpan.FromHours(2))),
        ["close"] = s => s.Do(at => new FailoverEvent.OperatorClosed(at)),
        ["pause"] = s => s.Do(at => new FailoverEvent.OperatorPaused(at, TimeSpan.FromHours(4), "")),
        ["resume"] = s => s.Do(at => new FailoverEvent.OperatorResumed(at)),
        ["drill"] = s => s.Do(at => new FailoverEvent.DrillRequested(at)),
        ["restarted"] = s => s.Restart(),
        ["tick"] = s => s.Do(at => new FailoverEvent.Tick(at)),
    };

    /// <summary>State, event, phase after it, and the effects that act. Pairs not listed change neither.</summary>
    private static readonly Dictionary<(string State, string Event), (string Phase, string Effects)> Expected = new()
    {
        [("Standby", "primary no")] = ("Starting", "StartInstance"),
        [("Standby", "pending")] = ("Connecting", ""),
        [("Standby", "running")] = ("Connecting", "OpenTunnel"),
        [("Standby", "running elsewhere")] = ("Connecting", "OpenTunnel"),
        [("Standby", "open")] = ("Starting", "StartInstance"),
        [("Standby", "drill")] = ("Starting", "StartInstance"),
        [("Standby waiting", "backup yes")] = ("Starting", "StartInstance"),
        [("Standby waiting", "pending")] = ("Connecting", ""),
        [("Standby waiting", "running")] = ("Connecting", "OpenTunnel"),
        [("Standby waiting", "running elsewhere")] = ("Connecting", "OpenTunnel"),
        [("Standby waiting", "open")] = ("Starting", "StartInstance"),
        [("Standby waiting", "drill")] = ("Starting", "StartInstance"),
        [("Standby closed", "primary yes")] = ("Standby", "RaiseAlert"),
        [("Standby closed", "pending")] = ("Connecting", ""),
        [("Standby closed", "running")] = ("Connecting", "OpenTunnel"),
        [("Standby closed", "running elsewhere")] = ("Connecting", "OpenTunnel"),
        [("Standby closed", "open")] = ("Starting", "StartInstance"),
        [("Standby closed", "resume")] = ("Starting", "StartInstance"),
        [("Starting", "running")] = ("Connecting", "OpenTunnel"),
        [("Starting", "running elsewhere")] = ("Connecting", "OpenTunnel"),
        [("Connecting", "verified")] = ("Serving", ""),
        [("Connecting", "absent")] = ("Starting", "CloseTunnel StartInstance"),
        [("Connecting", "stopped")] = ("Starting", "CloseTunnel StartInstance"),
        [("Connecting", "stopped by owner")] = ("Standby", "CloseTunnel RaiseAlert"),
        [("Connecting", "running elsewhere")] = ("Connecting", "OpenTunnel"),
        [("Serving", "primary yes")] = ("Draining", ""),
        [("Serving", "close")] = ("Draining", ""),
        [("Serving", "absent")] = ("Starting", "CloseTunnel StartInstance"),
        [("Serving", "stopped")] = ("Starting", "CloseTunnel StartInstance"),
        [("Serving", "stopped by owner")] = ("Standby", "CloseTunnel RaiseAlert"),
        [("Serving", "running elsewhere")] = ("Connecting", "OpenTunnel"),
        [("Serving", "lost")] = ("Connecting", ""),
        [("Serving", "troubled")] = ("Connecting", ""),
        [("Serving", "restarted")] = ("Connecting", ""),
        [("Draining", "primary no")] = ("Serving", ""),
        [("Draining", "primary unknown")] = ("Serving", ""),
        [("Draining", "open")] = ("Serving", ""),
        [("Draining", "close")] = ("Draining", "Drain"),
        [("Draining", "absent")] = ("Standby", "CloseTunnel RaiseAlert"),
        [("Draining", "stopped")] = ("Standby", "CloseTunnel RaiseAlert"),
        [("Draining", "stopped by owner")] = ("Standby", "CloseTunnel RaiseAlert"),
        [("Draining", "running elsewhere")] = ("Draining", "OpenTunnel"),
        [("Draining", "restarted")] = ("Connecting", ""),
        [("Draining asked", "primary no")] = ("Serving", "Undrain"),
        [("Draining asked", "primary unknown")] = ("Serving", "Undrain"),
        [("Draining asked", "open")] = ("Serving", "Undrain"),
        [("Draining asked", "drained")] = ("Stopping", "CloseTunnel StopInstance"),
        [("Draining asked", "sessions one")] = ("Draining", "Undrain"),
        [("Draining asked", "sessions unknown")] = ("Draining", "Undrain"),
        [("Draining asked", "lost")] = ("Draining", "Undrain"),
        [("Draining asked", "troubled")] = ("Draining", "Undrain"),
        [("Draining asked", "absent")] = ("Standby", "CloseTunnel RaiseAlert"),
        [("Draining asked", "stopped")] = ("Standby", "CloseTunnel RaiseAlert"),
        [("Draining asked", "stopped by owner")] = ("Standby", "CloseTunnel RaiseAlert"),
        [("Draining asked", "running elsewhere")] = ("Draining", "OpenTunnel Undrain"),
        [("Draining asked", "restarted")] = ("Connecting", ""),
        [("Stopping", "absent")] = ("Standby", "RaiseAlert"),
        [("Stopping", "stopped")] = ("Standby", "RaiseAlert"),
        [("Stopping", "stopped by owner")] = ("Standby", "RaiseAlert"),
    };

    [Fact]
    public void Every_state_meets_every_event()
    {
        var wrong = new List<string>();
        foreach (var (state, make) in States)
        {
            foreach (var (ev, tell) in Events)
            {
                var story = make();
                var expected = Expected.GetValueOrDefault((state, ev), (story.Phase, ""));
                tell(story);
                var effects = string.Join(' ', story.Last.Where(e => !e.IsQuestion).Select(e => e.GetType().Name));
                if ((story.Phase, effects) != expected)
                {
                    wrong.Add($"{state} + {ev}: expected {expected}, got ({story.Phase}, {effects})");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Table_names_only_states_and_events_that_exist()
    {
        Assert.All(Expected.Keys, k => Assert.True(States.ContainsKey(k.State) && Events.ContainsKey(k.Event), k.ToString()));

        var kinds = typeof(FailoverEvent).GetNestedTypes().Length;
        Assert.True(Events.Count >= kinds, "an event kind without a row");
    }
}
