using Common.Time;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Wan.Detection;

namespace InternalHost.Simulation;

/// <content>I2, I3, I10: what runs, and what ought to.</content>
internal sealed partial class Invariants
{
    /// <summary>Lost answers, ladders of refusals (5.5 min) and a slow machine's own time are behind us after this.</summary>
    private static readonly TimeSpan Ladders = TimeSpan.FromMinutes(8);

    private static readonly TimeSpan StayClosed = TimeSpan.FromHours(1);

    /// <summary>An undrain, asked three times.</summary>
    private static readonly TimeSpan DoorOpens = TimeSpan.FromSeconds(40);

    /// <summary>The agent lifts a drain that nobody repeats.</summary>
    private static readonly TimeSpan DrainLifts = TimeSpan.FromMinutes(10);

    private Instant? _serveBy;
    private Instant _refusedSince = Instant.Never;
    private Instant _agentAwaySince;
    private Vm? _serving;
    private Instant _neededSince = Instant.Never;
    private Instant _unneededSince = Instant.Never;
    private Instant _summonedSince = Instant.Never;
    private Instant _ownerStoppedAt = Instant.Never;
    private bool _ownerStopHolds;

    /// <summary>A machine of which nothing was known before its start, stopped before it was seen running: this launch may be the stopped one, or the one before it.</summary>
    private bool _anybodysStop;

    /// <summary>Before the provider carries out an order.</summary>
    public void Acted(Actor by, bool start, Vm? vm)
    {
        if (by == Actor.Owner)
        {
            _ownerStopHolds = !start && _world.Inside is { State.Outage: not null };
            _ownerStoppedAt = _world.Now;
        }

        if (start && by == Actor.Controller)
        {
            OnStart();
        }
        else if (!start && by == Actor.Controller)
        {
            Hold(2, vm!.People == 0, $"the machine was stopped under {vm.People} people");
        }
    }

    /// <summary>
    /// I6: nothing is started against an order; one that is given while the call is on its way comes too late for it.
    /// I1: what is asked of the provider is on disk before, or a kill in between leaves a machine that nobody knows of.
    /// </summary>
    public void Asked(bool start)
    {
        Hold(6, !start || Orders.MayGoOn, $"a start is asked of the provider although {Orders}");
        if (_world.Inside is { Journal: { Problem: null } journal })
        {
            var written = journal.Load()?.Phase;
            Hold(1, start ? written is Phase.Starting : written is Phase.Stopping, $"asked the provider to {(start ? "start" : "stop")}, with {written} in the journal");
        }
    }

    private void OnStart()
    {
        var at = _world.Now;
        var held = _ownerStopHolds && at - _ownerStoppedAt < StayClosed && !_anybodysStop;
        Hold(10, !held, $"started {(at - _ownerStoppedAt).TotalMinutes:F0} min after the owner had stopped it");
        _serving = null;
        if (CalmAround() >= TimeSpan.FromMinutes(2))
        {
            _world.Agenda.After(TimeSpan.Zero, ExpectServing);
        }
    }

    private void ExpectServing()
    {
        _serving = _world.Provider.Machine;
        _serveBy = _serving?.Ready + TimeSpan.FromSeconds(2);
    }

    /// <summary>I3: within the provider's boot time and 2 s where nothing is in the way; where something was, after its ladders.</summary>
    private void CheckServing()
    {
        if (_world.Inside is not { } inside)
        {
            return;
        }

        var byPrimary = inside.Uplinks.Usable(UplinkName.Primary) != Usable.No;
        if (Orders.IsClosed || inside.IsStalled || (byPrimary && !(Orders.IsOpen && _world.LinkOf(UplinkName.Primary).Clean)))
        {
            _serveBy = null;
        }

        if (_serveBy is { } by && _world.Now > by)
        {
            _serveBy = null;
            Hold(3, inside.State.Phase is Phase.Serving || _serving!.State != InstanceState.Running, $"{inside.State.Phase.Name}, {inside.Tunnel.State.GetType().Name} 2 s after the machine was ready");
        }

        var vm = _world.Provider.Machine;
        var busy = vm is { State: InstanceState.Stopping or InstanceState.Pending } || vm?.Ready > _world.Now && vm.State == InstanceState.Running;
        var needed = Orders.MayStart && (Orders.IsOpen || inside.Uplinks.Usable(UplinkName.Primary) == Usable.No) && !busy && !OwnerHolds
            && _world.LinkOf(UplinkName.Backup).Clean && inside.Uplinks.Usable(UplinkName.Backup) == Usable.Yes && inside.State.Phase is not Phase.Serving;
        _neededSince = needed ? Instant.Min(_neededSince, _world.Now) : Instant.Never;
        _checked[3]++;
        if (needed && _world.Now - _neededSince > Ladders && CalmAround() > Ladders && Calm(Domain.People) > Ladders)
        {
            Violate(Blame(3), $"needed for {Ladders.TotalMinutes:F0} calm minutes, and still {inside.State.Phase.Name}, tunnel {inside.Tunnel.State}");
        }
    }

    /// <summary>I3: a way in that is said to be open lets people in, where the agent has been there to be asked since it was told to refuse them.</summary>
    private void CheckDoor()
    {
        _checked[3]++;
        if (_world.Inside is not { IsStalled: false, Tunnel.Carries: true } inside || _world.Is(FaultKind.AgentSilent))
        {
            _agentAwaySince = _world.Now;
            return;
        }

        var refuses = inside.State.Phase is Phase.Serving && _world.Provider.Machine is { } vm && vm.Refuses(_world.Now) && vm.RefusingUntil - DrainLifts > _agentAwaySince;
        _refusedSince = refuses ? Instant.Min(_refusedSince, _world.Now) : Instant.Never;
        if (refuses && _world.Now - _refusedSince > DoorOpens)
        {
            Violate(3, $"the way in has been open for {DoorOpens.TotalSeconds:F0} s, and the agent refuses people");
        }
    }

    private bool OwnerHolds => _ownerStopHolds && _world.Now - _ownerStoppedAt < StayClosed + TimeSpan.FromMinutes(20);

    /// <summary>I2: nobody needs it, nobody is there, everything works: stopped within linger and the provider's time.</summary>
    private void CheckStopped()
    {
        _checked[2]++;
        var idle = _world is { Inside: { IsStalled: false } inside, Provider.Machine: { State: InstanceState.Running, People: 0 } }
            && !Orders.IsOpen && inside.Uplinks.Usable(UplinkName.Primary) == Usable.Yes && _world.LinkOf(UplinkName.Primary).Clean;
        _unneededSince = idle ? Instant.Min(_unneededSince, _world.Now) : Instant.Never;
        var limit = SimulatedSite.Options.Outage.StopAfter + Ladders + TimeSpan.FromMinutes(4);
        if (idle && _world.Now - _unneededSince > limit && CalmAround() > limit && Calm(Domain.People) > limit)
        {
            Violate(Blame(2), $"unneeded for {limit.TotalMinutes:F0} calm minutes, and it still runs in {_world.Inside!.State.Phase}");
        }
    }

    /// <summary>I10: what the owner starts is joined.</summary>
    private void CheckOwner()
    {
        if (_world.Inside is not { } inside)
        {
            return;
        }

        if (inside.Uplinks.Usable(UplinkName.Primary) == Usable.Yes || Orders.IsOpen)
        {
            _ownerStopHolds = false;
        }

        var summoned = _world.Provider.Machine is { State: InstanceState.Running, StartedBy: Actor.Owner } && inside.State.Phase is Phase.Standby
            && inside.Uplinks.Usable(UplinkName.Primary) == Usable.Yes && _world.LinkOf(UplinkName.Primary).Clean && !inside.IsStalled;
        _summonedSince = summoned ? Instant.Min(_summonedSince, _world.Now) : Instant.Never;
        _checked[10]++;
        if (summoned && _world.Now - _summonedSince > TimeSpan.FromMinutes(3) && CalmAround() > Ladders)
        {
            Violate(10, "the owner started it three minutes ago, and it was not joined");
        }
    }
}
