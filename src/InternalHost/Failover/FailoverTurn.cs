using System.Collections.Immutable;
using Common.Time;
using InternalHost.Cloud;
using InternalHost.Wan.Detection;
using static InternalHost.Failover.FailoverEffect;

namespace InternalHost.Failover;

/// <summary>One step in the making: the state as it changes, and the effects asked for so far.</summary>
/// <param name="chance">Uniform in [0, 1).</param>
[Common.PureCore]
internal sealed partial class FailoverTurn(FailoverState state, Instant at, double chance, FailoverPolicy policy)
{
    private readonly ImmutableArray<FailoverEffect>.Builder _effects = ImmutableArray.CreateBuilder<FailoverEffect>();

    public FailoverState State { get; private set; } = state;

    public ImmutableArray<FailoverEffect> Effects => _effects.ToImmutable();

    private Watch Watch => State.Watch;

    private bool Down => Watch.Primary == Usable.No && !State.Orders.Paused(at);

    /// <summary>Somebody needs the way in and it may be opened now.</summary>
    private bool WantStart => State.Orders.Open(at) || (!State.Orders.Closed(at) && (State.Orders.Drill || (Down && Watch.Backup == Usable.Yes)));

    /// <summary>It is open and still needed. Only a primary that is known to be back ends an outage: Unknown neither starts nor stops.</summary>
    private bool WantKeep => State.Orders.Open(at) || (!State.Orders.Closed(at) && State.Outage switch
    {
        null => false,
        { Cause: OutageCause.PrimaryDown } => Watch.Primary != Usable.Yes,
        _ => Watch.Primary == Usable.No,
    });

    /// <summary>Applies the rules of the phase until it changes no more. Each rule moves on at most once a turn, so this ends.</summary>
    public void Settle()
    {
        State = State with { Orders = State.Orders.At(at) };
        for (var rounds = 0; rounds < 8; rounds++)
        {
            var before = State;
            switch (State.Phase)
            {
                case Phase.Standby: Standby(); break;
                case Phase.Starting p: Starting(p); break;
                case Phase.Connecting: Connecting(); break;
                case Phase.Serving: Serving(); break;
                case Phase.Draining p: Draining(p); break;
                case Phase.Stopping p: Stopping(p); break;
            }

            if (ReferenceEquals(before, State))
            {
                return;
            }
        }
    }

    /// <summary>Taken up from the journal: nothing seen is remembered, what may be running is asked for.</summary>
    public void Resume()
    {
        State = State with { Run = State.Run + 1, Watch = new Watch { NextDescribe = at } };
        if (State.Outage is { } outage)
        {
            State = State with
            {
                Outage = outage with { ShutSince = at, MayBeDrained = outage.MayBeDrained || State.Phase is Phase.Draining { DrainAsked: true } or Phase.Stopping },
            };
        }

        State = State.Phase switch
        {
            // Whether the start was ever asked is not known: seen stopped, it is asked at once.
            Phase.Starting p => State with { Phase = p with { NextStart = at } },
            Phase.Stopping p => State with { Phase = p with { NextStop = at, Resumed = true } },
            Phase.Serving or Phase.Draining or Phase.Connecting => State with { Phase = new Phase.Connecting(at) },
            _ => State,
        };
    }

    /// <summary>Asks what is due to be asked.</summary>
    public void Ask()
    {
        if (Watch.NextDescribe <= at && MayDescribe(State, policy))
        {
            Look(Watch with { NextDescribe = at + policy.AnswerTimeout });
            _effects.Add(new DescribeInstance(State.Run));
        }

        if (Watch.NextAsk <= at && MayAsk(State, policy))
        {
            Look(Watch with { NextAsk = at + policy.AnswerTimeout });
            _effects.Add(new AskSessions());
        }
    }

    /// <summary>At boot nothing is known of the uplinks; a running VM is looked for all the same, unless it is known that no way out works.</summary>
    public static bool MayDescribe(FailoverState state, FailoverPolicy policy) =>
        (state.Phase is not Phase.Standby || policy.Lifecycle != Lifecycle.AlwaysOn)
        && (state.Watch.Primary != Usable.No || state.Watch.Backup != Usable.No);

    public static bool MayAsk(FailoverState state, FailoverPolicy policy) =>
        policy.HasAgent && state.Watch.TunnelVerified && state.Phase is (Phase.Serving or Phase.Draining);

    private void Begin(OutageCause cause)
    {
        var number = State.Outages + 1;
        State = State with
        {
            Outages = number,
            Outage = new Outage(number, cause, at) { Mark = Outage.MarkOf(chance), DownAt = Watch.Primary == Usable.No ? at : null },
        };
    }

    private void Enter(Phase phase) => State = State with { Phase = phase };

    private void Look(Watch watch) => State = State with { Watch = watch };

    private void Change(Func<Outage, Outage> change)
    {
        if (State.Outage is { } outage && change(outage) is var changed && changed != outage)
        {
            State = State with { Outage = changed };
        }
    }

    private void NewRun() => State = State with
    {
        Run = State.Run + 1,
        Watch = Watch with
        {
            Instance = null,
            NextDescribe = at,
            CloudTrouble = null,
            CloudFailure = CloudFailure.Unknown,
            CloudFailures = 0,
            Dialled = false,
            TunnelVerified = false,
            TunnelTrouble = null,
            HostKeyQuestion = false,
            Sessions = null,
            SessionsAt = null,
        },
    };
}
