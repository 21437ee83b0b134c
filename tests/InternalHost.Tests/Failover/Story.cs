using System.Collections.Immutable;
using System.Net;
using Common.Time;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Tunnel;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Failover;

/// <summary>Tells the machine a story, step by step, and remembers what it asked for.</summary>
internal sealed class Story
{
    public static readonly IPAddress A = IPAddress.Parse("198.51.100.7");
    public static readonly IPAddress B = IPAddress.Parse("198.51.100.8");

    public static readonly FailoverPolicy Policy = new(
        TellAfter: TimeSpan.FromSeconds(60), Linger: TimeSpan.FromMinutes(10), MaxUptime: null, Lifecycle.StopStart, HasAgent: true);

    public Story(FailoverPolicy? policy = null) => P = policy ?? Policy;

    public FailoverPolicy P { get; }

    public FailoverState State { get; private set; } = FailoverState.Initial;

    public Instant At { get; private set; } = new(TimeSpan.FromHours(1).Ticks);

    public ImmutableArray<FailoverEffect> Last { get; private set; } = [];

    public List<FailoverEffect> All { get; } = [];

    public string Phase => State.Phase.Name;

    public IEnumerable<OutageAlert> Told => All.OfType<FailoverEffect.RaiseAlert>().Select(a => a.Alert);

    public int Count<T>()
        where T : FailoverEffect => All.OfType<T>().Count();

    /// <summary>Told of each event and the state that met it.</summary>
    public Action<FailoverState, FailoverEvent> Seen { get; init; } = (_, _) => { };

    public Story Do(Func<Instant, FailoverEvent> ev)
    {
        var told = ev(At);
        Seen(State, told);
        var step = FailoverMachine.Advance(State, told, P);
        State = step.Next;
        Last = step.Effects;
        All.AddRange(step.Effects);
        return this;
    }

    /// <summary>Lets time pass with all the ticks that the machine asks for.</summary>
    public Story Wait(TimeSpan span)
    {
        var end = At + span;
        while (true)
        {
            var wake = FailoverMachine.NextWake(State, At, P);
            if (wake > end)
            {
                At = end;
                return this;
            }

            At = wake;
            Do(at => new FailoverEvent.Tick(at));
        }
    }

    public Story Wait(int seconds) => Wait(TimeSpan.FromSeconds(seconds));

    public Story Primary(Usable usable) => Do(at => new FailoverEvent.UplinkSeen(at, UplinkName.Primary, usable));

    public Story Backup(Usable usable) => Do(at => new FailoverEvent.UplinkSeen(at, UplinkName.Backup, usable));

    public Story Cut() => Backup(Usable.Yes).Primary(Usable.No);

    public Story Instance(InstanceState state, IPAddress? address = null, bool byOwner = false, string? launch = null) => Do(at =>
        new FailoverEvent.InstanceSeen(at, State.Run, new InstanceSight("i-1", state, address is null ? [] : [address], byOwner, launch)));

    public Story Accepted() => Do(at => State.Phase is InternalHost.Failover.Phase.Stopping
        ? new FailoverEvent.StopAccepted(at, State.Run)
        : new FailoverEvent.StartAccepted(at, State.Run));

    public Story StartRefused(CloudFailure failure) => Do(at => new FailoverEvent.StartFailed(at, State.Run, failure, "no"));

    public Story StopRefused(CloudFailure failure) => Do(at => new FailoverEvent.StopFailed(at, State.Run, failure, "no"));

    public Story Verified() => Do(at => new FailoverEvent.TunnelVerified(at, State.Run));

    public Story Lost(TunnelReason reason = TunnelReason.Closed) => Do(at => new FailoverEvent.TunnelLost(at, State.Run, new(reason, "")));

    public Story Troubled(TunnelReason reason) => Do(at => new FailoverEvent.TunnelTroubled(at, State.Run, new(reason, "")));

    public Story Sessions(int? count, int logins = 0) => Do(at => new FailoverEvent.SessionsSeen(at, count, logins));

    public Story Drained(bool yes = true) => Do(at => new FailoverEvent.DrainAnswered(at, State.Run, yes, ""));

    public Story Restart() => Do(at => new FailoverEvent.Restarted(at));

    public Story Serving() => Cut().Accepted().Instance(InstanceState.Running, A).Verified();

    /// <summary>Time passes and nobody is on the bastion.</summary>
    public Story Empty(int seconds)
    {
        for (var i = 0; i < seconds; i += 5)
        {
            Wait(5).Sessions(0);
        }

        return this;
    }

    public Story Stopping() => Serving().Wait(70).Primary(Usable.Yes).Sessions(0).Empty(600).Drained();
}
