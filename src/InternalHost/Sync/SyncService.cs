using System.Net;
using System.Threading.Channels;
using Common.Time;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Sync;

/// <summary>Keeps the bastion's people up to date, beside the tunnel: applies what <see cref="SyncMachine"/> decides.</summary>
/// <param name="tell">By the number of the wish; must not block.</param>
internal sealed partial class SyncService(
    Func<IPAddress, CancellationToken, Task<SyncAnswer>> push,
    Func<CancellationToken, Task<bool>> differs,
    Action<int, SyncProblem> tell,
    TimeProvider time,
    ILogger<SyncService> log) : BackgroundService
{
    private readonly Channel<SyncEvent> _inbox = Channel.CreateUnbounded<SyncEvent>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Pushes and comparisons under way; the loop's alone.</summary>
    private readonly List<Task> _work = [];
    private volatile SyncState _state = new();
    private volatile Awaited? _awaited;

    public SyncState Snapshot => _state;

    /// <summary>Completes when a push of the wish that was opened last has been answered, whatever the answer.</summary>
    public Task Answered => _awaited?.Done.Task ?? Task.CompletedTask;

    public void Opened(int wish)
    {
        _awaited = new Awaited(wish, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Post(new SyncEvent.Opened(Now, wish));
    }

    public void Closed() => Post(new SyncEvent.Closed(Now));

    public void Connected(IPAddress address) => Post(new SyncEvent.Connected(Now, address));

    public void Disconnected() => Post(new SyncEvent.Disconnected(Now));

    public void Verified() => Post(new SyncEvent.Verified(Now));

    /// <summary>If the configuration now says something else than the bastion knows, that is pushed.</summary>
    public void Reloaded() => Post(new SyncEvent.Reloaded(Now));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var alarm = time.CreateTimer(_ => Post(new SyncEvent.Ticked(Now)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            await foreach (var ev in _inbox.Reader.ReadAllAsync(stoppingToken))
            {
                Take(ev, stoppingToken);
                SetAlarm(alarm);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops, and what is under way is cancelled with it.
        }
        finally
        {
            await Task.WhenAll(_work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Instant Now => Instant.Now(time);

    private void Post(SyncEvent ev) => _inbox.Writer.TryWrite(ev);

    private void Take(SyncEvent ev, CancellationToken ct)
    {
        var step = SyncMachine.Advance(_state, ev);
        _state = step.Next;
        if (ev is SyncEvent.Answered { Answer: var answer } && step.Next.Answered)
        {
            Log(answer);
        }

        foreach (var effect in step.Effects)
        {
            Perform(effect, ct);
        }

        if (step.Next.Answered && _awaited is { } awaited && awaited.Wish == step.Next.Wish)
        {
            awaited.Done.TrySetResult();
        }
    }

    private void Perform(SyncEffect effect, CancellationToken ct)
    {
        switch (effect)
        {
            case SyncEffect.Push e:
                Track(PushAsync(e, ct));
                break;
            case SyncEffect.Compare:
                Track(CompareAsync(ct));
                break;
            case SyncEffect.Tell e:
                tell(e.Wish, e.Problem);
                break;
            default:
                break;
        }
    }

    private async Task PushAsync(SyncEffect.Push effect, CancellationToken ct)
    {
        var answer = await push(effect.Address, ct);
        Post(new SyncEvent.Answered(Now, effect.Attempt, answer));
    }

    private async Task CompareAsync(CancellationToken ct)
    {
        if (await differs(ct))
        {
            Post(new SyncEvent.Changed(Now));
        }
    }

    /// <summary>An unexpected fault beside the loop ends the loop, and so the program, with its cause.</summary>
    private void Track(Task work)
    {
        _work.RemoveAll(done => done.IsCompleted);
        _work.Add(work);
        _ = work.ContinueWith(
            done => _inbox.Writer.TryComplete(done.Exception?.InnerException), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    private void SetAlarm(ITimer alarm)
    {
        var wake = SyncMachine.WakeAt(_state);
        var wait = wake - Now;
        alarm.Change(wake == Instant.Never ? Timeout.InfiniteTimeSpan : wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void Log(SyncAnswer answer)
    {
        if (answer.Accepted)
        {
            LogAccepted(log, answer.InForce ?? 0);
        }

        if (answer.Problem is { } problem)
        {
            LogProblem(log, problem.Failure, problem.Detail);
        }
    }

    private sealed record Awaited(int Wish, TaskCompletionSource Done);

    [LoggerMessage(1250, LogLevel.Information, "sync: the bastion has taken bundle {Number}")]
    private static partial void LogAccepted(ILogger log, long number);

    [LoggerMessage(1251, LogLevel.Warning, "sync: the bastion is not up to date: {Failure}: {Detail}")]
    private static partial void LogProblem(ILogger log, SyncFailure failure, string detail);
}
