using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Common.Hosting;

/// <summary>SIGHUP to a reload, one at a time; signals that come meanwhile fold into one.</summary>
internal sealed class HangupLoop(DaemonManners manners, SdNotify notify)
{
    private readonly Channel<bool> _raised = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Raise(PosixSignalContext signal)
    {
        signal.Cancel = true;
        _raised.Writer.TryWrite(true);
    }

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await foreach (var _ in _raised.Reader.ReadAllAsync(stop))
            {
                await ReloadAsync(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private async Task ReloadAsync(CancellationToken stop)
    {
        if (manners.ReloadAsync is null)
        {
            return;
        }

        notify.Reloading();
        try
        {
            await manners.ReloadAsync(stop);
        }
        finally
        {
            // Whatever came of it, we run on; what was wrong is told by the reload itself.
            notify.Ready("running");
        }
    }
}
