using InternalHost.Cloud.Local;

namespace InternalHost.Cloud;

/// <summary>Provider <c>local</c>: the cloud is a program on this machine (<c>internalhost local-cloud</c>).</summary>
internal sealed class LocalCloud(LocalCloudClient client) : ICloud
{
    public Lifecycle Lifecycle => Lifecycle.StopStart;

    public Task<InstanceSight> DescribeAsync(CancellationToken ct) => client.InstanceAsync("describe", ct);

    public Task StartAsync(CancellationToken ct) => client.InstanceAsync("start", ct);

    public Task StopAsync(CancellationToken ct) => client.InstanceAsync("stop", ct);
}
