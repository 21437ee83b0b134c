using Common.Time;
using InternalHost.Failover;
using Microsoft.Data.Sqlite;

namespace InternalHost.Simulation;

/// <summary>Between which two steps the daemon is killed.</summary>
internal enum Cut
{
    Unknown = 0,

    /// <summary>While nothing is being done.</summary>
    BetweenEvents = 1,

    /// <summary>In the transaction: neither the transition nor its alerts are on disk.</summary>
    BeforeCommit = 2,

    /// <summary>On disk; none of the effects has run.</summary>
    BeforeEffects = 3,
    BetweenEffects = 4,

    /// <summary>The effect has been asked of the world; its answer never comes.</summary>
    BeforeResult = 5,

    /// <summary>"Sending" is on disk, the request has not left.</summary>
    BeforeSend = 6,

    /// <summary>The gateway has it, the answer never comes.</summary>
    AfterSend = 7,
}

/// <summary>Kills the daemon at a chosen place: falls once when that place is reached after it was raised.</summary>
internal sealed class Guillotine
{
    private Cut _raised;

    public bool Fallen { get; private set; }

    public bool Raised => _raised != Cut.Unknown;

    public Dictionary<Cut, int> Cuts { get; } = [];

    public void Raise(Cut cut) => _raised = cut;

    public bool Falls(Cut here)
    {
        if (_raised != here)
        {
            return false;
        }

        _raised = Cut.Unknown;
        Fallen = true;
        Cuts[here] = Cuts.GetValueOrDefault(here) + 1;
        return true;
    }

    public void FallIf(Cut here)
    {
        if (Falls(here))
        {
            throw new KilledException();
        }
    }

    public void Reset() => (_raised, Fallen) = (Cut.Unknown, false);
}

/// <summary>Ends a step in its middle, as kill -9 does; caught only by whoever lives the world.</summary>
internal sealed class KilledException : Exception;

/// <summary>Stands before the real effects: shows the invariants what was asked, and is where the guillotine falls.</summary>
internal sealed class WatchedEffects(IFailoverEffects inner, World world) : IFailoverEffects
{
    private Instant _lastRun;

    public void Run(FailoverEffect effect)
    {
        if (effect.IsQuestion)
        {
            // Asked again after a kill, whatever became of it: nothing is to be learnt there.
            inner.Run(effect);
            return;
        }

        world.Guillotine.FallIf(Cut.BeforeEffects);
        if (_lastRun == world.Now)
        {
            world.Guillotine.FallIf(Cut.BetweenEffects);
        }

        _lastRun = world.Now;
        inner.Run(effect);
        world.Guillotine.FallIf(Cut.BeforeResult);
    }

    public void AddAlert(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert)
    {
        world.Invariants.Alerts.Raising(alert);
        inner.AddAlert(transaction, alert);
        if (world.Guillotine.Falls(Cut.BeforeCommit))
        {
            world.Invariants.Alerts.RolledBack();
            world.Invariants.Orders.RolledBack();
            throw new KilledException();
        }
    }

    public void AddAlertInMemory(FailoverEffect.RaiseAlert alert)
    {
        world.Invariants.Alerts.RaisedInMemory(alert);
        inner.AddAlertInMemory(alert);
    }

    public void AlertsAdded()
    {
        // On disk from here on, whatever becomes of the process.
        world.Invariants.Alerts.Committed();
        world.Guillotine.FallIf(Cut.BeforeEffects);
        inner.AlertsAdded();
    }
}
