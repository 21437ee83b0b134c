using System.Collections.Immutable;
using System.Net.Sockets;
using System.Security.Cryptography;
using Common.Processes;
using InternalHost.Configuration;
using InternalHost.Pins;

namespace InternalHost.Tunnel;

/// <summary>Runs one ssh over a connection of ours, from its start to its end, beside the tunnel's own; leaves no file behind.</summary>
internal sealed class SshOnce(IProcessLauncher launcher, BastionOptions bastion, string runtimeDirectory, SelfProgram? self = null, AcceptedKeys? keys = null)
{
    private readonly SelfProgram _self = self ?? SelfProgram.Default();

    /// <summary>As the transport's: two daemons never meet at one path.</summary>
    private readonly string _salt = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(2));
    private int _runs;

    /// <param name="arguments">From the known hosts' file and the proxy command.</param>
    /// <exception cref="ProcessStartException">There is no ssh.</exception>
    /// <exception cref="IOException">No file or socket can be made below the runtime directory.</exception>
    public async Task<ProcessExit> RunAsync(
        Socket socket, Func<string, string, ImmutableArray<string>> arguments, ReadOnlyMemory<byte> input, Action<ProcessStream, string> onLine, CancellationToken ct)
    {
        var name = Path.Combine(TunnelFolder.Prepare(runtimeDirectory), $"{_salt}p{Interlocked.Increment(ref _runs)}");
        var knownHosts = name + ".l";
        using var handover = new HandoverServer(name + ".h");
        using var given = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            await File.WriteAllTextAsync(knownHosts, SshCommandLine.KnownHosts(bastion, keys?.Now ?? bastion.HostKeys), ct);
            var giving = handover.GiveAsync(socket, given.Token);
            var words = arguments(knownHosts, SshCommandLine.ProxyCommand([.. _self.Words, "handover", handover.Path]));
            var exit = await RunAsync(new ProcessSpec("ssh", words) { Environment = _self.Environment, Input = input }, onLine, ct);
            await given.CancelAsync();
            await giving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return exit;
        }
        finally
        {
            File.Delete(knownHosts);
        }
    }

    private async Task<ProcessExit> RunAsync(ProcessSpec spec, Action<ProcessStream, string> onLine, CancellationToken ct)
    {
        await using var child = launcher.Start(spec, onLine);
        await using var registration = ct.Register(() => _ = child.StopAsync());
        var exit = await child.Exited;
        ct.ThrowIfCancellationRequested();
        return exit;
    }
}
