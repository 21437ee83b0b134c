using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Common.Processes;
using Lab;
using Lab.World;

namespace Bench;

/// <summary>
/// What a hook adds to a login: ours, and the article's login.sh, which calls the gateway while the user waits, with a gateway that answers after
/// 300 ms and with one that is dead. Real sshd with real PAM; the kinds take turns, and each is compared with the login without any hook beside it.
/// </summary>
internal sealed class LoginDelay : IBenchmark
{
    private const int PromisedRuns = 40;
    private const string None = "none";
    private const string Ours = "ours";
    private const string OursDead = "ours, gateway dead";
    private const string Slow = "login.sh, gateway answers after 300 ms";
    private const string Dead = "login.sh, gateway dead (curl -m 5)";
    private static readonly TimeSpan GatewayTakes = TimeSpan.FromMilliseconds(300);

    public string Name => "login-delay";

    public string What => "what the PAM hook adds to a login; rival: a hook that calls the gateway";

    public async Task<BenchmarkResult> RunAsync(int? runs, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess || Array.Find(["curl", "unshare", "nsenter", "newusers"], p => !OnPath(p)) is { })
        {
            throw new CannotRunException("needs root, curl, util-linux and passwd: sshd runs with PAM files of its own in a mount namespace");
        }

        var launcher = new SystemProcessLauncher(TimeProvider.System);
        var folder = Directory.CreateTempSubdirectory("ld-").FullName;
        using var gateway = new TcpListener(IPAddress.Loopback, 0);
        gateway.Start();
        // The kernel takes its connections, and nobody ever answers.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var answering = AnswerAsync(gateway, ending.Token);
        try
        {
            await using var host = await PamHost.StartAsync(folder, launcher, ct);
            var port = ((IPEndPoint)gateway.LocalEndpoint).Port;
            var good = (await host.InsideAsync(ct, "cat", "/etc/pam.d/sshd")).Output.Split('\n');
            var ours = Array.FindIndex(good, l => l.Contains($" {host.Hook} ", StringComparison.Ordinal));
            var kinds = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                [None] = "",
                [Ours] = good[ours],
                [OursDead] = good[ours],
                [Slow] = CallsGateway(folder, "slow", $"curl -s -m 5 -d x http://127.0.0.1:{port}/"),
                [Dead] = CallsGateway(folder, "dead", $"curl -s -m 5 -d x http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/"),
            };
            var added = kinds.Keys.ToDictionary(k => k, _ => new List<double>(), StringComparer.Ordinal);
            for (var run = 0; run < (runs ?? PromisedRuns) + 1; run++)
            {
                var bare = 0.0;
                foreach (var (kind, line) in kinds.Where(k => k.Key != Dead || run % 10 == 1))
                {
                    good[ours] = line;
                    await File.WriteAllLinesAsync(Path.Combine(folder, "pam"), good, ct);
                    await host.InsideAsync(ct, "cp", Path.Combine(folder, "pam"), "/etc/pam.d/sshd");
                    var took = await LoginAsync(host, launcher, ct);
                    bare = kind == None ? took : bare;
                    // The first of all pays for cold caches.
                    if (run > 0 && kind != None)
                    {
                        added[kind].Add(took - bare);
                    }
                }

                foreach (var spooled in Directory.GetFiles(Path.Combine(folder, "spool/bastion/new")))
                {
                    File.Delete(spooled);
                }
            }

            var version = (await launcher.RunAsync(new ProcessSpec("ssh", ["-V"]), ct)).Error.Trim();
            return new BenchmarkResult(
                Name, new Promise("p50", "<=", 5, "ms"), Series.Of(added[Ours], version),
                ((string[])[OursDead, Slow, Dead]).ToDictionary(k => k, k => Series.Of(added[k], version), StringComparer.Ordinal), runs ?? PromisedRuns);
        }
        finally
        {
            await ending.CancelAsync();
            await answering;
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<double> LoginAsync(PamHost host, IProcessLauncher launcher, CancellationToken ct)
    {
        var began = Stopwatch.GetTimestamp();
        var result = await launcher.RunAsync(new ProcessSpec("ssh", [.. host.SshOptions, $"alice@{host.Server.Address}", "true"]), ct);
        return result.Ok ? Stopwatch.GetElapsedTime(began).TotalMilliseconds : throw new InvalidOperationException($"ssh failed: {result.Error}");
    }

    private static string CallsGateway(string folder, string name, string command)
    {
        const UnixFileMode Runnable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        var script = Path.Combine(folder, name);
        File.WriteAllText(script, $"#!/bin/bash\n{command}\n");
        File.SetUnixFileMode(script, Runnable);
        return $"session optional pam_exec.so quiet type=open_session {script}";
    }

    private static async Task AnswerAsync(TcpListener listener, CancellationToken ct)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync(ct);
                await Task.Delay(GatewayTakes, TimeProvider.System, ct);
                await client.GetStream().WriteAsync("HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"u8.ToArray(), ct);
                client.Client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (OperationCanceledException)
        {
            // the benchmark ends
        }
    }

    private static bool OnPath(string program) => new[] { "/usr/bin", "/usr/sbin", "/bin", "/sbin" }.Any(d => File.Exists(Path.Combine(d, program)));
}
