using System.Threading.Channels;
using Common.Time;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan.Probes;

/// <summary>
/// Probes under way. Each tells the inbox a miss at its timeout, and once more if an answer still comes: a slow link is no dark one.
/// </summary>
internal sealed class ProbeTasks(IProber prober, ChannelWriter<WanEvent> inbox, TimeProvider time)
{
    /// <summary>Bufferbloat delays answers by seconds; after this they say nothing about now.</summary>
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(6);

    private readonly HashSet<Task> _running = [];

    /// <summary>Only the loop calls this.</summary>
    public void Start(UplinkName uplink, ProbeRequest request, CancellationToken ct)
    {
        _running.RemoveWhere(t => t.IsCompleted);
        _running.Add(RunAsync(uplink, request, ct));
    }

    public Task EndAsync() => Task.WhenAll(_running);

    private async Task RunAsync(UplinkName uplink, ProbeRequest request, CancellationToken ct)
    {
        try
        {
            await AskAsync(uplink, request, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The service stops.
        }
        catch (Exception e)
        {
            // Not a failure of the network: the loop ends with it, and the program with the loop.
            inbox.TryComplete(e);
        }
    }

    private async Task AskAsync(UplinkName uplink, ProbeRequest request, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(GiveUpAfter, time);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var sent = Instant.Now(time);
        var asking = prober.AskAsync(uplink, request, giveUp.Token);
        var inTime = await Task.WhenAny(asking, Task.Delay(request.Timeout, time, timer.Token)) == asking;
        await timer.CancelAsync();
        if (!inTime)
        {
            await TellAsync(uplink, request, sent, ProbeOutcome.Lost, late: false, ct);
        }

        var outcome = await asking;
        if (inTime || outcome is ProbeOutcome.Answered or ProbeOutcome.Authenticated)
        {
            await TellAsync(uplink, request, sent, outcome, late: !inTime, ct);
        }
    }

    private ValueTask TellAsync(UplinkName uplink, ProbeRequest request, Instant sent, ProbeOutcome outcome, bool late, CancellationToken ct)
    {
        var now = Instant.Now(time);
        return inbox.WriteAsync(new WanEvent(WanEventKind.Probed, now, uplink, new ProbeResult(request, sent, now, outcome, late)), ct);
    }
}
