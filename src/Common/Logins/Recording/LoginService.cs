using System.Threading.Channels;
using Common.Logins.Policy;
using Common.Alerts;
using Common.Time;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Common.Logins.Recording;

/// <summary>The loop that lets <see cref="LoginIntake"/> read the sources of logins.</summary>
/// <param name="delivery">Given some time at the end to deliver what was seen last; null: it has its own.</param>
internal sealed partial class LoginService(LoginIntake intake, OutboxService? delivery, TimeProvider time, ILogger<LoginService> logger) : BackgroundService
{
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan FlushFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    /// <summary>Questions waiting for a pass over the log that began after they were asked.</summary>
    private readonly Channel<TaskCompletionSource> _questions = Channel.CreateUnbounded<TaskCompletionSource>();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private long _lookedAt = Instant.Now(time).Ticks;
    private volatile string? _trouble = "not started yet";

    /// <summary>What was logged last; the loop's own.</summary>
    private string? _told = "not started yet";

    /// <summary>A login is told within 250 ms, this included, where no source calls by itself.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>There may be something to do. Safe on any thread.</summary>
    public void Wake() => _wake.Writer.TryWrite(true);

    /// <summary>Why logins cannot be seen now; null: they can.</summary>
    public string? Trouble => _trouble ?? intake.Trouble;

    /// <summary>The loop has come round within the time that its slowest pass takes.</summary>
    public bool Lives => Instant.Now(time) - new Instant(Interlocked.Read(ref _lookedAt)) < StuckAfter;

    /// <summary>Returns when everything that was in the log at the time of the call has been kept.</summary>
    public async Task CatchUpAsync(CancellationToken ct)
    {
        var question = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _questions.Writer.WriteAsync(question, ct);
        _wake.Writer.TryWrite(true);
        await question.Task.WaitAsync(ct);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);

        // What was logged until now is told before the machine goes, if the gateway lets us.
        Pass(CancellationToken.None);
        await intake.DisposeAsync();
        try
        {
            await (delivery?.FlushAsync(FlushFor, cancellationToken) ?? Task.CompletedTask);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // No time left: what is in the outbox is delivered by the next run.
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        intake.Start(Wake);
        while (!stoppingToken.IsCancellationRequested)
        {
            Interlocked.Exchange(ref _lookedAt, Instant.Now(time).Ticks);
            var asked = Asked();
            if (Pass(stoppingToken))
            {
                asked.ForEach(q => q.TrySetResult());
                await WaitAsync(LookEvery, stoppingToken);
            }
            else
            {
                asked.ForEach(q => _questions.Writer.TryWrite(q));
                await WaitAsync(AfterFailure, stoppingToken);
            }
        }
    }

    /// <summary>Reads to the end. False: the state file cannot be written; nothing was passed, and it is tried again.</summary>
    private bool Pass(CancellationToken ct)
    {
        try
        {
            intake.Pass(ct);
            Tell(null);
            return true;
        }
        catch (SqliteException e)
        {
            Tell($"the state file fails (SQLite error {e.SqliteErrorCode})");
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Tell("the log cannot be read");
            return false;
        }
    }

    private void Tell(string? trouble)
    {
        if (trouble != _trouble)
        {
            _trouble = trouble;
        }

        if (Trouble is var now && now != _told)
        {
            _told = now;
            if (now is null)
            {
                Sees(logger);
            }
            else
            {
                Blind(logger, now);
            }
        }
    }

    private List<TaskCompletionSource> Asked()
    {
        var asked = new List<TaskCompletionSource>();
        while (_questions.Reader.TryRead(out var question))
        {
            asked.Add(question);
        }

        return asked;
    }

    private async Task WaitAsync(TimeSpan longest, CancellationToken ct)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var delay = Task.Delay(longest, time, done.Token);
        var woken = _wake.Reader.WaitToReadAsync(done.Token).AsTask();
        await Task.WhenAny(delay, woken);
        await done.CancelAsync();
        _wake.Reader.TryRead(out _);
    }

    [LoggerMessage(103, LogLevel.Information, "logins are seen")]
    private static partial void Sees(ILogger logger);

    [LoggerMessage(102, LogLevel.Warning, "logins cannot be seen: {Trouble}")]
    private static partial void Blind(ILogger logger, string trouble);
}
