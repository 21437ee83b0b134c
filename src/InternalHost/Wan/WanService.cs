using System.Threading.Channels;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;
using InternalHost.Wan.Probes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Wan;

/// <summary>
/// Owns both uplinks' detectors: sends the probes they ask for, gives them what comes back, and tells each change of verdict. One
/// reader, no locks; probes and looks at the links are tasks of their own that write to the inbox.
/// </summary>
/// <param name="links">Says when to look at the links; null: they are looked at twice a second.</param>
/// <param name="changed">Called in the loop for each change of an uplink's state, usability or reason; must not block.</param>
internal sealed partial class WanService(
    WanOptions options,
    IProber prober,
    ICarrier carrier,
    IPathLookup paths,
    Action<UplinkReport> changed,
    TimeProvider time,
    ILogger<WanService> log,
    ILinkEvents? links = null) : BackgroundService
{
    /// <summary>A tick also when nothing is due: it proves that the loop turns.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    private readonly Channel<WanEvent> _inbox = Channel.CreateBounded<WanEvent>(new BoundedChannelOptions(1024) { SingleReader = true });
    private readonly UplinkPair _pair = new(options.PrimaryDetector, options.BackupDetector, Instant.Now(time));
    private readonly OwnPulse _pulse = new(WallOffset(time));
    private Instant _lastProof;
    private Instant _lastReturn;
    private bool _bastionRuns;
    private volatile bool _attentive;
    private volatile UplinkReport? _primary;
    private volatile UplinkReport? _backup;

    public UplinkReport Primary => _primary ?? Report(UplinkName.Primary, Instant.Now(time), null);

    public UplinkReport Backup => _backup ?? Report(UplinkName.Backup, Instant.Now(time), null);

    /// <summary>When the loop last turned: the watchdog asks.</summary>
    public Instant LastTurn { get; private set; } = Instant.Now(time);

    /// <summary>Set while a tunnel is wanted and down: the backup is then asked each second. May be set from any thread.</summary>
    public bool Attentive
    {
        get => _attentive;
        set
        {
            _attentive = value;
            _inbox.Writer.TryWrite(new WanEvent(WanEventKind.Tick, Instant.Now(time)));
        }
    }

    /// <summary>
    /// By which uplink and when our own bastion last proved through the tunnel that it is there; null: there is no such proof. Asked each
    /// turn: it costs no probe, and while it is fresh fewer are needed.
    /// </summary>
    public Func<(UplinkName Uplink, Instant At)?>? BastionProof { get; init; }

    /// <summary>Whether our own bastion runs somewhere where it can be asked; asked each turn.</summary>
    public Func<bool>? BastionRuns { get; init; }

    /// <summary>An uplink that was silent answers again, whatever the verdict still waits for; must not block.</summary>
    public Action? Returned { get; init; }

    /// <summary>Sees each event in the loop, in order; must not block.</summary>
    public Action<WanEvent>? Heard { get; init; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var probes = new ProbeTasks(prober, _inbox.Writer, time);
        var watches = Task.WhenAll(WatchAsync(options.Primary, stop.Token), WatchAsync(options.Backup, stop.Token));
        try
        {
            await LoopAsync(probes, stop.Token);
        }
        finally
        {
            await stop.CancelAsync();
            await probes.EndAsync();
            await watches;
        }
    }

    private async Task LoopAsync(ProbeTasks probes, CancellationToken ct)
    {
        var due = Instant.Now(time);
        using var timer = time.CreateTimer(
            _ => _inbox.Writer.TryWrite(new WanEvent(WanEventKind.Tick, due)), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        await foreach (var ev in _inbox.Reader.ReadAllAsync(ct))
        {
            var now = Instant.Now(time);
            LastTurn = now;
            DoubtOurselves(ev.At, now);
            Apply(ev, now);
            Send(probes, ct);
            Publish(now);

            var wait = _pair.NextWake - now;
            wait = wait < MaxWait ? wait : MaxWait;
            wait = wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
            due = now + wait;
            timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
    }

    private void DoubtOurselves(Instant happened, Instant now)
    {
        if (_pulse.Missed(happened, now, WallOffset(time)) is { } missed)
        {
            RanLate(log, (long)missed.TotalMilliseconds);
            _pair.Late(now, missed);
        }
    }

    private void Apply(in WanEvent ev, Instant now)
    {
        Heard?.Invoke(ev);
        switch (ev.Kind)
        {
            case WanEventKind.Probed:
                _pair.Result(ev.Uplink, ev.Result);
                break;
            case WanEventKind.CarrierSeen:
                _pair.Carrier(ev.Uplink, ev.At, ev.Flag);
                break;
            case WanEventKind.PathSeen:
                _pair.Path(ev.Uplink, ev.At, ev.Path);
                break;
            case WanEventKind.PathMoved:
                _pair.AddressChanged(ev.Uplink, ev.At);
                break;
        }

        if (BastionProof?.Invoke() is { } proof && proof.At > _lastProof)
        {
            _lastProof = proof.At;
            _pair.Passive(proof.Uplink, proof.At);
        }

        if (BastionRuns is not null && BastionRuns() is var runs && runs != _bastionRuns)
        {
            _bastionRuns = runs;
            _pair.SetBastion(now, runs);
        }

        _pair.Want(now, _attentive);
        _pair.Tick(now);
    }

    private void Send(ProbeTasks probes, CancellationToken ct)
    {
        while (_pair.Primary.TryTakeProbe(out var request))
        {
            probes.Start(UplinkName.Primary, request, ct);
        }

        while (_pair.Backup.TryTakeProbe(out var request))
        {
            probes.Start(UplinkName.Backup, request, ct);
        }
    }

    private void Publish(Instant now)
    {
        Drain(_pair.Primary);
        Drain(_pair.Backup);
        _primary = Publish(UplinkName.Primary, now, _primary);
        _backup = Publish(UplinkName.Backup, now, _backup);
        if (_pair.Returned is { } returned && returned > _lastReturn)
        {
            _lastReturn = returned;
            Returned?.Invoke();
        }
    }

    /// <summary>Between two turns of the loop only the last verdict counts.</summary>
    private static void Drain(Detector detector)
    {
        while (detector.TryTakeVerdict(out _))
        {
        }
    }

    private UplinkReport Publish(UplinkName name, Instant now, UplinkReport? before)
    {
        var report = Report(name, now, before);
        if (before is null || (before.State, before.Usable, before.Reason) != (report.State, report.Usable, report.Reason))
        {
            Changed(log, name, before?.State ?? UplinkState.Unknown, report.State, report.Usable, report.Reason);
            changed(report);
        }

        return report;
    }

    private UplinkReport Report(UplinkName name, Instant now, UplinkReport? before)
    {
        var detector = _pair[name];
        var verdict = detector.Current;
        var usable = _pair.UsableNow(name, now);
        var reason = name == UplinkName.Primary && options.Primary is { Carries: false, Observe: null } ? Reasons.NotWatched : verdict.Reason;
        var same = before is not null && (before.State, before.Usable, before.Reason) == (verdict.State, usable, reason);
        return new UplinkReport(
            name,
            verdict.State,
            usable,
            reason,
            same ? before!.Since : now,
            detector.LastAnswered,
            detector.EverUp,
            prober.Bytes(name),
            WitnessReport.Of(detector.Witnesses))
        { Seen = prober.Seen(name) };
    }

    private async Task WatchAsync(UplinkOptions uplink, CancellationToken ct)
    {
        if (!uplink.Carries)
        {
            return;
        }

        var watch = new LinkWatch(uplink, WanOptions.Targets(options.Witnesses, uplink), carrier, paths, _inbox.Writer, time, links);
        try
        {
            await watch.RunAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The service stops.
        }
        catch (Exception e)
        {
            _inbox.Writer.TryComplete(e);
        }
    }

    private static TimeSpan WallOffset(TimeProvider time) => TimeSpan.FromTicks(time.GetUtcNow().Ticks - Instant.Now(time).Ticks);

    [LoggerMessage(1201, LogLevel.Information, "{Uplink}: {From} -> {To}, usable {Usable} ({Reason})")]
    private static partial void Changed(ILogger log, UplinkName uplink, UplinkState from, UplinkState to, Usable usable, string reason);

    [LoggerMessage(1202, LogLevel.Warning, "our own loop was away for {Missed} ms (0: the clock jumped): misses meanwhile are not counted")]
    private static partial void RanLate(ILogger log, long missed);
}
