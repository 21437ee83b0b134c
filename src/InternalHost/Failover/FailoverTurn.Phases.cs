using InternalHost.Cloud;
using InternalHost.Wan.Detection;
using static InternalHost.Failover.FailoverEffect;

namespace InternalHost.Failover;

/// <content>The rules, phase by phase.</content>
internal sealed partial class FailoverTurn
{
    private void Standby()
    {
        if (State.Outage is null && (Down || State.Orders.Open(at) || (State.Orders.Drill && !State.Orders.Closed(at))))
        {
            Begin(Down ? OutageCause.PrimaryDown : State.Orders.Open(at) ? OutageCause.Operator : OutageCause.Drill);
        }

        if (WantStart)
        {
            Start();
        }
        else if (Summoned)
        {
            Join();
        }
        else if (State.Outage is { } && Watch.Primary == Usable.Yes && !State.Orders.Open(at))
        {
            // It passed before a way in could be opened: the backup never came, or the owner wanted it closed.
            Finish();
        }
        else if (State.Outage is { Cause: not OutageCause.PrimaryDown } && !State.Orders.Open(at) && Watch.Primary != Usable.No)
        {
            Finish();
        }
    }

    /// <summary>The VM runs and we have not started it: the owner pressed Start in the provider's own app, or our memory is gone.</summary>
    private bool Summoned => policy.Lifecycle != Lifecycle.AlwaysOn && Watch.Instance is { State: InstanceState.Running or InstanceState.Pending };

    private void Join()
    {
        if (State.Outage is null)
        {
            Begin(Down ? OutageCause.PrimaryDown : OutageCause.Summoned);
        }

        State = State with
        {
            Orders = State.Orders with { ClosedUntil = null, ClosedBy = null },
            Outage = State.Outage! with { ShutSince = at, OpenTold = false, BackAt = Watch.Primary == Usable.Yes ? at : null },
        };
        Enter(new Phase.Connecting(at));
        // The next look was put off as far as in Standby.
        Look(Watch with { NextDescribe = Common.Time.Instant.Min(Watch.NextDescribe, at + Absorption.DescribeEvery(State, policy)) });
    }

    private void Start()
    {
        var before = Watch.Instance is { State: InstanceState.Absent } ? NoLaunch : Watch.Instance?.Launch;
        // Where a VM died before it was of use, the owner waits since its start.
        var waitsOn = State.Phase is Phase.Connecting && !Watch.TunnelVerified;
        NewRun();
        State = State with { Orders = State.Orders with { Drill = false } };
        Change(o => o with { Starts = o.Starts + 1, ShutSince = waitsOn ? o.ShutSince : at, OpenTold = false, Launch = null });
        Enter(new Phase.Starting(at, NextStart: Common.Time.Instant.Never, Failures: 0, Accepted: false, Before: before));
        // The first look waits for the answer: the adapter itself adopts what it finds.
        Look(Watch with { NextDescribe = at + policy.AnswerTimeout });
        _effects.Add(new StartInstance(State.Run));
    }

    private void Starting(Phase.Starting p)
    {
        switch (Watch.Instance)
        {
            case { State: InstanceState.Running or InstanceState.Pending, Addresses.IsEmpty: false }:
                Enter(new Phase.Connecting(at));
                break;
            case { State: InstanceState.Stopped, StoppedByOwner: true } sight when OwnerEnded(sight, p):
                ObeyOwner();
                break;
            case { State: InstanceState.Stopped or InstanceState.Absent } when !WantKeep && (!p.Accepted || State.Orders.Closed(at)):
                Finish();
                break;
            case { State: InstanceState.Stopped or InstanceState.Absent } when p.NextStart <= at:
                Enter(p with { NextStart = Common.Time.Instant.Never });
                Look(Watch with { Instance = null, NextDescribe = at + policy.AnswerTimeout });
                _effects.Add(new StartInstance(State.Run));
                break;
        }
    }

    private const string NoLaunch = "";

    /// <summary>He stopped this very launch, not the one before it; where the provider tells no launches apart, nobody knows.</summary>
    private bool OwnerEnded(InstanceSight sight, Phase.Starting p) =>
        !State.Orders.Open(at) && Watch.Primary != Usable.Yes && sight.Launch is { } shown
        && (shown == State.Outage?.Launch || (p.Before is { } before && shown != before));

    /// <summary>The way in was shut while nobody needed it, perhaps for long.</summary>
    private void ConnectAnew()
    {
        Change(o => o with { ShutSince = at });
        Enter(new Phase.Connecting(at));
    }

    private void Connecting()
    {
        if (Gone())
        {
            return;
        }

        Dial();
        if (Watch.TunnelVerified)
        {
            if (State.Outage?.MayBeDrained == true)
            {
                _effects.Add(new Undrain());
            }

            Change(o => o with { OpenAt = o.OpenAt ?? at, MayBeDrained = false, StuckTold = null });
            Enter(new Phase.Serving(at));
            Look(Watch with { NextAsk = at });
        }
    }

    private void Serving()
    {
        if (Gone())
        {
            return;
        }

        Dial();
        if (!Watch.TunnelVerified)
        {
            Enter(new Phase.Connecting(at));
        }
        else if (!WantKeep)
        {
            Enter(new Phase.Draining(at, EmptySince: policy.HasAgent ? null : at, NextDrain: at, DrainAsked: false));
            Look(Watch with { NextAsk = at });
        }
    }

    private void Draining(Phase.Draining p)
    {
        if (Gone())
        {
            return;
        }

        Dial();
        if (WantKeep)
        {
            if (p.DrainAsked)
            {
                _effects.Add(new Undrain());
            }

            if (Watch.TunnelVerified)
            {
                Enter(new Phase.Serving(at));
            }
            else
            {
                ConnectAnew();
            }
        }
        else if (!Watch.TunnelVerified && policy.HasAgent && p.EmptySince is not null)
        {
            // Not known is occupied.
            Enter(p with { EmptySince = null });
        }
        else if (p is { DrainAsked: true, EmptySince: null })
        {
            // Somebody came in before the door was shut: it stays open for them.
            Enter(p with { DrainAsked = false });
            _effects.Add(new Undrain());
        }
        else if (p.EmptySince is { } empty && empty + Linger <= at && p.NextDrain <= at)
        {
            LeaveOrDrain(p);
        }
    }

    /// <summary>The operator's close does not wait for people who may still come, only for those who are there.</summary>
    private TimeSpan Linger => ClosedByOperator ? TimeSpan.Zero : policy.Linger;

    private bool ClosedByOperator => State.Orders is { ClosedBy: "operator" } && State.Orders.Closed(at);

    private void LeaveOrDrain(Phase.Draining p)
    {
        if (policy.Lifecycle == Lifecycle.AlwaysOn)
        {
            _effects.Add(new CloseTunnel());
            Finish();
            return;
        }

        Enter(p with { NextDrain = Common.Time.Instant.Never, DrainAsked = true });
        _effects.Add(new Drain(State.Run));
    }

    /// <summary>The agent refuses new people and nobody is there; unless an undrain is behind that answer, and somebody may have come.</summary>
    public void Drained()
    {
        if (State.Phase is Phase.Draining { DrainAsked: true } && !WantKeep)
        {
            Stop();
        }
    }

    private void Stop()
    {
        NewRun();
        Enter(new Phase.Stopping(at, NextStop: Common.Time.Instant.Never, Failures: 0, Resumed: false, State.Outage?.Launch));
        Look(Watch with { NextDescribe = at + policy.AnswerTimeout });
        _effects.Add(new CloseTunnel());
        _effects.Add(new StopInstance(State.Run));
    }

    private void Stopping(Phase.Stopping p)
    {
        switch (Watch.Instance)
        {
            case { State: InstanceState.Stopped or InstanceState.Absent }:
                Finish();
                break;
            case { State: InstanceState.Running or InstanceState.Pending } sight when (p.Resumed && at - p.Since > policy.DrainHolds) || IsAnotherLaunch(p, sight):
                // The promise of an empty machine is too old, or another launch's: somebody may have come. Ask again.
                ConnectAnew();
                break;
            case { State: InstanceState.Running or InstanceState.Pending } when p.NextStop <= at:
                Enter(p with { NextStop = Common.Time.Instant.Never });
                Look(Watch with { Instance = null, NextDescribe = at + policy.AnswerTimeout });
                _effects.Add(new StopInstance(State.Run));
                break;
        }
    }

    private static bool IsAnotherLaunch(Phase.Stopping p, InstanceSight sight) => p.Drained is { } drained && sight.Launch is { } shown && shown != drained;

    /// <summary>The VM is seen stopped although we did not stop it. True: the phase has changed.</summary>
    private bool Gone()
    {
        if (Watch.Instance is not { State: InstanceState.Stopped or InstanceState.Absent } sight)
        {
            return false;
        }

        _effects.Add(new CloseTunnel());
        if (sight.StoppedByOwner && !State.Orders.Open(at) && Watch.Primary != Usable.Yes)
        {
            ObeyOwner();
        }
        else if (WantKeep)
        {
            Start();
        }
        else
        {
            Finish();
        }

        return true;
    }

    private void ObeyOwner()
    {
        State = State with { Orders = State.Orders with { ClosedUntil = at + policy.StayClosed, ClosedBy = "owner" } };
        Raise(OutageAlert.OwnerStopped, "owner");
        Enter(new Phase.Standby());
        NewRun();
        Look(Watch with { NextDescribe = at + policy.SummonEvery });
        Change(o => o with { Addresses = AddressList.Empty, OpenTold = true, StuckTold = null });
    }

    private void Dial()
    {
        if (Watch.Instance is { State: InstanceState.Running or InstanceState.Pending, Addresses: { IsEmpty: false } addresses }
            && State.Outage is { } outage && (!outage.Addresses.Equals(new AddressList(addresses)) || !Watch.Dialled))
        {
            var moved = !outage.Addresses.Items.IsEmpty && !outage.Addresses.Equals(new AddressList(addresses));
            Change(o => o with { Addresses = new AddressList(addresses), OpenTold = o.OpenTold && !moved });
            Look(Watch with
            {
                Dialled = true,
                TunnelVerified = Watch.TunnelVerified && !moved,
                TunnelTrouble = moved ? null : Watch.TunnelTrouble,
            });
            _effects.Add(new OpenTunnel(State.Run, addresses));
        }
    }

    private void Finish()
    {
        if (State.Outage is { AnyTold: true })
        {
            Raise(OutageAlert.Closed, "closed");
        }

        // "Closed" is said of one outage: the next one opens again.
        var orders = Watch.Primary == Usable.Yes ? State.Orders with { ClosedUntil = null, ClosedBy = null } : State.Orders;
        State = State with { Outage = null, Phase = new Phase.Standby(), Orders = orders };
        NewRun();
        Look(Watch with { NextDescribe = at + policy.SummonEvery });
    }
}
