using System.Net;
using System.Net.Sockets;
using Common.Time;
using Microsoft.Extensions.Logging;

namespace InternalHost.Cloud;

/// <summary>Port to a public address that a provider keeps for its customer, whatever machine it leads to.</summary>
internal interface IAddressKeeper
{
    /// <summary>From now on the address leads to this instance. Does nothing where it does already; never takes it from another.</summary>
    /// <exception cref="CloudException"/>
    Task HoldAsync(string instanceId, CancellationToken ct);
}

/// <summary>
/// A VM with a fixed IPv4 address: before it is said to run, the address leads to it. Where that fails it is reached, and told, by the
/// address that it has, and the fixed one is tried again: the way in waits for nothing.
/// </summary>
internal sealed partial class FixedAddress(ICloud cloud, IAddressKeeper keeper, IPAddress address, TimeProvider time, ILogger<FixedAddress> log) : ICloud
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(30);

    /// <summary>The launch to which it was last asked to lead, whether it does, and when that is looked at again.</summary>
    private volatile Holding? _holding;

    public Lifecycle Lifecycle => cloud.Lifecycle;

    public async Task<InstanceSight> DescribeAsync(CancellationToken ct)
    {
        var seen = await cloud.DescribeAsync(ct);
        if (seen is not { State: InstanceState.Running, Id: { } id, Addresses.IsEmpty: false })
        {
            return seen;
        }

        if (_holding is not { } last || last.Launch != seen.Launch || Instant.Now(time) >= last.Until)
        {
            _holding = last = await HoldAsync(id, seen.Launch, ct);
        }

        // EC2's own one is gone with that, though its picture may still show it; DigitalOcean does not list a reserved one.
        return last.Holds ? seen with { Addresses = [address, .. seen.Addresses.Where(a => a.AddressFamily == AddressFamily.InterNetworkV6)] } : seen;
    }

    public Task StartAsync(CancellationToken ct) => cloud.StartAsync(ct);

    public Task StopAsync(CancellationToken ct) => cloud.StopAsync(ct);

    private async Task<Holding> HoldAsync(string id, string? launch, CancellationToken ct)
    {
        try
        {
            await keeper.HoldAsync(id, ct);
            return new Holding(launch, Holds: true, Instant.Now(time) + LookAgainAfter);
        }
        catch (CloudException e)
        {
            if (_holding is not { Holds: false } || _holding.Launch != launch)
            {
                NotHeld(log, address, id, e.Message);
            }

            return new Holding(launch, Holds: false, Instant.Now(time) + TryAgainAfter);
        }
    }

    private sealed record Holding(string? Launch, bool Holds, Instant Until);

    [LoggerMessage(1155, LogLevel.Warning, "{Address} does not lead to {Id}; its own address is used: {Reason}")]
    private static partial void NotHeld(ILogger log, IPAddress address, string id, string reason);
}
