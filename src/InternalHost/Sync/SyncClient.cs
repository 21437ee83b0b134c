using System.Net;
using System.Net.Sockets;
using Common.Processes;
using Common.Sync;
using InternalHost.Configuration;
using InternalHost.Pins;
using InternalHost.Tunnel;

namespace InternalHost.Sync;

/// <summary>Signs a bundle with the site's key and carries it to the bastion: by the system's ssh, over a connection that is bound to the uplink as the tunnel's is.</summary>
/// <param name="carried">Told the bytes of each connection.</param>
internal sealed class SyncClient(
    IProcessLauncher launcher, IBannerDialler dialler, BastionOptions bastion, string runtimeDirectory, TimeProvider time, Action<TcpBytes> carried, SelfProgram? self = null, AcceptedKeys? keys = null)
{
    private static readonly TimeSpan DialFor = TimeSpan.FromSeconds(8);

    private readonly SshOnce _ssh = new(launcher, bastion, runtimeDirectory, self, keys);

    /// <summary>The whole way; the bastion writes accounts and keys and reloads before it answers.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    public async Task<SyncAnswer> SendAsync(IPAddress address, ReadOnlyMemory<byte> bundle, long number, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            return await SignAsync(bundle, either.Token) is { Ok: true, Output: var signature }
                ? await SendAsync(address, SignedBundle.Join(signature, bundle.Span), number, either.Token)
                : SyncAnswer.Not(SyncFailure.NotSignedHere, $"{bastion.KeyFile} does not sign");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return SyncAnswer.Not(SyncFailure.NoAnswer, $"no answer within {Patience.TotalSeconds:F0} s");
        }
        catch (Exception e) when (e is ProcessStartException or IOException or SocketException or UnauthorizedAccessException)
        {
            return SyncAnswer.Not(SyncFailure.Unreachable, SshStderr.Sanitise(e.Message));
        }
    }

    private Task<ProcessResult> SignAsync(ReadOnlyMemory<byte> bundle, CancellationToken ct) =>
        launcher.RunAsync(new ProcessSpec("ssh-keygen", ["-Y", "sign", "-f", bastion.KeyFile, "-n", SignedBundle.Namespace]) { Input = bundle }, ct);

    private async Task<SyncAnswer> SendAsync(IPAddress address, byte[] signed, long number, CancellationToken ct)
    {
        switch (await dialler.DialAsync([address], DialFor, ct))
        {
            case DialResult.Won won:
                using (won.Socket)
                {
                    return await SendAsync(won.Socket, signed, number, ct);
                }

            case DialResult.Lost lost:
                return SyncAnswer.Not(SyncFailure.Unreachable, lost.Failure.Detail);
            default:
                return SyncAnswer.Not(SyncFailure.Unreachable, "not dialled");
        }
    }

    private async Task<SyncAnswer> SendAsync(Socket socket, byte[] signed, long number, CancellationToken ct)
    {
        var log = new SshLog();
        string? answer = null;
        try
        {
            var exit = await _ssh.RunAsync(
                socket,
                (knownHosts, proxy) => SshCommandLine.Command(bastion, bastion.SyncUser ?? SiteDefaults.SyncUser, knownHosts, proxy),
                signed,
                (stream, line) =>
                {
                    if (stream == ProcessStream.Error)
                    {
                        log.Add(line);
                    }
                    else
                    {
                        // The first line counts; a bastion that talks on for ever fills nothing here.
                        Interlocked.CompareExchange(ref answer, line, null);
                    }
                },
                ct);
            return answer is { } line ? SyncReplyReader.Judge(line, number) : SyncReplyReader.Judge(log.All(), exit.Code, log.Phase);
        }
        finally
        {
            carried(TcpBytes.Of(socket) ?? default);
        }
    }
}
