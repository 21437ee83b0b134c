using System.Net;
using Common.Agent;
using InternalHost.Tunnel;
using Microsoft.Extensions.Hosting;

namespace InternalHost.Running;

/// <summary>From which address the bastion sees the tunnel: asked once for each connection, which keeps its address while it lasts.</summary>
internal sealed class TunnelEgress(Func<TunnelSnapshot> tunnel, Func<string, CancellationToken, Task<AgentReply?>> ask, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(5);

    private volatile Answer? _answer;

    /// <summary>Null: not known of the connection there is.</summary>
    public IPAddress? Address => _answer is { } answer && tunnel() is { IsUp: true } now && now.Run == answer.Run ? answer.Address : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await LookAsync(stoppingToken);
            await Task.Delay(Pace, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    internal async Task LookAsync(CancellationToken ct)
    {
        if (tunnel() is not { IsUp: true } now || now.Run == _answer?.Run)
        {
            return;
        }

        try
        {
            // An agent that does not know the question is not asked again.
            if (await ask("egress", ct) is { } reply && (reply is { Ok: false } || reply.Egress is not null))
            {
                _answer = new Answer(now.Run, IPAddress.TryParse(reply.Egress, out var address) ? address : null);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
        }
    }

    private sealed record Answer(int Run, IPAddress? Address);
}
