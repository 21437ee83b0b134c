using Common.Configuration;
using Common.Time;
using InternalHost.Control;
using InternalHost.Failover;

namespace InternalHost.Running;

/// <summary>The commands that outrank the detector. Each is answered when it is in force and journalled; where it cannot be journalled, with a warning.</summary>
internal sealed class OperatorOrders(FailoverInbox inbox)
{
    /// <summary>Null: not an order.</summary>
    public Task<ControlReply?> HandleAsync(ControlRequest request, CancellationToken ct) => request switch
    {
        ControlRequest.Open open => OrderAsync(
            at => new FailoverEvent.OperatorOpened(at, open.For),
            $"the way in is opened and kept for {Quantities.Say(open.For)}: see internalhost status --watch", ct),
        ControlRequest.Close => OrderAsync(
            at => new FailoverEvent.OperatorClosed(at),
            "the way in closes as soon as nobody is logged in", ct),
        ControlRequest.Pause pause => OrderAsync(
            at => new FailoverEvent.OperatorPaused(at, pause.For, pause.Why),
            $"no outage is acted on for {Quantities.Say(pause.For)}; internalhost resume ends that", ct),
        ControlRequest.Resume => OrderAsync(
            at => new FailoverEvent.OperatorResumed(at),
            "pause and close are withdrawn", ct),
        _ => Task.FromResult<ControlReply?>(null),
    };

    private async Task<ControlReply?> OrderAsync(Func<Instant, FailoverEvent> order, string done, CancellationToken ct) =>
        await inbox.OrderAsync(order, ct) is { } problem
            ? ControlReply.Done($"{done}; warning: {problem}, so a restart within seconds may forget this order")
            : ControlReply.Done(done);
}
