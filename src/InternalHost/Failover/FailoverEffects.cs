using Common.Agent;
using Common.Time;
using InternalHost.Cloud;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace InternalHost.Failover;

/// <summary>
/// Performs the controller's effects. Slow work is a tracked task of its own; whatever becomes of it, exactly one answer is posted.
/// </summary>
internal sealed partial class FailoverEffects(
    FailoverInbox inbox, ICloud cloud, IWayIn wayIn, IOutageAlerts alerts, TimeProvider time, ILogger<FailoverEffects> log) : IFailoverEffects, IAsyncDisposable
{
    /// <summary>Below the machine's own patience, so that it hears of the silence from us.</summary>
    private static readonly TimeSpan CloudTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan AgentTimeout = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stopping = new();
    private readonly HashSet<Task> _running = [];

    /// <summary>One question to the agent at a time, in the order asked: an undrain must not overtake its drain. Guarded by _running.</summary>
    private Task _lastAsked = Task.CompletedTask;

    public void Run(FailoverEffect effect)
    {
        switch (effect)
        {
            case FailoverEffect.DescribeInstance e: Track(DescribeAsync(e.Run)); break;
            case FailoverEffect.StartInstance e: Track(StartAsync(e.Run)); break;
            case FailoverEffect.StopInstance e: Track(StopAsync(e.Run)); break;
            case FailoverEffect.OpenTunnel e: wayIn.Open(e.Run, e.Addresses); break;
            case FailoverEffect.CloseTunnel: wayIn.Close(); break;
            case FailoverEffect.AskSessions: Track(AskSessionsAsync()); break;
            case FailoverEffect.Drain e: Track(DrainAsync(e.Run)); break;
            case FailoverEffect.Undrain: Track(UndrainAsync()); break;
        }
    }

    public void AddAlert(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert) => alerts.Add(transaction, alert);

    public void AddAlertInMemory(FailoverEffect.RaiseAlert alert) => alerts.AddInMemory(alert);

    public void AlertsAdded() => alerts.Wake();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Task[] left;
        lock (_running)
        {
            left = [.. _running];
        }

        await Task.WhenAll(left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private void Track(Task task)
    {
        lock (_running)
        {
            _running.RemoveWhere(t => t.IsCompleted);
            _running.Add(task);
        }
    }

    private Task DescribeAsync(int run) => AnswerAsync(
        async ct =>
        {
            var sight = await cloud.DescribeAsync(ct);
            return at => new FailoverEvent.InstanceSeen(at, run, sight);
        },
        (failure, detail) => at => new FailoverEvent.DescribeFailed(at, run, failure, detail));

    private Task StartAsync(int run) => AnswerAsync(
        async ct =>
        {
            await cloud.StartAsync(ct);
            return at => new FailoverEvent.StartAccepted(at, run);
        },
        (failure, detail) => at => new FailoverEvent.StartFailed(at, run, failure, detail));

    private Task StopAsync(int run) => AnswerAsync(
        async ct =>
        {
            await cloud.StopAsync(ct);
            return at => new FailoverEvent.StopAccepted(at, run);
        },
        (failure, detail) => at => new FailoverEvent.StopFailed(at, run, failure, detail));

    private async Task AnswerAsync(
        Func<CancellationToken, Task<Func<Instant, FailoverEvent>>> call, Func<CloudFailure, string, Func<Instant, FailoverEvent>> failed)
    {
        using var limit = new CancellationTokenSource(CloudTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping.Token);
        Func<Instant, FailoverEvent> answer;
        try
        {
            answer = await call(both.Token);
        }
        catch (CloudException e)
        {
            CloudFailed(log, e.Failure, e.Message);
            answer = failed(e.Failure, e.Message);
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            // The call may have been carried out: as good as a lost reply.
            answer = failed(CloudFailure.LostReply, $"no answer in {CloudTimeout.TotalSeconds:F0} s");
        }
        catch (OperationCanceledException)
        {
            return;
        }

        await PostAsync(answer);
    }

    private async Task AskSessionsAsync()
    {
        var reply = await AskAsync("sessions");
        await PostAsync(at => new FailoverEvent.SessionsSeen(at, reply is { Ok: true } ? reply.Sessions : null, reply?.Logins ?? 0));
    }

    private async Task DrainAsync(int run)
    {
        var reply = await AskAsync("drain");
        var drained = reply is { Ok: true, Drained: true, Sessions: 0, Outbox: 0, AptIdle: true };
        var detail = reply is null ? "no answer" : $"sessions {reply.Sessions}, outbox {reply.Outbox}, apt {(reply.AptIdle ? "idle" : "busy")}";
        await PostAsync(at => new FailoverEvent.DrainAnswered(at, run, drained, detail));
    }

    /// <summary>Without an answer the drain lifts itself after ten minutes; three tries make that rare.</summary>
    private async Task UndrainAsync()
    {
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if (await AskAsync("undrain") is { Ok: true })
            {
                return;
            }

            await Task.Delay(TimeSpan.FromSeconds(2), time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        UndrainUnanswered(log);
    }

    private async Task<AgentReply?> AskAsync(string op)
    {
        var done = new TaskCompletionSource();
        Task before;
        lock (_running)
        {
            (before, _lastAsked) = (_lastAsked, done.Task);
        }

        try
        {
            await before;
            using var limit = new CancellationTokenSource(AgentTimeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping.Token);
            return await wayIn.AskAsync(op, both.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        finally
        {
            done.SetResult();
        }
    }

    private async Task PostAsync(Func<Instant, FailoverEvent> answer)
    {
        if (!_stopping.IsCancellationRequested)
        {
            await inbox.PostAsync(answer);
        }
    }

    [LoggerMessage(1101, LogLevel.Warning, "the provider: {Failure}: {Reason}")]
    private static partial void CloudFailed(ILogger log, CloudFailure failure, string reason);

    [LoggerMessage(1102, LogLevel.Warning, "the agent does not answer undrain; it lifts the drain itself after ten minutes")]
    private static partial void UndrainUnanswered(ILogger log);
}
