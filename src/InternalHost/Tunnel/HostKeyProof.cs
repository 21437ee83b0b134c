using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Pins;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;

namespace InternalHost.Tunnel;

/// <summary>
/// Asks our own bastion by one uplink to prove itself: the system's ssh does a key exchange over a connection of ours, and does not log in.
/// A bare connect would prove nobody; a login would end the tunnel, because the newest wins.
/// </summary>
/// <remarks>
/// sshd 9.8 and later charges a source 1 s for each connection without a login and shuts it out at 15 s (PerSourcePenalties); the debt is
/// paid off by the time that passes. Whoever asks twice a minute owes 1 s at most.
/// </remarks>
internal sealed class HostKeyProof(IProcessLauncher launcher, BastionOptions bastion, string runtimeDirectory, TimeProvider time, SelfProgram? self = null, AcceptedKeys? keys = null)
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(4);

    private readonly SshOnce _ssh = new(launcher, bastion, runtimeDirectory, self, keys);
    private int _asked;

    /// <returns>Authenticated: a pinned key was proven. Refuted: another key. Lost: none of both.</returns>
    public async Task<ProbeOutcome> AskAsync(UplinkOptions by, ImmutableArray<IPAddress> addresses, CancellationToken giveUp)
    {
        if (addresses.FirstOrDefault(a => BoundSocket.Carries(by, a.AddressFamily)) is not { } address)
        {
            return ProbeOutcome.Unknown;
        }

        var turn = Interlocked.Increment(ref _asked);
        // The ports take turns: a network may block one of them.
        var server = new IPEndPoint(address, bastion.Ports[turn % bastion.Ports.Length]);
        try
        {
            using var socket = await BoundSocket.ConnectAsync(by, server, ConnectLimit, time, giveUp);
            return Judge(await ExchangeKeysAsync(socket, giveUp));
        }
        catch (Exception e) when (e is IOException or SocketException or ProcessStartException or UnauthorizedAccessException or OperationCanceledException)
        {
            return ProbeOutcome.Lost;
        }
    }

    private async Task<IReadOnlyList<string>> ExchangeKeysAsync(Socket socket, CancellationToken ct)
    {
        var log = new SshLog();
        await _ssh.RunAsync(socket, (knownHosts, proxy) => SshCommandLine.Proof(bastion, knownHosts, proxy), default, (_, line) => log.Add(line), ct);
        return log.All();
    }

    /// <summary>ssh goes on to authenticate only after it has held the key against the pinned ones.</summary>
    private static ProbeOutcome Judge(IReadOnlyList<string> said) =>
        said.Aggregate(SshPhase.Starting, SshStderr.Advance) >= SshPhase.Authenticating ? ProbeOutcome.Authenticated
        : SshStderr.Classify(said, null, SshPhase.KeyExchange).Reason == TunnelReason.HostKeyChanged ? ProbeOutcome.Refuted
        : ProbeOutcome.Lost;
}
