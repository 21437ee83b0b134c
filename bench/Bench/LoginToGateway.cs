using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Common.Processes;
using Common.Time;
using Lab;
using Lab.Demo;
using Lab.World;

namespace Bench;

/// <summary>
/// From the moment in which sshd says that it has accepted a login to the arrival of its message at the SMS gateway: a real sshd with real PAM and our hook,
/// and the agent as a process of its own. Every login comes from a network that is new, so that each is told. A script that calls the gateway itself is no rival here: it is
/// first, and lets the login wait for it (login-delay).
/// </summary>
internal sealed class LoginToGateway : IBenchmark
{
    private const int PromisedRuns = 100;

    /// <summary>The budget of an agent that remembers nothing has room for these.</summary>
    private const int LoginsOfOneLife = 2;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    public string Name => "login-to-gateway";

    public string What => "sshd accepts a login -> its message arrives at the SMS gateway; no rival";

    public async Task<BenchmarkResult> RunAsync(int? runs, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new CannotRunException("needs root: sshd runs with PAM files of its own in a mount namespace");
        }

        var count = runs ?? PromisedRuns;
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        var took = new List<double>();
        while (took.Count < count)
        {
            await LiveAsync(took, count, launcher, ct);
            await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{took.Count,4}/{count} {took[^1]:F0} ms"));
        }

        var version = (await launcher.RunAsync(new ProcessSpec("ssh", ["-V"]), ct)).Error.Trim();
        return new BenchmarkResult(Name, new Promise("p99", "<=", 250, "ms"), Series.Of(took, version), new Dictionary<string, Series>(), count);
    }

    /// <summary>A host and an agent of their own, and a few logins.</summary>
    private static async Task LiveAsync(List<double> took, int count, SystemProcessLauncher launcher, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        var folder = Directory.CreateTempSubdirectory("lg-").FullName;
        var said = new ConcurrentQueue<string>();
        try
        {
            await using var host = await PamHost.StartAsync(folder, launcher, limit.Token);
            await using var gateway = await TwilioGateway.StartAsync(new TwilioAccount());
            var settings = await WriteSettingsAsync(folder, host, gateway, launcher, limit.Token);
            var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var agent = launcher.Start(
                new ProcessSpec("dotnet", [Path.Combine(AppContext.BaseDirectory, "bastion.dll"), "agent", "--config", settings]), (_, line) =>
                {
                    said.Enqueue(line);
                    if (line.Contains("logins are seen", StringComparison.Ordinal))
                    {
                        ready.TrySetResult();
                    }
                });
            await ready.Task.WaitAsync(limit.Token);
            for (var n = 0; n < LoginsOfOneLife && took.Count < count; n++)
            {
                took.Add(await OneAsync(host, gateway, new IPAddress([127, 30, (byte)took.Count, 1]), launcher, limit.Token));
            }

            await agent.StopAsync(Patience);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new InvalidOperationException($"a login was not told within {Patience.TotalSeconds} s; the agent said:\n{string.Join('\n', said)}", e);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <returns>Milliseconds.</returns>
    private static async Task<double> OneAsync(PamHost host, TwilioGateway gateway, IPAddress from, IProcessLauncher launcher, CancellationToken ct)
    {
        var accepted = AcceptedAsync(host.LogFile, from, ct);
        var result = await launcher.RunAsync(new ProcessSpec("ssh", [.. host.SshOptions, "-o", $"BindAddress={from}", $"alice@{host.Server.Address}", "true"]), ct);
        if (!result.Ok)
        {
            throw new InvalidOperationException($"ssh failed: {result.Error}");
        }

        var login = await accepted;
        while (true)
        {
            if (gateway.Messages.FirstOrDefault(m => m.Body.Contains($"{from}", StringComparison.Ordinal)) is { } told)
            {
                return (told.At - login).TotalMilliseconds;
            }

            await Task.Delay(Look, TimeProvider.System, ct);
        }
    }

    /// <summary>When sshd's line of it is in the log, to a millisecond or two.</summary>
    private static async Task<Instant> AcceptedAsync(string log, IPAddress from, CancellationToken ct)
    {
        await using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Seek(0, SeekOrigin.End);
        using var reader = new StreamReader(file);
        for (var read = ""; ; await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, ct))
        {
            read += await reader.ReadToEndAsync(ct);
            if (read.Contains($"Accepted publickey for alice from {from} ", StringComparison.Ordinal))
            {
                return Instant.Now(TimeProvider.System);
            }
        }
    }

    /// <returns>The path of the agent's settings.</returns>
    private static async Task<string> WriteSettingsAsync(string folder, PamHost host, TwilioGateway gateway, IProcessLauncher launcher, CancellationToken ct)
    {
        var fingerprint = (await launcher.RunAsync(new ProcessSpec("ssh-keygen", ["-lf", host.Key + ".pub"]), ct)).Output.Split(' ')[1];
        return new AgentFiles(folder, host.LogFile, DemoPorts.Find().Agent, host.Server.Port, gateway, new AgentFiles.Person("alice", "phone", fingerprint))
        {
            Spool = Path.Combine(folder, "spool/bastion"),
        }.Write();
    }
}
