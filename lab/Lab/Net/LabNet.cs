using System.Globalization;
using System.Text.RegularExpressions;
using Common.Processes;

namespace Lab.Net;

/// <summary>
/// The network of <c>lab/net</c>, up while this lives (root only). Its parts: home, router (wirings B, C), modem and box (C), isp1, isp2,
/// cloud, away. Its prefix names the process it belongs to, so that the next run removes what a killed one left.
/// </summary>
public sealed partial class LabNet : IAsyncDisposable
{
    private static readonly string Script = Path.Combine(Repository.Root, "lab", "net");

    /// <summary>Ourselves, wherever we were built: some faults need a program.</summary>
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "lab.dll");

    private const int CannotRun = 77;

    private static int _made;

    private readonly IProcessLauncher _launcher;

    private LabNet(string prefix, IProcessLauncher launcher) => (Prefix, _launcher) = (prefix, launcher);

    public string Prefix { get; }

    /// <summary>What <c>lab/net addresses</c> says: bastion, gateway, dns_a, primary_interface, primary_address, ...</summary>
    public IReadOnlyDictionary<string, string> Addresses { get; private set; } = new Dictionary<string, string>();

    /// <param name="wiring">A: an interface each. B: one wire and a router. C: a host that is routed by the backup only.</param>
    /// <param name="failover">The router moves the primary's traffic to the backup by itself.</param>
    /// <exception cref="LabNetException">The script's own words.</exception>
    public static async Task<LabNet> UpAsync(char wiring, bool failover, IProcessLauncher launcher, CancellationToken ct)
    {
        await SweepAsync(launcher, ct);
        var net = new LabNet($"lab.{Environment.ProcessId}.{Interlocked.Increment(ref _made)}-", launcher);
        string[] words = failover ? ["up", $"{wiring}", "--failover"] : ["up", $"{wiring}"];
        await net.RunAsync(words, ct);
        try
        {
            var said = await net.RunAsync(["addresses"], ct);
            net.Addresses = said.Split('\n').Select(l => l.Split('=', 2)).ToDictionary(p => p[0], p => p[1], StringComparer.Ordinal);
            return net;
        }
        catch
        {
            await net.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="LabNetException">Also where this machine cannot make it: <see cref="LabNetException.CannotRun"/>.</exception>
    public Task FaultAsync(CancellationToken ct, params string[] words) => RunAsync(["fault", .. words], ct);

    public Task ClearAsync(string name, CancellationToken ct) => RunAsync(["clear", name], ct);

    public Task<string> StatusAsync(CancellationToken ct) => RunAsync(["status"], ct);

    /// <summary>IP bytes that the backup has carried, headers included.</summary>
    public async Task<(long Up, long Down)> BackupBytesAsync(CancellationToken ct)
    {
        var words = (await RunAsync(["bytes"], ct)).Split(' ');
        return (long.Parse(words[1], CultureInfo.InvariantCulture), long.Parse(words[3], CultureInfo.InvariantCulture));
    }

    /// <summary>The same program, run in one part of the network, with that part's own /sys.</summary>
    public ProcessSpec In(string part, ProcessSpec spec) =>
        spec with { Program = "ip", Arguments = ["netns", "exec", Prefix + part, spec.Program, .. spec.Arguments] };

    /// <summary>Makes sockets that belong to one part of the network.</summary>
    public Task<T> InAsync<T>(string part, Func<T> make) => NetworkNamespace.RunAsync(Prefix + part, make);

    public async ValueTask DisposeAsync() => await RunAsync(["down"], CancellationToken.None);

    /// <summary>Removes the networks of processes that are gone: nobody can clean up after kill -9 but the next run.</summary>
    private static async Task SweepAsync(IProcessLauncher launcher, CancellationToken ct)
    {
        if (!Directory.Exists("/run/netns"))
        {
            return;
        }

        var left = Directory.EnumerateFiles("/run/netns").Select(f => Prefixed().Match(Path.GetFileName(f)))
            .Where(m => m.Success && !Directory.Exists($"/proc/{m.Groups["pid"].Value}")).Select(m => m.Groups["prefix"].Value).Distinct();
        foreach (var prefix in left.ToList())
        {
            // Another run may be sweeping too: whoever comes second finds nothing, or half of it.
            await launcher.RunAsync(new ProcessSpec(Script, ["-p", prefix, "down"]), ct);
        }
    }

    [GeneratedRegex(@"^(?<prefix>lab\.(?<pid>\d+)\.\d+-)", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Prefixed();

    private async Task<string> RunAsync(string[] words, CancellationToken ct)
    {
        var result = await _launcher.RunAsync(
            new ProcessSpec(Script, ["-p", Prefix, .. words]) { Environment = new Dictionary<string, string> { ["LAB_PROGRAM"] = Program } }, ct);
        return result.Ok ? result.Output : throw new LabNetException($"lab/net {string.Join(' ', words)}: {result.Error}") { CannotRun = result.Exit.Code == CannotRun };
    }
}

public sealed class LabNetException(string message) : Exception(message)
{
    /// <summary>This machine lacks what the fault needs.</summary>
    public bool CannotRun { get; init; }
}
