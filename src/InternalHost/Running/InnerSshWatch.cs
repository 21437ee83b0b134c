using InternalHost.Failover;
using InternalHost.Tunnel;
using Microsoft.Extensions.Hosting;

namespace InternalHost.Running;

/// <summary>Tells the controller when the SSH server that people come for stops or starts answering, as the tunnel's own look shows it.</summary>
internal sealed class InnerSshWatch(FailoverInbox inbox, LiveOptions options, Func<TunnelSnapshot> tunnel, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(2);

    private bool _up = true;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var inner = options.Now.InnerSsh?.Name;
            var up = tunnel().Forwards.FirstOrDefault(f => f.Name == inner)?.TargetDown != true;
            if (up != _up)
            {
                _up = up;
                await inbox.PostAsync(at => new FailoverEvent.InnerSshSeen(at, up), stoppingToken);
            }

            await Task.Delay(Pace, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
