using System.Collections.Immutable;
using System.Net;

namespace InternalHost.Cloud;

/// <summary>Provider <c>static</c>: any SSH host that always runs. Whether it really does is for the tunnel to find out.</summary>
internal sealed class StaticCloud(ImmutableArray<IPAddress> addresses) : ICloud
{
    public Lifecycle Lifecycle => Lifecycle.AlwaysOn;

    public Task<InstanceSight> DescribeAsync(CancellationToken ct) =>
        Task.FromResult(new InstanceSight("static", InstanceState.Running, addresses));

    public Task StartAsync(CancellationToken ct) => Task.CompletedTask;

    public Task StopAsync(CancellationToken ct) => Task.CompletedTask;
}
