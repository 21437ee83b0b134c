using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Common.Time;
using InternalHost.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Tunnel;

/// <summary>
/// Holds the tunnel for as long as it is wanted. One loop owns the state; everybody else posts events or reads
/// <see cref="Snapshot"/>. Slow work runs beside the loop and comes back as an event.
/// </summary>
internal sealed partial class TunnelService : BackgroundService
{
    /// <summary>Far more than one loop can lag behind; a full inbox is written to by tasks that wait.</summary>
    private const int InboxSize = 256;

    private readonly TimeProvider _time;
    private readonly ILogger<TunnelService> _logger;
    private readonly TunnelPolicy _policy;
    private readonly TunnelEffects _effects;
    private readonly TargetWatch _targets;
    private readonly Channel<TunnelEvent> _inbox = Channel.CreateBounded<TunnelEvent>(new BoundedChannelOptions(InboxSize) { SingleReader = true });

    /// <summary>Written by the loop alone.</summary>
    private volatile TunnelState _state = TunnelMachine.Start;

    /// <param name="runtimeDirectory">Sockets are made in a folder below it.</param>
    /// <param name="onNews">Called from the loop; must not block.</param>
    public TunnelService(
        ITunnelTransport transport,
        IBannerDialler dialler,
        BastionOptions bastion,
        ImmutableArray<RemoteForward> services,
        string runtimeDirectory,
        TimeProvider time,
        ILogger<TunnelService> logger,
        Action<TunnelNews> onNews,
        TunnelPolicy? policy = null)
    {
        (_time, _logger, _policy) = (time, logger, policy ?? TunnelPolicy.Default);
        _targets = new TargetWatch(time);
        _effects = new TunnelEffects(transport, dialler, bastion, services, runtimeDirectory, _targets, _policy, time, logger, onNews, _inbox.Writer);
    }

    public TunnelSnapshot Snapshot => TunnelReport.Of(_state, _effects.Current, _effects.Services, _targets);

    /// <summary>Hold a tunnel to one of these addresses. Said again with others, it moves; said again at all, it proves itself again.</summary>
    /// <param name="wish">Comes back with every news of this wish.</param>
    public void Want(ImmutableArray<IPAddress> addresses, int wish = 0) => _effects.Post(new TunnelEvent.Wanted(Now, wish, addresses));

    public void Unwant() => _effects.Post(new TunnelEvent.Unwanted(Now));

    /// <summary>Something changed for the better, perhaps: try, or prove, now.</summary>
    public void Nudge() => _effects.Post(new TunnelEvent.Nudged(Now));

    /// <summary>The forwards from now on. What stays the same keeps its connections.</summary>
    public void Reload(ImmutableArray<RemoteForward> forwards) => _effects.Services = forwards;

    /// <summary>A channel to the bastion's own 127.0.0.1:<paramref name="port"/> over the connection there is.</summary>
    /// <exception cref="IOException">There is none, or it is not opened.</exception>
    public Task<Stream> OpenDirectAsync(int port, CancellationToken ct) => _effects.Current?.Connection is { } connection
        ? connection.OpenDirectAsync(port, ct)
        : Task.FromException<Stream>(new IOException("there is no tunnel now"));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        await using var alarm = _time.CreateTimer(_ => _effects.Post(new TunnelEvent.Ticked(Now)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _effects.Track(WatchTargetsAsync(stop.Token));
        try
        {
            await foreach (var ev in _inbox.Reader.ReadAllAsync(stoppingToken))
            {
                Take(ev);
                SetAlarm(alarm);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops: what the run holds is given up below.
        }
        finally
        {
            await stop.CancelAsync();
            await _effects.DisposeAsync();
        }
    }

    private Instant Now => Instant.Now(_time);

    private void Take(TunnelEvent ev)
    {
        var before = _state;
        var step = TunnelMachine.Advance(before, ev, _policy);
        _state = step.Next;
        if (before.GetType() != step.Next.GetType())
        {
            LogState(step.Next.GetType().Name, step.Next.Run);
        }

        if (step.Next is TunnelState.BackingOff { Memory.Last: { } failure } off && before is not TunnelState.BackingOff)
        {
            LogFailed(off.Run, failure.Reason, failure.Detail, (off.Until - off.Since).TotalSeconds);
        }

        foreach (var effect in step.Effects)
        {
            _effects.Perform(effect);
        }
    }

    private void SetAlarm(ITimer alarm)
    {
        var wake = TunnelMachine.WakeAt(_state, _policy);
        var wait = wake - Now;
        alarm.Change(wake == Instant.Never ? Timeout.InfiniteTimeSpan : wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private async Task WatchTargetsAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            if (_state is TunnelState.Wanting)
            {
                await _targets.LookAsync(_effects.Services, ct);
            }

            await Task.Delay(TargetWatch.Every, _time, ct);
        }
    }

    [LoggerMessage(1200, LogLevel.Information, "tunnel: {State} (run {Run})")]
    private partial void LogState(string state, int run);

    [LoggerMessage(1201, LogLevel.Warning, "tunnel: run {Run} ended: {Reason}: {Detail}; next in {Wait:F1} s")]
    private partial void LogFailed(int run, TunnelReason reason, string detail, double wait);
}
