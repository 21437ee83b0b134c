using System.Net;
using Common.Time;
using InternalHost.Cloud;

namespace InternalHost.Simulation;

/// <summary>Who asked the provider to start or stop.</summary>
internal enum Actor
{
    Unknown = 0,
    Controller = 1,

    /// <summary>The owner, in the provider's own app.</summary>
    Owner = 2,

    /// <summary>The VM's own dead man: no tunnel and no session for a quarter of an hour.</summary>
    DeadMan = 3,

    /// <summary>The provider itself.</summary>
    Provider = 4,
}

/// <summary>The provider's truth: which machines with the site's tag there are, and who did what to them. The invariants count here.</summary>
internal sealed class Provider(Agenda agenda, Chance chance, Lifecycle lifecycle)
{
    private int _made;

    /// <summary>Told of each order that is carried out, before it is.</summary>
    public Action<Actor, bool, Vm?> Acted { get; set; } = (_, _, _) => { };

    public Lifecycle Lifecycle => lifecycle;

    /// <summary>Those that exist; a careful controller never makes it more than one.</summary>
    public List<Vm> Machines { get; } = lifecycle == Lifecycle.StopStart ? [new Vm { Id = "i-0" }] : [];

    public Vm? Machine => Machines.Count == 0 ? null : Machines[0];

    public bool SlowBoot { get; set; }

    public bool SlowStop { get; set; }

    public int Running
    {
        get
        {
            var running = 0;
            foreach (var machine in Machines)
            {
                running += machine.State is InstanceState.Pending or InstanceState.Running or InstanceState.Stopping ? 1 : 0;
            }

            return running;
        }
    }

    /// <summary>Nothing is on its way to another state.</summary>
    public bool IsAtRest => Machines.TrueForAll(m => m.State == InstanceState.Stopped);

    public InstanceSight See() => Machine is not { } m ? InstanceSight.Absent : new InstanceSight(
        m.Id,
        m.State,
        m.State is InstanceState.Pending or InstanceState.Running && m.Address is { } address ? [address] : [],
        StoppedByOwner: m.State == InstanceState.Stopped && m.StoppedBy == Actor.Owner,
        LaunchId: m.LaunchId);

    /// <summary>Starts what there is; makes one where there is none. What runs already is left as it is.</summary>
    public void Start(Actor by)
    {
        if (Machine is { State: InstanceState.Pending or InstanceState.Running })
        {
            return;
        }

        if (Machine is { State: InstanceState.Stopping } stopping)
        {
            // Refused by real providers; the caller sees it stopped and asks again.
            stopping.StartRefused++;
            return;
        }

        Acted(by, true, Machine);
        Boot(Machine ?? Make(), by);
    }

    /// <summary>Another one beside what there is: only a mistake does this.</summary>
    public void StartAnother(Actor by) => Boot(Make(), by);

    public void Stop(Actor by)
    {
        if (Machine is not { State: InstanceState.Pending or InstanceState.Running } vm)
        {
            return;
        }

        Acted(by, false, vm);
        vm.State = InstanceState.Stopping;
        vm.StoppedBy = by;
        vm.Epoch++;
        vm.People = 0;
        vm.Ready = Instant.Never;
        var epoch = vm.Epoch;
        agenda.After(SlowStop ? chance.Seconds(300, 900) : chance.Seconds(15, 60), () => Stopped(vm, epoch));
    }

    /// <summary>Off in one moment, and no goodbye: its host died, or somebody pulled the plug.</summary>
    public void Fall(Actor by)
    {
        Stop(by);
        if (Machine is { State: InstanceState.Stopping } vm && vm.StoppedBy == by)
        {
            vm.Fell = true;
            Stopped(vm, vm.Epoch);
            if (by == Actor.Provider && lifecycle == Lifecycle.Snapshot)
            {
                Machines.Remove(vm);
            }
        }
    }

    /// <summary>The address of a running machine changes under it.</summary>
    public void Move()
    {
        if (Machine is { State: InstanceState.Running } vm)
        {
            vm.Address = NewAddress();
            vm.Sessions++;
        }
    }

    private Vm Make()
    {
        var vm = new Vm { Id = $"i-{++_made}" };
        Machines.Add(vm);
        return vm;
    }

    private void Boot(Vm vm, Actor by)
    {
        vm.State = InstanceState.Pending;
        vm.StartedBy = by;
        vm.StartedAt = agenda.Now;
        vm.LaunchId = $"{vm.Id}/{++vm.Epoch}";
        vm.Address = null;
        vm.Fell = false;
        vm.People = vm.Logins = 0;
        vm.RefusingUntil = default;
        var epoch = vm.Epoch;
        var running = SlowBoot ? chance.Seconds(120, 400) : chance.Seconds(8, 45);
        vm.RunningAt = agenda.Now + running;
        vm.Ready = vm.RunningAt + chance.Seconds(1, 15);
        agenda.At(agenda.Now + (chance.Next() * running), () => Give(vm, epoch));
        agenda.At(vm.RunningAt, () => Run(vm, epoch));
    }

    private void Give(Vm vm, int epoch) => vm.Address ??= vm.Epoch == epoch ? NewAddress() : null;

    private void Run(Vm vm, int epoch)
    {
        if (vm.Epoch == epoch)
        {
            vm.State = InstanceState.Running;
            Give(vm, epoch);
        }
    }

    private void Stopped(Vm vm, int epoch)
    {
        if (vm.Epoch != epoch)
        {
            return;
        }

        vm.State = InstanceState.Stopped;
        // What the owner or the dead man switched off is still there; what the controller ends is destroyed.
        if (lifecycle == Lifecycle.Snapshot && vm.StoppedBy == Actor.Controller)
        {
            Machines.Remove(vm);
        }
    }

    private IPAddress NewAddress() => new([198, 51, (byte)chance.Below(256), (byte)(1 + chance.Below(254))]);
}

/// <summary>One machine, its sshd, its agent and the people on it.</summary>
internal sealed class Vm
{
    public required string Id { get; init; }

    public InstanceState State { get; set; } = InstanceState.Stopped;

    public IPAddress? Address { get; set; }

    public string? LaunchId { get; set; }

    public Actor StartedBy { get; set; }

    public Actor StoppedBy { get; set; }

    public Instant StartedAt { get; set; }

    public Instant RunningAt { get; set; } = Instant.Never;

    /// <summary>When its sshd lets people in.</summary>
    public Instant Ready { get; set; } = Instant.Never;

    /// <summary>Counts starts and stops: what was planned for an earlier one is void.</summary>
    public int Epoch { get; set; }

    /// <summary>Counts what ends connections: a moved address.</summary>
    public int Sessions { get; set; }

    /// <summary>It went without a goodbye: no connection is told.</summary>
    public bool Fell { get; set; }

    public int StartRefused { get; set; }

    public int People { get; set; }

    public int Logins { get; set; }

    /// <summary>The agent refuses new people until then; a drain that is not repeated lifts itself.</summary>
    public Instant RefusingUntil { get; set; }

    public bool Refuses(Instant at) => at < RefusingUntil;
}
