using Common.Configuration;
using InternalHost.Configuration;
using InternalHost.Control;
using InternalHost.Failover;
using InternalHost.Tunnel;

namespace InternalHost.Running;

/// <summary>What the operator's commands do in the running daemon.</summary>
internal sealed class DaemonControl(
    OperatorOrders orders, LiveOptions options, TunnelService tunnel, StatusBuilder status, string configFile, Func<SiteReading> read) : IControlHandler
{
    public async Task<ControlReply> HandleAsync(ControlRequest request, CancellationToken ct)
    {
        switch (request)
        {
            case ControlRequest.Status:
                return new ControlReply(Ok: true, Status: status.Build());
            case ControlRequest.Check:
                var problems = status.Problems();
                return problems.Count == 0 ? ControlReply.Done("nothing is known to be wrong") : new ControlReply(Ok: false, Error: $"{problems.Count} problems", Problems: problems);
            case ControlRequest.Reload:
                return Reload();
            default:
                return await orders.HandleAsync(request, ct) ?? ControlReply.Failed("not known to this version");
        }
    }

    /// <summary>A bad file changes nothing.</summary>
    public ControlReply Reload()
    {
        var reading = read();
        if (reading.Options is not { } wanted)
        {
            return new ControlReply(
                Ok: false, Error: $"{configFile} has {reading.Errors.Count} mistakes, nothing was changed", Problems: [.. reading.Errors.Select(e => e.ToLine())]);
        }

        var later = options.Replace(wanted);
        tunnel.Reload([.. wanted.Services.Select(RemoteForward.To)]);
        return ControlReply.Done(later.Count == 0 ? "reloaded" : $"reloaded; these count after a restart: {string.Join(", ", later)}");
    }
}
