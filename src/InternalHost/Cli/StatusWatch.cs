using Common.Hosting;
using InternalHost.Control;

namespace InternalHost.Cli;

/// <summary>Goes on until it is interrupted; a daemon that is gone for a while is told and waited for.</summary>
internal sealed class StatusWatch(DaemonQuestion question, TextWriter output, bool json, bool terminal, TimeProvider time)
{
    private const string ClearScreen = "\u001b[H\u001b[2J\u001b[3J";
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private string _last = "";

    public async Task<int> RunAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                if (await question.AskAsync(new ControlRequest.Status(), ct) is { Status: { } report })
                {
                    await ShowAsync(report);
                }

                await Task.Delay(Period, time, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return ExitCode.Good;
        }
    }

    private async Task ShowAsync(StatusReport report)
    {
        if (json)
        {
            await output.WriteLineAsync(StatusCommand.Json(report));
        }
        else if (terminal)
        {
            await output.WriteAsync(ClearScreen + StatusText.Render(report));
        }
        else if (StatusText.OneLine(report) is var line && line != _last)
        {
            _last = line;
            await output.WriteLineAsync($"{report.Time:HH:mm:ss} {line}");
        }

        await output.FlushAsync();
    }
}
