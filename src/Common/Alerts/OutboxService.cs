using System.Collections.Concurrent;
using System.Collections.Immutable;
using Common.Time;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Common.Alerts;

/// <summary>
/// Delivers what is in the <see cref="Outbox"/>: one loop owns the open deliveries, asks <see cref="DeliveryMachine"/> what to do,
/// writes it down, and lets a channel do it. A kill at any point leaves on disk what may have been sent; it is looked for at the next start.
/// </summary>
public sealed partial class OutboxService : BackgroundService
{
    private const int KeptDeadLetters = 100;
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan DiskRetry = TimeSpan.FromSeconds(10);

    private readonly Outbox _outbox;
    private readonly ChannelCalls _calls;
    private readonly TimeProvider _time;
    private readonly ILogger<OutboxService> _logger;
    private readonly DeliveryPolicy _policy;
    private readonly Func<double> _jitter;
    private readonly OutboxBook _book;
    private readonly ConcurrentQueue<(DeliveryKey Key, DeliveryEvent Event)> _answers = new();
    private readonly CancellationTokenSource _giveUp = new();
    private readonly List<Task> _asking = [];
    private readonly Lock _flushGate = new();
    private readonly List<TaskCompletionSource> _flushes = [];   // guarded by _flushGate
    private volatile Counts _counts = new(0, 0, 0, null, null, []);
    private Instant _turnedAt;
    private Instant _diskRetryAt = Instant.Never;
    private Instant _forgetAt = new(long.MinValue);
    private string? _lastError;
    private bool _restored;

    /// <param name="jitter">Uniform in [0, 1); the machine's chance unless given.</param>
    public OutboxService(
        Outbox outbox,
        IEnumerable<IMessageChannel> channels,
        TimeProvider time,
        ILogger<OutboxService> logger,
        DeliveryPolicy? policy = null,
        Func<double>? jitter = null)
    {
        _outbox = outbox;
        _time = time;
        _logger = logger;
        _policy = policy ?? DeliveryPolicy.Default;
        _jitter = jitter ?? Random.Shared.NextDouble;
        _book = new OutboxBook(_policy);
        _calls = new ChannelCalls(channels, time, _policy, _jitter, logger);
    }

    /// <summary>The rules; replaced only by tests that plant a mistake in them.</summary>
    internal Func<Delivery, DeliveryEvent, DeliveryPolicy, DeliveryStep> Rules { get; init; } = DeliveryMachine.Advance;

    /// <summary>Alerts that stay on record, beside those under way.</summary>
    internal int Kept { get; init; } = 5_000;

    public OutboxSnapshot Snapshot
    {
        get
        {
            var counts = _counts;
            var unseen = _outbox.HasNews ? 1 : 0;
            return new(counts.Awaited + unseen, counts.Unconfirmed, counts.Dead, Age(counts.Oldest), counts.LastError, _outbox.Problem, counts.DeadLetters)
            {
                Refused = _refused.All,
                Channels = [.. _calls.Names.Order(StringComparer.Ordinal)],
            };
        }
    }

    /// <summary>Waits until nothing is pending, as a drain does before the machine goes. Answers how many alerts still are.</summary>
    public async Task<int> FlushAsync(TimeSpan timeout, CancellationToken ct)
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_flushGate)
        {
            _flushes.Add(flushed);
        }

        EndQuiet();
        try
        {
            await flushed.Task.WaitAsync(timeout, _time, ct);
        }
        catch (TimeoutException)
        {
            lock (_flushGate)
            {
                _flushes.Remove(flushed);
            }
        }

        return Snapshot.Pending;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                ForgetOld();
                Turn();
                await WaitAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await FinishAsync();
        }
    }

    /// <summary>An agent runs for years, and what is critical is told each time.</summary>
    private void ForgetOld()
    {
        if (Instant.Now(_time) >= _forgetAt)
        {
            _forgetAt = Instant.Now(_time) + ForgetEvery;
            _outbox.Prune(Kept);
        }
    }

    /// <summary>One round: take the answers, take what is new, ask what may be asked.</summary>
    internal void Turn()
    {
        var passing = TakeAnswers();
        TakeNews();
        if (passing)
        {
            FoldBacklog();
        }

        WakeResting();
        _turnedAt = Instant.Now(_time);

        // One that steps aside may let the one behind it go.
        while (Tick(_turnedAt))
        {
        }

        _book.ForgetSettled();
        Publish();
    }

    /// <summary>Requests under way, for tests that step the service by hand.</summary>
    internal Task Asked => Task.WhenAll(_asking);

    internal bool HasAnswers => !_answers.IsEmpty;

    /// <summary>Something waits for a turn.</summary>
    internal bool IsWoken => _outbox.Signals.TryPeek(out _);

    /// <summary>Deliveries that are not settled.</summary>
    internal int OpenCount => _book.Open().Count;

    internal Instant NextWake() => Instant.Min(_book.NextWake(_turnedAt), _diskRetryAt);

    private bool Tick(Instant now)
    {
        var moved = false;
        foreach (var held in _book.NextTurns(now))
        {
            moved |= Advance(held.Key, new DeliveryEvent.TurnCame(now, _jitter()));
        }

        foreach (var (_, delivery) in _book.Open().Where(o => o.Delivery.Phase == DeliveryPhase.Pending))
        {
            moved |= Bar(delivery, now);
        }

        var may = _book.MayAsk(now);
        foreach (var (_, delivery) in _book.Open())
        {
            moved |= Advance(delivery.Key, new DeliveryEvent.Tick(now, _jitter(), may.Contains(delivery.Key), _book.Told(delivery)));
        }

        return moved;
    }

    /// <summary>True: a message has been taken, so others will be.</summary>
    private bool TakeAnswers()
    {
        while (_outbox.Signals.TryRead(out _))
        {
        }

        TakeReopened();
        _asking.RemoveAll(t => t.IsCompleted);
        var passing = false;
        while (_answers.TryDequeue(out var answer))
        {
            Hear(answer.Key, answer.Event);
            Advance(answer.Key, answer.Event);
            passing |= answer.Event is DeliveryEvent.SendAnswered { Outcome: SendOutcome.Accepted or SendOutcome.Handed };
        }

        return passing;
    }

    private void TakeNews()
    {
        var now = Instant.Now(_time);
        if (now >= _diskRetryAt)
        {
            _outbox.WriteBack();
        }
        else if (!_outbox.HasNews)
        {
            return;
        }

        var news = _outbox.TakeNews();
        if (!_restored)
        {
            _restored = true;
            _counts = _counts with { Dead = _outbox.DeadCount(), DeadLetters = [.. _outbox.RecentDeadLetters(KeptDeadLetters)] };
        }

        foreach (var open in news.Where(open => !_book.Knows(open.Alert.Id)))
        {
            var at = now + Hold(open.Alert);
            _book.Add(open.Alert, open.Deliveries.Select(d => Taken(d, d.Phase <= DeliveryPhase.Pending ? at : now)), now);
            foreach (var delivery in open.Deliveries)
            {
                Begin(delivery.Key, now, restored: open.Sequence > 0 && open.Sequence <= _outbox.LastBefore && (at == now || delivery.Phase > DeliveryPhase.Pending));
            }
        }
    }

    private Delivery Taken(Delivery delivery, Instant at) =>
        delivery with { Due = at, Since = at, AcceptedAt = at, RestsUntil = at, Repetition = _calls.RepetitionOf(delivery.Key.Channel) };

    private void Begin(DeliveryKey key, Instant now, bool restored)
    {
        if (restored)
        {
            Advance(key, new DeliveryEvent.Restored(now, _jitter()));
        }

        if (!_calls.Has(key.Channel))
        {
            Advance(key, new DeliveryEvent.ChannelMissing(now, _jitter()));
        }
    }

    /// <summary>True: its phase changed.</summary>
    private bool Advance(DeliveryKey key, DeliveryEvent ev)
    {
        if (_book.Find(key) is not { } found)
        {
            return false;
        }

        var step = Rules(found.Delivery, ev, _policy);
        _book.Replace(step.Next);
        if (!step.Next.SameOnDisk(found.Delivery))
        {
            // Before the request leaves: a kill in between must find "may have been sent", never "certainly not".
            _outbox.Save(step.Next);
            Tell(found.Alert, found.Delivery, step.Next);
        }

        if (step.Action != DeliveryAction.None)
        {
            _refused = step.Action == DeliveryAction.Send ? _refused.Try(key, ev.At) : _refused;
            _asking.Add(AskAsync(found.Alert, step.Next, step.Action));
        }

        return step.Next.Phase != found.Delivery.Phase;
    }

    private async Task AskAsync(Alert alert, Delivery delivery, DeliveryAction action)
    {
        var answer = await _calls.AskAsync(alert, delivery, action, _giveUp.Token);
        if (!_giveUp.IsCancellationRequested)
        {
            _answers.Enqueue((delivery.Key, answer));
            _outbox.Signal();
        }
    }

    /// <remarks>The signal is taken in <see cref="TakeAnswers"/>, not by the wait: an abandoned wait must not take one with it.</remarks>
    private async Task WaitAsync(CancellationToken stoppingToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var wake = NextWake();
        var sleep = wake == Instant.Never ? Timeout.InfiniteTimeSpan : Limit(wake - Instant.Now(_time));
        var signalled = _outbox.Signals.WaitToReadAsync(either.Token).AsTask();
        await Task.WhenAny(signalled, Task.Delay(sleep, _time, either.Token));
        await either.CancelAsync();
        stoppingToken.ThrowIfCancellationRequested();
    }

    /// <summary>A timer counts whole milliseconds and cuts the rest: one more, or the last of them would be spent in a busy loop.</summary>
    private static TimeSpan Limit(TimeSpan span) =>
        span < TimeSpan.Zero ? TimeSpan.Zero : span > TimeSpan.FromDays(1) ? TimeSpan.FromDays(1) : span + TimeSpan.FromMilliseconds(1);

    /// <summary>Lets what is under way finish and writes its outcome; what does not is found as "may have been sent" at the next start.</summary>
    private async Task FinishAsync()
    {
        try
        {
            await Task.WhenAll(_asking).WaitAsync(_policy.StopGrace, _time);
        }
        catch (TimeoutException)
        {
            await _giveUp.CancelAsync();
            await Task.WhenAll(_asking);
        }

        TakeAnswers();
        if (_outbox.Problem is not null)
        {
            _outbox.WriteBack();
        }

        Publish();
    }

    private void Tell(Alert alert, Delivery before, Delivery now)
    {
        _lastError = now.Phase == DeliveryPhase.Confirmed ? null : now.Reason ?? _lastError;
        if (now.Phase == DeliveryPhase.Dead)
        {
            var letter = new DeadLetter(alert.Id, alert.Kind, alert.Text, now.Key.Channel, now.Code, now.Reason ?? "", alert.RaisedAt);
            _counts = _counts with { Dead = _counts.Dead + 1, DeadLetters = [letter, .. _counts.DeadLetters.Take(KeptDeadLetters - 1)] };
            LogDead(alert.Id, now.Key.Channel, now.Code, now.Reason);
        }
        else if (before.Phase != now.Phase)
        {
            LogMoved(alert.Id, now.Key.Channel, now.Phase, now.Reason);
        }
    }

    private void Publish()
    {
        var problem = _outbox.Problem;
        if ((problem is null) == (_diskRetryAt != Instant.Never))
        {
            LogDisk(problem ?? "the state file is written again");
        }

        var now = Instant.Now(_time);
        _diskRetryAt = problem is null ? Instant.Never : _diskRetryAt == Instant.Never || now >= _diskRetryAt ? now + DiskRetry : _diskRetryAt;
        _counts = _counts with { Awaited = _book.Awaited(now), Unconfirmed = _book.Unconfirmed(now), Oldest = _book.OldestAwaited(now), LastError = _lastError };
        if (_counts.Awaited == 0 && !_outbox.HasNews)
        {
            CompleteFlushes();
        }
    }

    private void CompleteFlushes()
    {
        lock (_flushGate)
        {
            _flushes.ForEach(f => f.TrySetResult());
            _flushes.Clear();
        }
    }

    /// <summary>The wall clock adds what passed before this run of the program, where it is believable; it decides nothing.</summary>
    private TimeSpan? Age((Alert Alert, Instant Since)? oldest)
    {
        if (oldest is not { } o)
        {
            return null;
        }

        var here = Instant.Now(_time) - o.Since;
        var byWall = _time.GetUtcNow() - o.Alert.RaisedAt;
        return byWall > here && byWall < TimeSpan.FromDays(30) ? byWall : here;
    }

    private sealed record Counts(
        int Awaited, int Unconfirmed, int Dead, (Alert Alert, Instant Since)? Oldest, string? LastError, ImmutableArray<DeadLetter> DeadLetters);

    [LoggerMessage(3001, LogLevel.Information, "alert {AlertId} by {Channel}: {Phase} {Reason}")]
    private partial void LogMoved(string alertId, string channel, DeliveryPhase phase, string? reason);

    [LoggerMessage(3002, LogLevel.Error, "alert {AlertId} by {Channel} will not arrive: {Code} {Reason}")]
    private partial void LogDead(string alertId, string channel, string? code, string? reason);

    [LoggerMessage(3003, LogLevel.Warning, "outbox: {State}")]
    private partial void LogDisk(string state);
}
