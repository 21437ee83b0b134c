using System.Globalization;
using Common.Alerts;
using Common.Text;
using Common.Time;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bastion.Watch;

/// <summary>Looks at the host once a minute, and tells what <see cref="WatchMachine"/> finds.</summary>
internal sealed partial class WatchService((string Site, string? Vm, string Boot) scene, Func<HostReading> look, Action<Alert> raise, TimeProvider time, ILogger<WatchService> logger)
    : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var state = WatchState.Begin;
        try
        {
            while (true)
            {
                (state, var found) = WatchMachine.Advance(state, look(), Instant.Now(time));
                foreach (var trouble in found)
                {
                    Found(logger, trouble.Trouble, trouble.Detail);
                    raise(Compose(trouble));
                }

                await Task.Delay(LookEvery, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>The same trouble of one boot has the same id, so that an agent that comes back does not tell it again.</summary>
    private Alert Compose(TroubleFound found)
    {
        var about = string.Create(CultureInfo.InvariantCulture, $"watch/{scene.Boot}/{found.Trouble}/{(found.Trouble == Trouble.Drift ? found.Detail : "")}");
        var id = AlertId.From($"{scene.Site}/bastion/{about}");
        var stop = scene.Vm is null ? "" : $" Not you? Stop VM {SmsText.Field(scene.Vm, 24)} in cloud app.";
        var text = found.Trouble switch
        {
            Trouble.Drift => SmsText.Fit(id, $"{scene.Site} bastion: who gets in was changed while it runs: ", SmsText.Field(found.Detail, 70), ".", SmsPart.Optional(1, stop)),
            Trouble.Disk => SmsText.Fit(id, $"{scene.Site} bastion: its disk is nearly full, {found.Detail} % free. Logins are still told; see: journalctl --disk-usage"),
            _ => SmsText.Fit(id, $"{scene.Site} bastion: its clock is not synchronised. Times in its messages and logs may be wrong; see: timedatectl"),
        };
        return new Alert(id, "broken", found.Trouble == Trouble.Drift ? Severity.Critical : Severity.Normal, text, time.GetUtcNow(), about);
    }

    [LoggerMessage(601, LogLevel.Warning, "watch: {Trouble} {Detail}")]
    private static partial void Found(ILogger logger, Trouble trouble, string detail);
}
