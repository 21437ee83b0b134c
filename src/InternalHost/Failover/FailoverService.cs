using Common.Time;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Failover;

/// <summary>Owns the controller's state: one reader, one event at a time, journalled before its effects run.</summary>
internal sealed partial class FailoverService(
    FailoverInbox inbox,
    FailoverJournal journal,
    IFailoverEffects effects,
    Func<FailoverPolicy> policy,
    TimeProvider time,
    ILogger<FailoverService> log) : BackgroundService
{
    private volatile FailoverState _state = FailoverState.Initial;
    private Instant _journalAgain;

    /// <summary>What everybody else reads.</summary>
    public FailoverState Snapshot => _state;

    /// <summary>Called in the loop after each step that changed what is journalled; must not block.</summary>
    public Action<FailoverState> Changed { get; init; } = _ => { };

    /// <summary>When the loop last turned: the watchdog asks.</summary>
    public Instant LastTurn { get; private set; } = Instant.Now(time);

    /// <summary>The rules; replaced only by tests that plant a mistake in them.</summary>
    internal Func<FailoverState, FailoverEvent, FailoverPolicy, FailoverStep> Advance { get; init; } = FailoverMachine.Advance;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Recover();
        return base.StartAsync(cancellationToken);
    }

    /// <summary>Takes up what an earlier run of the program has journalled.</summary>
    internal void Recover()
    {
        try
        {
            if (journal.Load() is { } journalled)
            {
                _state = journalled;
                Changed(journalled);
                Recovered(log, journalled.Phase.Name, journalled.Outages);
                inbox.TryPost(at => new FailoverEvent.Restarted(at));
            }
        }
        catch (Exception e) when (e is InvalidDataException or Microsoft.Data.Sqlite.SqliteException)
        {
            // The provider's tag is the truth: what runs is found in Standby and joined.
            JournalUnreadable(log, e.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A tick also when nothing is due: it proves that the loop turns.
        using var timer = time.CreateTimer(_ => inbox.TryPost(at => new FailoverEvent.Tick(at)), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        await foreach (var told in inbox.ReadAllAsync(stoppingToken))
        {
            timer.Change(Turn(told), Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>One event, to its end. How long to wait for the next before a tick is due.</summary>
    internal TimeSpan Turn(Told told)
    {
        var now = Instant.Now(time);
        LastTurn = now;
        Take(told.Event);
        told.Taken?.TrySetResult(journal.Problem);
        var wait = FailoverMachine.NextWake(_state, now, policy()) - now;
        return wait < MaxWait ? wait : MaxWait;
    }

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan JournalRetry = TimeSpan.FromSeconds(10);

    private void Take(FailoverEvent ev)
    {
        var before = _state;
        var step = Advance(before, ev, policy());
        if (step.Next.DiffersDurably(before) || step.Effects.Any(e => !e.IsQuestion) || IsBehind(ev.At))
        {
            Journal(ev, step);
            if (before.Phase.Name != step.Next.Phase.Name)
            {
                Moved(log, before.Phase.Name, step.Next.Phase.Name, ev.GetType().Name);
            }
        }

        _state = step.Next;
        if (step.Next.DiffersDurably(before))
        {
            Changed(step.Next);
        }

        foreach (var effect in step.Effects)
        {
            if (effect is not FailoverEffect.RaiseAlert)
            {
                effects.Run(effect);
            }
        }
    }

    /// <summary>The disk did not take the last transition: it is tried again, or a kill hours later would still find the state before it.</summary>
    private bool IsBehind(Instant at) => journal.Problem is not null && at >= _journalAgain;

    private void Journal(FailoverEvent ev, FailoverStep step)
    {
        _journalAgain = ev.At + JournalRetry;
        var alerts = step.Effects.OfType<FailoverEffect.RaiseAlert>().ToList();
        var written = journal.Append(ev, step, transaction => alerts.ForEach(a => effects.AddAlert(transaction, a)));
        if (!written)
        {
            JournalUnwritable(log, journal.Problem ?? "");
            alerts.ForEach(a => effects.AddAlertInMemory(a));
        }

        if (alerts.Count > 0)
        {
            effects.AlertsAdded();
        }
    }

    [LoggerMessage(1001, LogLevel.Information, "taken up from the journal in {Phase}, {Outages} outages so far")]
    private static partial void Recovered(ILogger log, string phase, int outages);

    [LoggerMessage(1002, LogLevel.Error, "the journal cannot be read ({Reason}): starting afresh, the provider is asked what runs")]
    private static partial void JournalUnreadable(ILogger log, string reason);

    [LoggerMessage(1003, LogLevel.Error, "{Problem}")]
    private static partial void JournalUnwritable(ILogger log, string problem);

    [LoggerMessage(1004, LogLevel.Information, "{From} -> {To} ({Event})")]
    private static partial void Moved(ILogger log, string from, string to, string @event);
}
