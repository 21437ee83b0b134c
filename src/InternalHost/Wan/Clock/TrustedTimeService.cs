using System.Collections.Immutable;
using Common.Time;
using InternalHost.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Wan.Clock;

/// <summary>Keeps <see cref="TrustedTime"/> supplied: asks SNTP by the uplinks of the moment, ever more slowly, while the kernel is not synchronised, and writes the time down, at most once an hour.</summary>
internal sealed partial class TrustedTimeService(
    TrustedTime trusted,
    SntpClient sntp,
    TimeJournal journal,
    Func<ImmutableArray<UplinkOptions>> route,
    TimeProvider time,
    ILogger<TrustedTimeService> logger) : BackgroundService
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WriteEvery = TimeSpan.FromHours(1);

    /// <summary>A crystal loses some seconds a day; certificates do not mind.</summary>
    private static readonly TimeSpan ConfirmEvery = TimeSpan.FromHours(6);

    /// <summary>Where port 123 is closed, asking costs the metered backup for nothing.</summary>
    private static readonly TimeSpan SlowestAsking = TimeSpan.FromMinutes(10);

    private Instant? _written;
    private Instant _askAt;
    private TimeSpan _askPause = Pace;
    private TimeSource _told;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await StepAsync(stoppingToken);
            await Task.Delay(Pace, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One round: ask if it is needed, write if it is due.</summary>
    public async Task StepAsync(CancellationToken ct)
    {
        var reading = trusted.Read();
        if ((reading.IsLowerBound || reading.Age > ConfirmEvery) && Instant.Now(time) >= _askAt)
        {
            var answered = await AskAsync(ct);
            _askPause = answered ? Pace : TimeSpan.FromTicks(Math.Min(_askPause.Ticks * 2, SlowestAsking.Ticks));
            _askAt = Instant.Now(time) + (answered ? TimeSpan.Zero : _askPause);
            reading = trusted.Read();
        }

        if (_told != reading.Source)
        {
            _told = reading.Source;
            LogSource(reading.Source, reading.Now);
        }

        var now = Instant.Now(time);
        if (reading.Source != TimeSource.Floor && (_written is not { } written || now - written >= WriteEvery))
        {
            _written = now;   // also when it fails: a broken disk is not asked every ten seconds
            journal.Write(reading.Now);
        }
    }

    private async Task<bool> AskAsync(CancellationToken ct)
    {
        foreach (var uplink in route())
        {
            try
            {
                if (await sntp.AskAsync(uplink, TrustedTime.BuildDate, ct) is { } answer && trusted.OfferSntp(answer.Wall, answer.At))
                {
                    return true;
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return false;
            }
        }

        return false;
    }

    [LoggerMessage(EventId = 2401, Level = LogLevel.Information, Message = "Certificates are held against {Now:O}, from {Source}")]
    private partial void LogSource(TimeSource source, DateTimeOffset now);
}
