using Common.Alerts;
using Common.Journal;
using Common.Time;
using InternalHost.Failover;
using InternalHost.Messages;
using InternalHost.Running;
using InternalHost.Wan;
using InternalHost.Wan.Detection;
using Microsoft.Extensions.Logging.Abstractions;

namespace InternalHost.Simulation;

/// <summary>
/// One life of the daemon: the real controller, journal, effects, outbox, delivery, messages and detectors, put together as
/// <see cref="DaemonHost"/> does, and turned by hand on one thread in virtual time.
/// </summary>
internal sealed class Inside
{
    private const int KeptAlerts = 5_000;

    private readonly World _world;
    private readonly TimeProvider _time;
    private readonly UplinkMemory _memory;
    private readonly ProviderClient _client;
    private bool _innerUp = true;
    private int _tick;
    private int _outboxAlarm;

    /// <param name="boot">Names this boot of the machine; its monotonic clock began at <paramref name="booted"/>.</param>
    public Inside(World world, Database database, string boot, Instant booted)
    {
        _world = world;
        Booted = booted;
        var parts = world.Parts;
        _time = parts.Clock(new ProcessTime(world.Agenda, Life, booted, () => world.WallOffset));
        Inbox = new FailoverInbox(_time, world.Streams.Inbox.Next);
        Journal = new FailoverJournal(database, boot, _time);
        _memory = new UplinkMemory(database);
        var options = WanOptions.From(SimulatedSite.Options, _memory.WasUp(SimulatedSite.Options.Primary), _memory.WasUp(SimulatedSite.Options.Backup));
        Uplinks = new Uplinks(
            new DetectorPair(parts.Detector(Proven(options.PrimaryDetector)), parts.Detector(Proven(options.BackupDetector))), world.Links, world.Agenda, Life, world.Streams, () => world.WallOffset, OnUplink, () => Tunnel?.Nudge());
        Tunnel = new SimulatedTunnel(world, Life, Inbox, () => Uplinks.Usable(UplinkName.Primary), () => Uplinks.Usable(UplinkName.Backup));
        var outbox = new Outbox(database);
        Outbox = new OutboxService(outbox, [new GatewayChannel(world, Life)], _time, NullLogger<OutboxService>.Instance, jitter: world.Streams.Outbox.Next)
        {
            Rules = parts.Delivery,
        };
        var alerts = new OutageAlerts(outbox, () => SimulatedSite.Options, () => Tunnel.Snapshot, _ => null, () => _time.GetUtcNow(), _time);
        _client = new ProviderClient(world, Life);
        var effects = new FailoverEffects(
            Inbox, parts.Cloud(world, _client), parts.WayIn(world, Tunnel), alerts, _time, NullLogger<FailoverEffects>.Instance);
        Policy = SimulatedSite.Policy(world.Provider.Lifecycle);
        Service = new FailoverService(
            Inbox, Journal, new WatchedEffects(parts.Effects(world, effects), world), () => Policy, _time, NullLogger<FailoverService>.Instance)
        {
            Advance = Advance,
            Changed = state => Uplinks.Attentive = state.Phase is Phase.Starting or Phase.Connecting,
        };
        outbox.Prune(KeptAlerts);
    }

    public Life Life { get; } = new();

    public Instant Booted { get; }

    public FailoverInbox Inbox { get; }

    public FailoverJournal Journal { get; }

    public OutboxService Outbox { get; }

    public FailoverService Service { get; }

    public FailoverPolicy Policy { get; }

    public Uplinks Uplinks { get; }

    public SimulatedTunnel Tunnel { get; }

    public FailoverState State => Service.Snapshot;

    public bool IsStalled => Life.StalledUntil > _world.Now;

    /// <summary>The daemon's own reading of a moment, as the controller compares it.</summary>
    public Instant Now => Instant.Now(_time);

    /// <summary>Nothing is under way and nothing is due but the looks of a quiet day.</summary>
    public bool IsSettled => _client.IsIdle && Tunnel.IsIdle && Outbox is { OpenCount: 0, IsWoken: false, HasAnswers: false }
        && State is { Phase: Phase.Standby, Outage: null, Orders.Drill: false, Watch: { Instance: not null, CloudTrouble: null } }
        && Journal.Problem is null && Outbox.Snapshot.Problem is null
        && !State.Orders.Open(Now) && !State.Orders.Closed(Now) && !State.Orders.Paused(Now) && Uplinks.IsSettled;

    public void Start()
    {
        Service.Recover();
        _world.Invariants.Orders.Recovered(this);
        TurnOutbox();
        ArmTick(TimeSpan.Zero);
        WatchInnerSsh();
        Pump();
    }

    public void Kill() => Life.Alive = false;

    /// <summary>Lets the loops take what has come in.</summary>
    public void Pump()
    {
        while (Life.Alive && !IsStalled)
        {
            if (Inbox.TryRead(out var told))
            {
                ArmTick(Service.Turn(told));
            }
            else if (Outbox.IsWoken || Outbox.HasAnswers)
            {
                TurnOutbox();
            }
            else
            {
                return;
            }
        }
    }

    private FailoverStep Advance(FailoverState state, FailoverEvent ev, FailoverPolicy policy)
    {
        var step = _world.Parts.Controller(state, ev, policy);
        _world.Observe(state, ev, step);
        if (step.Effects.Any(e => e is FailoverEffect.StartInstance or FailoverEffect.StopInstance) && _world.Guillotine.Falls(Cut.BeforeCommit))
        {
            _world.Invariants.Orders.RolledBack();
            throw new KilledException();
        }

        return step;
    }

    private void TurnOutbox()
    {
        Outbox.Turn();
        var wake = Outbox.NextWake();
        var alarm = ++_outboxAlarm;
        if (wake != Instant.Never)
        {
            _world.Agenda.After(Positive(wake - Now), () => RingOutbox(alarm), Life);
        }
    }

    private void RingOutbox(int alarm)
    {
        if (alarm == _outboxAlarm)
        {
            TurnOutbox();
        }
    }

    private void ArmTick(TimeSpan wait)
    {
        var tick = ++_tick;
        _world.Agenda.After(Positive(wait), () => Tick(tick), Life);
    }

    private void Tick(int tick)
    {
        if (tick == _tick)
        {
            Inbox.TryPost(at => new FailoverEvent.Tick(at));
        }
    }

    private void OnUplink(UplinkName name, Verdict verdict, Usable usable)
    {
        _world.Trace.Add("uplink", (name, verdict.State, usable, verdict.Reason));
        var told = _world.Parts.Told(name, verdict, usable);
        Inbox.TryPost(at => new FailoverEvent.UplinkSeen(at, name, told));
        if (Uplinks.Pair[name].EverUp)
        {
            _memory.Remember(name == UplinkName.Primary ? SimulatedSite.Options.Primary : SimulatedSite.Options.Backup);
        }

        if (usable == Usable.Yes)
        {
            Tunnel.Nudge();
        }
    }

    /// <summary>As <see cref="InnerSshWatch"/>: looked at while there is a tunnel to come by.</summary>
    private void WatchInnerSsh()
    {
        var up = Tunnel.IsIdle ? _innerUp : !_world.Is(FaultKind.InnerSshDown);
        if (up != _innerUp)
        {
            _innerUp = up;
            // A look takes its time, and the tunnel may have been closed meanwhile.
            _world.Agenda.After(_world.Streams.Tunnel.Seconds(0, 3), () => Inbox.TryPost(at => new FailoverEvent.InnerSshSeen(at, up)), Life);
        }

        _world.Agenda.After(TimeSpan.FromSeconds(2), WatchInnerSsh, Life);
    }

    /// <summary>The world has STUN servers and a 204.</summary>
    private static DetectorOptions Proven(DetectorOptions options) => options with { HasEgress = true, HasHttp = true };

    private static TimeSpan Positive(TimeSpan span) => span > TimeSpan.Zero ? span : TimeSpan.Zero;
}
