using Common.Alerts;
using Common.Alerts.Test;
using Common.Configuration;
using Common.Journal;
using Common.Logins.Policy;
using InternalHost.Configuration;
using InternalHost.Control;
using InternalHost.Failover;
using InternalHost.Pins;
using InternalHost.Sync;
using InternalHost.Tunnel;

namespace InternalHost.Running;

/// <summary>What the operator's commands do in the running daemon.</summary>
internal sealed class DaemonControl(
    OperatorOrders orders, LiveOptions options, AcceptedKeys keys, TunnelService tunnel, StatusBuilder status, Database database, ChannelTests tests, string configFile, Func<SiteReading> read, SyncService? sync = null) : IControlHandler
{
    private const int ShownAlerts = 50;

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
            case ControlRequest.Alerts:
                return new ControlReply(Ok: true, Alerts: database.Read(c => LoginBook.Recent(c, ShownAlerts)));
            case ControlRequest.Explain explain:
                return database.Read(c => LoginBook.Find(c, explain.Id)) is { } alert ? new ControlReply(Ok: true, Alerts: [alert])
                    : ControlReply.Failed($"#{explain.Id}: there is none here. See: internalhost alerts list; a login at the bastion is explained there: bastion alerts explain {explain.Id}");
            case ControlRequest.TestAlerts test:
                var (sent, problem) = tests.Start(test.Channel);
                return problem is null ? ControlReply.Done("sent") with { Tests = sent } : ControlReply.Failed(problem);
            case ControlRequest.LookAtTests look:
                return ControlReply.Done("seen") with { Tests = tests.Look(look.Ids) };
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
        keys.Replace(wanted.Bastion.HostKeys);
        tunnel.Reload([.. wanted.Services.Select(RemoteForward.To)]);
        sync?.Reloaded();
        return ControlReply.Done(later.Count == 0 ? "reloaded" : $"reloaded; these count after a restart: {string.Join(", ", later)}");
    }
}
