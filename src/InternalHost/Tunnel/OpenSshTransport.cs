using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Pins;

namespace InternalHost.Tunnel;

/// <summary>
/// Tunnels by the system's OpenSSH client: a master that carries the connection, and short-lived clients of its control socket
/// that ask it for forwards. ssh carries the data; the connection itself was made, and is bound, by us.
/// </summary>
/// <param name="runtimeDirectory">Short, because ssh adds 17 characters to a control path (sun_path holds 107).</param>
internal sealed class OpenSshTransport(
    IProcessLauncher launcher, BastionOptions bastion, string runtimeDirectory, TimeProvider time, SelfProgram? self = null, AcceptedKeys? keys = null) : ITunnelTransport
{
    public const int ControlPathCap = 80;

    /// <summary>Banner to end of key exchange: three round trips and some arithmetic on a small VM.</summary>
    private static readonly TimeSpan KeyExchangeLimit = TimeSpan.FromSeconds(8);

    /// <summary>The whole way to an answering control socket; PAM on the other side may be slow.</summary>
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    /// <summary>Two daemons, or one and its killed predecessor's dying ssh, never meet at one path.</summary>
    private readonly string _salt = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(2));

    private readonly SelfProgram _self = self ?? SelfProgram.Default();
    private readonly Lazy<string> _ciphers = new(() => CpuCipher.Choose(ReadCpuInfo()));
    private bool _prepared;

    public async Task<ITunnelConnection> ConnectAsync(Socket socket, int run, CancellationToken ct)
    {
        var paths = PathsOf(run);
        var log = new SshLog();
        IChildProcess? child = null;
        HandoverServer? handover = null;
        try
        {
            Prepare(paths);
            handover = new HandoverServer(paths.Handover);
            child = launcher.Start(Master(paths), (_, line) => log.Add(line));
            using var given = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var giving = handover.GiveAsync(socket, given.Token);
            await AwaitControlSocketAsync(child, log, paths.Control, ct);
            await given.CancelAsync();
            await giving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            log.Reached(SshPhase.Connected);
            var control = new SshControl(launcher, bastion, paths.Control, log, time);
            return new OpenSshConnection(child, control, socket, paths, log);
        }
        catch (Exception e)
        {
            if (child is not null)
            {
                await child.DisposeAsync();
            }

            socket.Dispose();
            throw e switch
            {
                ProcessStartException or IOException or UnauthorizedAccessException or SocketException =>
                    new TunnelException(new(TunnelReason.NoSshClient, SshStderr.Sanitise(e.Message)), e),
                _ => e,
            };
        }
        finally
        {
            handover?.Dispose();
        }
    }

    private ProcessSpec Master(SshPaths paths) => new("ssh", SshCommandLine.Master(
        bastion, paths.Control, paths.KnownHosts, SshCommandLine.ProxyCommand([.. _self.Words, "handover", paths.Handover]), _ciphers.Value))
    {
        Environment = _self.Environment,
    };

    /// <summary>ssh makes its control socket once the login is through, so that file is the news; then it must also answer.</summary>
    private async Task AwaitControlSocketAsync(IChildProcess child, SshLog log, string control, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        while (!File.Exists(control))
        {
            if (child.Exited.IsCompleted)
            {
                throw new TunnelException(SshStderr.Classify(log.All(), (await child.Exited).Code, log.Phase));
            }

            ThrowIfMuxDisabled(log);
            var late = time.GetElapsedTime(started);
            if (late > ConnectLimit || (late > KeyExchangeLimit && log.Phase < SshPhase.Authenticating))
            {
                throw new TunnelException(Hang(log.Phase, late));
            }

            await Task.WhenAny(child.Exited, Task.Delay(Look, time, ct));
            ct.ThrowIfCancellationRequested();
        }

        var check = await launcher.RunAsync(new("ssh", SshCommandLine.Check(bastion, control)), ct);
        if (!check.Ok)
        {
            throw new TunnelException(child.Exited.IsCompleted
                ? SshStderr.Classify(log.All(), (await child.Exited).Code, SshPhase.Connected)
                : new(TunnelReason.MuxDisabled, SshStderr.Sanitise(check.Error)));
        }
    }

    /// <summary>ssh goes on without its control socket, connected and of no use.</summary>
    private static void ThrowIfMuxDisabled(SshLog log)
    {
        if (log.Phase == SshPhase.Authenticated && SshStderr.Classify(log.All(), null, SshPhase.Authenticated) is { Reason: TunnelReason.MuxDisabled } failure)
        {
            throw new TunnelException(failure);
        }
    }

    private static TunnelFailure Hang(SshPhase phase, TimeSpan late) => new(
        SshStderr.HangIn(phase),
        phase >= SshPhase.Authenticating
            ? $"the login was not answered in {late.TotalSeconds:F0} s"
            : $"banner seen, but the key exchange did not finish in {late.TotalSeconds:F0} s: packets of full size may be lost (path MTU)");

    private SshPaths PathsOf(int run)
    {
        var paths = SshPaths.Of(TunnelFolder.In(runtimeDirectory), _salt, run);
        return Encoding.UTF8.GetByteCount(paths.Control) <= ControlPathCap
            ? paths
            : throw new TunnelException(new(TunnelReason.MuxDisabled,
                $"control path {paths.Control} is longer than {ControlPathCap} bytes: choose a shorter runtime directory"));
    }

    private void Prepare(SshPaths paths)
    {
        if (!_prepared)
        {
            SshPaths.DeleteOld(TunnelFolder.Prepare(runtimeDirectory));
            _prepared = true;
        }

        File.Delete(paths.Control);
        File.WriteAllText(paths.KnownHosts, SshCommandLine.KnownHosts(bastion, keys?.Now ?? bastion.HostKeys));
    }

    private static string ReadCpuInfo()
    {
        try
        {
            return File.ReadAllText("/proc/cpuinfo");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
