using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Common.Time;
using InternalHost.Configuration;
using InternalHost.Wan.Links;
using InternalHost.Wan.Probes;

namespace InternalHost.Tunnel;

/// <summary>What came of dialling every address and port for a while.</summary>
internal abstract record DialResult
{
    /// <param name="Socket">Connected; the banner has been seen and still waits in it.</param>
    public sealed record Won(Socket Socket, IPEndPoint Remote, string Banner) : DialResult;

    /// <param name="Failure">The most telling of all targets' failures.</param>
    public sealed record Lost(TunnelFailure Failure) : DialResult;
}

/// <summary>Port to the network between us and the bastion.</summary>
internal interface IBannerDialler
{
    Task<DialResult> DialAsync(ImmutableArray<IPAddress> addresses, TimeSpan budget, CancellationToken ct);
}

/// <summary>
/// Dials each address as the uplink of the moment reaches it: IPv4 ones through the network's NAT64, where it has IPv6 only.
/// </summary>
internal sealed class ReachingDialler(IBannerDialler dialler, Func<UplinkOptions> uplink, Nat64 nat64) : IBannerDialler
{
    public async Task<DialResult> DialAsync(ImmutableArray<IPAddress> addresses, TimeSpan budget, CancellationToken ct) =>
        await nat64.ReachAsync(uplink(), addresses, ct) is { IsEmpty: false } reached
            ? await dialler.DialAsync(reached, budget, ct)
            : await dialler.DialAsync(addresses, budget, ct);   // fails, and says why
}

/// <summary>
/// Finds a way in while a VM boots or a link returns: bound connects to every address and port start every 500 ms, overlapping, and
/// the first that shows an SSH banner wins. One connect alone would wait for its SYN to be sent again, after 1, 3 and 7 s.
/// </summary>
/// <remarks>
/// A thread with poll(2), not .NET's asynchronous sockets: those register the connection with our event loop, which could not be
/// undone after the handover, and every packet of ssh's would wake us.
/// </remarks>
internal sealed class BannerDialler(Func<IPAddress, Socket> open, ImmutableArray<int> ports, TimeProvider time) : IBannerDialler
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    /// <summary>Head start of each port over the next one in the list: the earlier port is the one to use when both answer.</summary>
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(250);

    /// <summary>Longest sleep, so that cancellation is seen.</summary>
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(100);

    /// <summary>Dials by one uplink. A loopback address is behind no uplink: from a real interface it is dialled unbound.</summary>
    public static BannerDialler By(UplinkOptions uplink, ImmutableArray<int> ports, TimeProvider time) => new(
        address => IPAddress.IsLoopback(address) && uplink.Interface != "lo"
            ? new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : BoundSocket.Tcp(uplink, address.AddressFamily),
        ports,
        time);

    public Task<DialResult> DialAsync(ImmutableArray<IPAddress> addresses, TimeSpan budget, CancellationToken ct) =>
        Task.Factory.StartNew(() => Dial(addresses, budget, ct), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private DialResult Dial(ImmutableArray<IPAddress> addresses, TimeSpan budget, CancellationToken ct)
    {
        var begun = Instant.Now(time);
        var targets = Targets(addresses, begun);
        var attempts = new List<DialAttempt>();
        try
        {
            while (Instant.Now(time) is var now && now < begun + budget)
            {
                ct.ThrowIfCancellationRequested();
                StartDue(targets, attempts, now);
                if (attempts.Find(attempt => attempt.HasBanner) is { } winner)
                {
                    attempts.Remove(winner);
                    return new DialResult.Won(winner.Socket, winner.Target.Remote, SshStderr.Sanitise(winner.Seen));
                }

                Drop(attempts, now);
                var wake = targets.Aggregate(now + Nap, (earliest, target) => Instant.Min(earliest, target.Due));
                DialAttempt.Wait(attempts, wake - now);
            }

            return new DialResult.Lost(MostTelling(targets));
        }
        finally
        {
            attempts.ForEach(attempt => attempt.Socket.Dispose());
        }
    }

    private List<DialTarget> Targets(ImmutableArray<IPAddress> addresses, Instant begun) =>
        [.. ports.SelectMany((port, order) => addresses.Select(address => new DialTarget(new(address, port), begun + (HeadStart * order))))];

    private void StartDue(List<DialTarget> targets, List<DialAttempt> attempts, Instant now)
    {
        foreach (var target in targets.Where(target => target.Due <= now))
        {
            target.Due = now + Pace;
            if (DialAttempt.Start(target, open, now) is { } attempt)
            {
                attempts.Add(attempt);
            }
        }
    }

    private static void Drop(List<DialAttempt> attempts, Instant now)
    {
        attempts.RemoveAll(attempt =>
        {
            var over = attempt.IsOver(now);
            if (over)
            {
                attempt.Socket.Dispose();
            }

            return over;
        });
    }

    /// <summary>The nearer a target came to SSH, the more its failure tells.</summary>
    private static TunnelFailure MostTelling(List<DialTarget> targets) => targets
        .Select(target => target.Last ?? new TunnelFailure(TunnelReason.Timeout, $"{target.Remote} does not answer"))
        .OrderBy(failure => failure.Reason switch
        {
            TunnelReason.NoBanner => 0,
            TunnelReason.Refused => 1,
            TunnelReason.Timeout => 2,
            _ => 3,
        })
        .FirstOrDefault(new TunnelFailure(TunnelReason.NoRoute, "the bastion has no address yet"));
}

/// <summary>One address and port, and what came of it last.</summary>
internal sealed class DialTarget(IPEndPoint remote, Instant due)
{
    public IPEndPoint Remote { get; } = remote;

    public Instant Due { get; set; } = due;

    public TunnelFailure? Last { get; set; }
}
