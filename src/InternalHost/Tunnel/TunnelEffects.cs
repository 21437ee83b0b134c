using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Common.Time;
using InternalHost.Configuration;
using Microsoft.Extensions.Logging;

namespace InternalHost.Tunnel;

/// <summary>Performs what the machine asks for, each as a tracked task whose result comes back as an event with the run's number.</summary>
internal sealed partial class TunnelEffects(
    ITunnelTransport transport,
    IBannerDialler dialler,
    BastionOptions bastion,
    ImmutableArray<RemoteForward> services,
    string runtimeDirectory,
    TargetWatch targets,
    TunnelPolicy policy,
    TimeProvider time,
    ILogger logger,
    Action<TunnelNews> onNews,
    ChannelWriter<TunnelEvent> inbox) : IAsyncDisposable
{
    private const string LoopName = "loop";

    /// <summary>Work beside the loop, so that stopping waits for all of it.</summary>
    private readonly ConcurrentDictionary<Task, bool> _work = new();

    /// <summary>Never disposed: it holds nothing, and a late timer may still ask for its token.</summary>
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Written by the loop alone.</summary>
    private volatile TunnelRun? _run;
    private volatile IReadOnlyList<RemoteForward> _services = services;

    public TunnelRun? Current => _run;

    /// <summary>Set by whoever reloads; the keeper of the connection there is applies the difference.</summary>
    public IReadOnlyList<RemoteForward> Services
    {
        get => _services;
        set
        {
            _services = value;
            WantForwards();
        }
    }

    public void Perform(TunnelEffect effect)
    {
        switch (effect)
        {
            case TunnelEffect.Dial e:
                var run = new TunnelRun(e.Run);
                _run = run;
                Track(DialAsync(run, e.Addresses));
                break;
            case TunnelEffect.Connect e when Holds(e.Run) is { } held:
                Track(ConnectAsync(held));
                break;
            case TunnelEffect.AddForwards e when Holds(e.Run) is { Connection: { } connection } held:
                AddForwards(held, connection);
                break;
            case TunnelEffect.Probe e when Holds(e.Run) is { Connection: { } connection, Responder: { } responder } held:
                Track(ProbeAsync(held, connection, responder));
                break;
            case TunnelEffect.Close e when Holds(e.Run) is { } held:
                _run = null;
                Track(held.DisposeAsync().AsTask());
                break;
            case TunnelEffect.Tell e:
                onNews(e.News);
                break;
            default:
                // An effect for a run that has been closed since.
                break;
        }
    }

    public void Post(TunnelEvent ev)
    {
        if (!inbox.TryWrite(ev))
        {
            Track(inbox.WriteAsync(ev, _stop.Token).AsTask());
        }
    }

    public void Track(Task task)
    {
        if (_work.TryAdd(task, true))
        {
            _ = task.ContinueWith(Finish, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_run is { } run)
        {
            await run.DisposeAsync();
        }

        await Task.WhenAll(_work.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>An unexpected fault beside the loop ends the loop, and so the program, with its cause.</summary>
    private void Finish(Task done)
    {
        _work.TryRemove(done, out _);
        if (done.Exception is { InnerException: not ChannelClosedException } fault)
        {
            inbox.TryComplete(fault.InnerException);
        }
    }

    private TunnelRun? Holds(int number) => _run is { } run && run.Number == number ? run : null;

    private async Task DialAsync(TunnelRun run, ImmutableArray<IPAddress> addresses)
    {
        var result = await Guarded(run, () => dialler.DialAsync(addresses, policy.DialFor, run.Stopping));
        switch (result)
        {
            case DialResult.Won won when run.Keep(won):
                LogBanner(run.Number, won.Remote, won.Banner);
                Post(new TunnelEvent.DialWon(Now, run.Number));
                break;
            case DialResult.Lost lost:
                PostFailed(run, lost.Failure);
                break;
            default:
                break;
        }
    }

    private async Task ConnectAsync(TunnelRun run)
    {
        if (run.TakeSocket() is not { } socket)
        {
            return;
        }

        var connection = await Guarded(run, () => transport.ConnectAsync(socket, run.Number, run.Stopping));
        if (connection is not null && await run.KeepAsync(connection))
        {
            Post(new TunnelEvent.Connected(Now, run.Number));
            PostFailed(run, await connection.Ended);
        }
    }

    private void AddForwards(TunnelRun run, ITunnelConnection connection)
    {
        try
        {
            var path = Path.Combine(TunnelFolder.Prepare(runtimeDirectory), $"{Environment.ProcessId:x}-{run.Number}.l");
            var responder = new LoopResponder(path, time);
            var keeper = new ForwardKeeper(connection, time, (forward, refused) => OnAnswer(run, forward, refused));
            run.Keep(keeper, responder);
            WantForwards();
            Track(keeper.RunAsync(run.Stopping));
            Track(targets.LookAsync(_services, run.Stopping));
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
        {
            PostFailed(run, new(TunnelReason.NoSshClient, $"no socket below {runtimeDirectory}: {SshStderr.Sanitise(e.Message)}"));
        }
    }

    /// <summary>The loop port comes last: once it is verified, the others have had their first answer.</summary>
    private void WantForwards()
    {
        if (_run is { Keeper: { } keeper, Responder: { } responder })
        {
            keeper.Want([.. _services, new RemoteForward(LoopName, bastion.LoopProbePort, responder.Path)]);
        }
    }

    private void OnAnswer(TunnelRun run, RemoteForward forward, TunnelReason? refused)
    {
        if (refused is { } reason)
        {
            LogForwardRefused(forward.Name, forward.BastionPort, reason);
        }

        if (forward.BastionPort == bastion.LoopProbePort)
        {
            Post(new TunnelEvent.LoopForwarded(Now, run.Number, refused, Random.Shared.NextDouble()));
        }
    }

    private async Task ProbeAsync(TunnelRun run, ITunnelConnection connection, LoopResponder responder)
    {
        var received = connection.BytesReceived;
        var outcome = await Guarded(run, () => new LoopProbe(connection, responder, bastion.LoopProbePort, time).RunAsync(
            () =>
            {
                var before = received;
                received = connection.BytesReceived;
                Post(new TunnelEvent.ProbeDelayed(Now, run.Number, received > before));
            },
            run.Stopping));
        switch (outcome)
        {
            case LoopOutcome.Answered:
                Post(new TunnelEvent.ProbeAnswered(Now, run.Number));
                break;
            case LoopOutcome.Missed:
                Post(new TunnelEvent.ProbeMissed(Now, run.Number, connection.BytesReceived + connection.BytesSent, Random.Shared.NextDouble()));
                break;
            case LoopOutcome.Foreign:
                Post(new TunnelEvent.ProbeForeign(Now, run.Number, Random.Shared.NextDouble()));
                break;
            default:
                break;
        }
    }

    /// <summary>Expected failures become events; cancellation of the run is silence; anything else escapes and stops the host.</summary>
    private async Task<T?> Guarded<T>(TunnelRun run, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException) when (run.Stopping.IsCancellationRequested)
        {
            return default;
        }
        catch (TunnelException e)
        {
            PostFailed(run, e.Failure);
            return default;
        }
    }

    private void PostFailed(TunnelRun run, TunnelFailure failure) =>
        Post(new TunnelEvent.Failed(Now, run.Number, failure, Random.Shared.NextDouble()));

    private Instant Now => Instant.Now(time);

    [LoggerMessage(1202, LogLevel.Information, "tunnel: run {Run} reached {Remote}: {Banner}")]
    private partial void LogBanner(int run, IPEndPoint remote, string banner);

    [LoggerMessage(1203, LogLevel.Warning, "tunnel: the bastion does not listen for {Name} on port {Port}: {Reason}")]
    private partial void LogForwardRefused(string name, int port, TunnelReason reason);
}
