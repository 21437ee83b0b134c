using System.Net;
using System.Net.Sockets;
using Common.Processes;
using Common.Time;
using InternalHost.Cloud.Local;
using Lab.Demo;

namespace Bench;

/// <summary>
/// A reverse tunnel as people make it without us: one ssh with -R, run again when it ends. Reached when a line comes back through the
/// bastion's port.
/// </summary>
internal sealed class Rival
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly IReadOnlyList<string> _command;
    private readonly TimeSpan? _restart;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly string _knownHosts;
    private readonly IPEndPoint _sshd;
    private readonly int _port;
    private readonly IProcessLauncher _launcher;
    private readonly TimeProvider _time;

    private Rival(
        string name, IReadOnlyList<string> command, TimeSpan? restart, IReadOnlyDictionary<string, string> environment, string key, string authorizedKey, string knownHosts,
        IPEndPoint sshd, int port, IProcessLauncher launcher, TimeProvider time)
    {
        (Name, _restart, _environment, AuthorizedKey, _knownHosts, _sshd, _port, _launcher, _time) =
            (name, restart, environment, authorizedKey, knownHosts, sshd, port, launcher, time);
        _command =
        [
            .. command, "-F", "none", "-N", "-i", key, "-p", $"{sshd.Port}", "-R", $"127.0.0.1:{port}:127.0.0.1:{port + 1}",
            "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=yes", "-o", $"UserKnownHostsFile={knownHosts}",
            "-o", "GlobalKnownHostsFile=none", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=2",
            $"{DemoSite.User}@{sshd.Address}",
        ];
    }

    public string Name { get; }

    /// <summary>What the VM has to allow it.</summary>
    public string AuthorizedKey { get; }

    /// <summary>Plain ssh in a systemd-like loop; autossh where it is installed.</summary>
    public static async Task<IReadOnlyList<Rival>> AllAsync(RunFolder folder, IPEndPoint sshd, IProcessLauncher launcher, TimeProvider time, CancellationToken ct)
    {
        var rivals = new List<Rival> { await MakeAsync("ssh, RestartSec=5", ["ssh"], TimeSpan.FromSeconds(5), new Dictionary<string, string>()) };
        if (File.Exists("/usr/bin/autossh"))
        {
            rivals.Add(await MakeAsync("autossh", ["autossh", "-M", "0"], null, new Dictionary<string, string> { ["AUTOSSH_GATETIME"] = "0" }));
        }

        return rivals;

        async Task<Rival> MakeAsync(string name, IReadOnlyList<string> command, TimeSpan? restart, IReadOnlyDictionary<string, string> environment)
        {
            var key = folder.File($"rival-{name.Split(',')[0]}");
            var port = DemoPorts.Find().FirstForward;
            var pair = await SshKeygen.EnsurePairAsync(key, launcher, ct);
            return new Rival(name, command, restart, environment, key, AuthorizedKeyLine.Site(pair.Line, [port], port, null), key + "-hosts", sshd, port, launcher, time);
        }
    }

    public Rival Pinned(string hostKey)
    {
        File.WriteAllText(_knownHosts, $"[{_sshd.Address}]:{_sshd.Port} {hostKey}\n");
        return this;
    }

    /// <returns>When the first line came back; null when it was cancelled before. The tunnel is gone afterwards.</returns>
    public async Task<Instant?> RunAsync(CancellationToken ct)
    {
        using var echo = new TcpListener(IPAddress.Loopback, _port + 1);
        echo.Start();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var echoing = EchoAsync(echo, ending.Token);
        var holding = HoldAsync(ending.Token);
        try
        {
            while (!await ComesBackAsync(ct))
            {
                await Task.Delay(Look, _time, ct);
            }

            return Instant.Now(_time);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        finally
        {
            await ending.CancelAsync();
            echo.Stop();
            await Task.WhenAll(echoing, holding).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task HoldAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var spec = new ProcessSpec(_command[0], [.. _command.Skip(1)]) { Environment = _environment };
            await using var child = _launcher.Start(spec, (_, _) => { });
            await using var stop = ct.Register(() => _ = child.StopAsync());
            await child.Exited;
            await Task.Delay(_restart ?? Look, _time, ct);
        }
    }

    private async Task<bool> ComesBackAsync(CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(1));
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, _port, limit.Token);
            var stream = client.GetStream();
            await stream.WriteAsync("echo?"u8.ToArray(), limit.Token);
            var back = new byte[5];
            await stream.ReadExactlyAsync(back, limit.Token);
            return back.AsSpan().SequenceEqual("echo?"u8);
        }
        catch (Exception e) when (e is SocketException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return false;
        }
    }

    private static async Task EchoAsync(TcpListener listener, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            using var client = await listener.AcceptTcpClientAsync(ct);
            var buffer = new byte[5];
            var stream = client.GetStream();
            try
            {
                await stream.ReadExactlyAsync(buffer, ct);
                await stream.WriteAsync(buffer, ct);
            }
            catch (IOException)
            {
                // It went away; the next look comes soon.
            }
        }
    }
}
