using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Common.Processes;
using InternalHost.Configuration;
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
internal sealed class HostKeyProof(IProcessLauncher launcher, BastionOptions bastion, string runtimeDirectory, TimeProvider time, SelfProgram? self = null)
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(4);

    private readonly SelfProgram _self = self ?? SelfProgram.Default();

    /// <summary>As the transport's: two daemons never meet at one path.</summary>
    private readonly string _salt = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(2));
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
            return Judge(await ExchangeKeysAsync(socket, turn, giveUp));
        }
        catch (Exception e) when (e is IOException or SocketException or ProcessStartException or UnauthorizedAccessException or OperationCanceledException)
        {
            return ProbeOutcome.Lost;
        }
    }

    /// <summary>What ssh said.</summary>
    private async Task<IReadOnlyList<string>> ExchangeKeysAsync(Socket socket, int turn, CancellationToken ct)
    {
        var folder = TunnelFolder.Prepare(runtimeDirectory);
        var knownHosts = Path.Combine(folder, $"{_salt}p{turn}.l");
        using var handover = new HandoverServer(Path.Combine(folder, $"{_salt}p{turn}.h"));
        using var given = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var proxy = SshCommandLine.ProxyCommand([.. _self.Words, "handover", handover.Path]);
        try
        {
            await File.WriteAllTextAsync(knownHosts, SshCommandLine.KnownHosts(bastion), ct);
            var giving = handover.GiveAsync(socket, given.Token);
            var result = await launcher.RunAsync(new ProcessSpec("ssh", SshCommandLine.Proof(bastion, knownHosts, proxy)) { Environment = _self.Environment }, ct);
            await given.CancelAsync();
            await giving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return result.Error.Split('\n');
        }
        finally
        {
            File.Delete(knownHosts);
        }
    }

    /// <summary>ssh goes on to authenticate only after it has held the key against the pinned ones.</summary>
    private static ProbeOutcome Judge(IReadOnlyList<string> said) =>
        said.Aggregate(SshPhase.Starting, SshStderr.Advance) >= SshPhase.Authenticating ? ProbeOutcome.Authenticated
        : SshStderr.Classify(said, null, SshPhase.KeyExchange).Reason == TunnelReason.HostKeyChanged ? ProbeOutcome.Refuted
        : ProbeOutcome.Lost;
}
