using System.Collections.Immutable;
using Common.Processes;
using Common.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace InternalHost.Wan.Links;

/// <summary>Runs the owner's command that wakes the backup, while it is wanted and does not work; at most once a minute.</summary>
/// <param name="needed">The backup is wanted now, and not usable.</param>
internal sealed partial class BringUp(
    ImmutableArray<string> command, Func<bool> needed, IProcessLauncher launcher, TimeProvider time, ILogger<BringUp> log) : BackgroundService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                var run = needed();
                if (run)
                {
                    await RunAsync(stoppingToken);
                }

                await Task.Delay(run ? Pause : LookEvery, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    private async Task RunAsync(CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        Waking(log, command[0]);
        var said = "";
        try
        {
            // Only its last line is kept, however much it says.
            await using var child = launcher.Start(new ProcessSpec(command[0], [.. command.Skip(1)]), (_, line) => said = line);
            await using var ending = either.Token.Register(() => _ = child.StopAsync());
            var exit = await child.Exited;
            ct.ThrowIfCancellationRequested();
            Ended(log, exit.Code?.ToString() ?? (limit.IsCancellationRequested ? "no end in 60 s" : $"signal {exit.Signal}"), SafeText.Clean(said));
        }
        catch (ProcessStartException e)
        {
            NotRun(log, e.Message);
        }
    }

    [LoggerMessage(1231, LogLevel.Information, "the backup is wanted and not usable: running {Program}")]
    private static partial void Waking(ILogger log, string program);

    [LoggerMessage(1232, LogLevel.Information, "uplinks.backup.bring_up ended with {Exit}: {Said}")]
    private static partial void Ended(ILogger log, string exit, string said);

    [LoggerMessage(1233, LogLevel.Warning, "uplinks.backup.bring_up cannot be run: {Problem}")]
    private static partial void NotRun(ILogger log, string problem);
}
