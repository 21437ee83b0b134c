using System.Collections.Immutable;
using System.Globalization;
using System.Threading.Channels;
using Common.Time;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Replay;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Wan.Recording;

/// <summary>
/// Writes down what our probes met, as a trace for <c>internalhost replay</c>, so that a bad night can be played again. Never in the
/// way: what cannot be written is left out, said once, and tried again later.
/// </summary>
internal sealed partial class ProbeRecorder(
    string directory, long maxBytes, ImmutableArray<WitnessName> witnesses, TimeProvider time, ILogger<ProbeRecorder> log) : BackgroundService
{
    /// <summary>An SD card is written to seldom; a power cut costs this much of the recording.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    /// <summary>A replay ends with the last row; what the last change led to is to be in it: a verdict, or 20 s of answers.</summary>
    private static readonly TimeSpan CloseAfter = TimeSpan.FromSeconds(35);

    private static readonly TimeSpan AgainAfter = TimeSpan.FromMinutes(1);

    /// <summary>Far more than is probed between two writings.</summary>
    private readonly Channel<WanEvent> _heard =
        Channel.CreateBounded<WanEvent>(new BoundedChannelOptions(16 * 1024) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    private readonly RecordingFile _file = new(directory, maxBytes);
    private readonly Instant _start = Instant.Now(time);
    private ProbeTape? _tape;
    private Instant _notBefore;
    private Instant? _openSince;
    private bool _incomplete;
    private volatile string? _problem;

    /// <summary>Why nothing is recorded; null: it is.</summary>
    public string? Problem => _problem;

    /// <summary>Called in the detectors' loop; never waits.</summary>
    public void Hear(WanEvent ev) => _heard.Writer.TryWrite(ev);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        Write(last: true);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Every, time, stoppingToken);
                Write(last: false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops; the rest is written then.
        }
    }

    private void Write(bool last)
    {
        var now = Instant.Now(time);
        if (now < _notBefore && !last)
        {
            return;
        }

        try
        {
            var written = _tape is null || _incomplete ? _file.Mend() : null;
            _tape ??= new ProbeTape(_start, StartTicks(written), witnesses);
            Hear(_tape);
            var known = _tape.Known(now - ProbeTape.Settled);
            IReadOnlyList<TraceRow> rows = [.. _tape.Take(last ? Instant.Never : now)];
            var closing = rows.Count == 0 && now - _openSince >= CloseAfter;
            rows = rows.Count > 0 ? rows : _incomplete ? known : closing ? [.. known.Take(1)] : rows;
            if (rows.Count > 0)
            {
                _openSince = closing ? null : now;
                _file.Append(rows, known, restate: _incomplete, Note());
                _incomplete = false;
            }

            Told(null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _incomplete = true;
            _notBefore = now + AgainAfter;
            Told(e.Message);
        }
    }

    private void Hear(ProbeTape tape)
    {
        while (_heard.Reader.TryRead(out var ev))
        {
            switch (ev.Kind)
            {
                case WanEventKind.Probed:
                    tape.OnProbe(ev.Uplink, ev.Result);
                    break;
                case WanEventKind.CarrierSeen when ev.Uplink == UplinkName.Primary:
                    tape.OnCarrier(ev.At, ev.Flag);
                    break;
                case WanEventKind.PathSeen when ev.Uplink == UplinkName.Primary:
                    tape.OnPath(ev.At, ev.Path);
                    break;
            }
        }
    }

    /// <summary>Unix time, so that a person finds the night; never back behind what is written, whatever the clock says.</summary>
    private long StartTicks(long? written)
    {
        var unix = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks - (Instant.Now(time) - _start).Ticks;
        return Math.Max(unix, (written ?? 0) + TimeSpan.TicksPerMillisecond);
    }

    private string Note() => string.Create(CultureInfo.InvariantCulture, $"recorded by internalhost; this file begins {time.GetUtcNow():yyyy-MM-dd HH:mm:ss} UTC");

    private void Told(string? problem)
    {
        if (problem is not null && _problem is null)
        {
            Stopped(log, problem);
        }
        else if (problem is null && _problem is not null)
        {
            GoesOn(log);
        }

        _problem = problem;
    }

    [LoggerMessage(1211, LogLevel.Warning, "the probes are not recorded: {Problem}")]
    private static partial void Stopped(ILogger log, string problem);

    [LoggerMessage(1212, LogLevel.Information, "the probes are recorded again")]
    private static partial void GoesOn(ILogger log);
}
