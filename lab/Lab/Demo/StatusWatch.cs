using InternalHost.Control;

namespace Lab.Demo;

/// <summary>Asks the running daemon on its control socket, ten times a second.</summary>
internal sealed class StatusWatch(string controlSocket, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>The last answer; null before the first.</summary>
    public StatusReport? Last { get; private set; }

    /// <summary>The first status that satisfies.</summary>
    public async Task<StatusReport> UntilAsync(Func<StatusReport, bool> satisfied, CancellationToken ct)
    {
        while (true)
        {
            if (await AskAsync(ct) is { } status && satisfied(status))
            {
                return status;
            }

            await Task.Delay(Interval, time, ct);
        }
    }

    private async Task<StatusReport?> AskAsync(CancellationToken ct)
    {
        try
        {
            Last = (await ControlClient.AskAsync(controlSocket, new ControlRequest.Status(), time, ct)).Status ?? Last;
        }
        catch (ControlUnreachableException)
        {
            // Not up yet, or gone: whoever waits has a limit.
        }

        return Last;
    }
}
