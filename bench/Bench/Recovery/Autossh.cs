using System.Net;
using Common.Processes;

namespace Bench.Recovery;

/// <summary>The rival: autossh(1) with one reverse forward, over the backup, with an account of its own on the bastion.</summary>
/// <param name="Settings">What makes it "by default" or "as recommended".</param>
internal sealed record Autossh(string Name, string Account, IReadOnlyList<string> Settings, IReadOnlyDictionary<string, string> Environment)
{
    public const string Program = "/usr/bin/autossh";

    /// <summary>An ssh that ends sooner after its start makes autossh give up (AUTOSSH_GATETIME): no fault comes before.</summary>
    public static readonly TimeSpan GateTime = TimeSpan.FromSeconds(30);

    public static IReadOnlyList<Autossh> All { get; } =
    [
        new("autossh, defaults", "alice", [], new Dictionary<string, string>()),
        new(
            "autossh -M 0, 10/3", "bob",
            ["-M", "0", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3", "-o", "ExitOnForwardFailure=yes"],
            new Dictionary<string, string> { ["AUTOSSH_GATETIME"] = "0" }),
    ];

    /// <param name="from">The backup's address; the world's routes lead it out by the backup.</param>
    /// <param name="port">The bastion's, to listen on; the same one at home is what it leads to.</param>
    public ProcessSpec Command(IPEndPoint server, IPAddress from, string key, string knownHosts, int port, int target) => new(Program,
    [
        .. Settings, "-F", "none", "-N", "-b", $"{from}", "-i", key, "-p", $"{server.Port}", "-R", $"127.0.0.1:{port}:127.0.0.1:{target}", "-o", "BatchMode=yes",
        "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=yes", "-o", $"UserKnownHostsFile={knownHosts}", "-o", "GlobalKnownHostsFile=none",
        $"{Account}@{server.Address}",
    ])
    {
        Environment = Environment,
    };
}
