using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Common.Processes;
using Common.Sync;
using InternalHost.Cloud.Local;
using Lab.Net;
using Lab.World;

namespace Integration.Tests.Packages;

/// <summary>
/// A Debian that the package and <c>bastion install</c> have made a bastion. Its logs go to a receiver outside, its alerts to a chat on its
/// loopback; its owner has the maintenance key.
/// </summary>
internal sealed class HardenedBox : IAsyncDisposable
{
    public const string Address = InstalledBox.Address;
    private const string Away = "198.51.100.7";
    public const string Token = "123456:AbCdEfGhIjKlMnOpQrStUvWxYz-_0123456";
    public static readonly IPEndPoint ChatAt = new(IPAddress.Loopback, 8100);
    private static readonly IPEndPoint LogsAt = new(IPAddress.Parse(Away), 6514);
    private static readonly IPEndPoint AskAt = new(IPAddress.Parse(Away), 6515);

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private readonly LabAuthority _authority = LabAuthority.Create();
    private readonly LabCertificate _certificate;

    private HardenedBox(Box box) => (Box, _certificate) = (box, _authority.Issue("logs.example"));

    public Box Box { get; }

    public ScriptedServer Chat { get; private set; } = null!;

    public LogReceiver? Logs { get; private set; }

    /// <summary>What the file system said before anything of ours was there.</summary>
    public string Before { get; private set; } = "";

    /// <summary>The private one, on this machine.</summary>
    public string KeyFile(string name) => Place(name);

    private string Place(string name) => Path.Combine(Box.Folder, name);

    /// <param name="box">Not running, with /packages.</param>
    public static async Task<HardenedBox> MakeAsync(Box box)
    {
        var made = new HardenedBox(box);
        await box.UpAsync();
        await made.StartServersAsync();
        // The kernel is another machine's, and so is how long it has run: the last upgrade is that of this fresh system.
        await box.ShellAsync("mkdir -p /var/lib/apt/periodic; touch /var/lib/apt/periodic/unattended-upgrades-stamp");
        made.Before = await box.SnapshotAsync();
        await made.NewKeyAsync("owner");
        await made.NewKeyAsync("site");
        await made.InstallAsync();
        return made;
    }

    /// <summary>Package, settings, secret, agent, and the hardening.</summary>
    public async Task InstallAsync()
    {
        await Box.RunAsync("dpkg", "-i", (await Box.ShellAsync("ls /packages/bastion_*.deb")).Trim());
        File.Copy(Place("owner.pub"), Path.Combine(Box.Root, "packages/owner.pub"), overwrite: true);
        File.Copy(Place("site.pub"), Path.Combine(Box.Root, "packages/site.pub"), overwrite: true);
        _authority.WriteRoot(Path.Combine(Box.Root, "etc/bastion/logs-ca.pem"));
        await File.WriteAllTextAsync(Path.Combine(Box.Root, "packages/ask-logs"), $"#!/bin/bash\nexec 3<>/dev/tcp/{AskAt.Address}/{AskAt.Port}\nexec cat <&3\n");
        await File.WriteAllTextAsync(Path.Combine(Box.Root, "packages/agent.json"), Agent().ToJsonString());
        await File.WriteAllTextAsync(Path.Combine(Box.Root, "packages/host.yaml"),
            $$"""
            sites: {home: 22001}
            logs: {to: "{{LogsAt}}", peer: logs.example, ca: /etc/bastion/logs-ca.pem, canary: [/bin/bash, /packages/ask-logs]}
            exceptions:
              TIM-001: {reason: "kernel and clock are another machine's", until: 2099-12-31}

            """);
        await Box.ShellAsync(
            $"""
            umask 077; echo {Token} > /etc/bastion/secrets/chat; install -m 640 -g bastion /packages/agent.json /etc/bastion/agent.json
            systemctl restart bastion-agent
            bastion install --config /packages/host.yaml --maintenance-key /packages/owner.pub --site-key home=/packages/site.pub
            """);
        await AgentAnswersAsync();
    }

    /// <summary>The agent as on a machine that is new: it has told nothing, nobody has come, and all it may send is left to it.</summary>
    /// <returns>How many messages the chat has had.</returns>
    public async Task<int> NewAgentAsync()
    {
        await Box.ShellAsync("systemctl stop bastion-agent; rm -rf /var/lib/bastion/* /var/spool/bastion/new/*; journalctl --quiet --rotate --vacuum-size=1; systemctl start bastion-agent");
        await AgentAnswersAsync();
        return Chat.Requests.Count;
    }

    /// <summary>Off and on, as a VM is.</summary>
    public async Task RestartAsync()
    {
        await Box.DownAsync();
        await Box.UpAsync();
        await StartServersAsync();
        await AgentAnswersAsync();
    }

    public async Task StopLogsAsync()
    {
        if (Logs is { } logs)
        {
            Logs = null;
            await logs.DisposeAsync();
        }
    }

    public async Task StartLogsAsync() => Logs = await NetworkNamespace.RunAsync(Box.Away, () => new LogReceiver(_certificate, LogsAt, AskAt));

    public Task<ProcessResult> SshAsync(int port, params string[] command) => Box.AwayAsync([.. Ssh("owner", port), $"maintenance@{Address}", .. command]);

    public Task<ProcessResult> SshAsAsync(string key, int port, string account) => Box.AwayAsync([.. Ssh(key, port), $"{account}@{Address}"]);

    /// <summary>A session of the owner's that lasts.</summary>
    public IChildProcess Stay(int port) => Box.StayAway([.. Ssh("owner", port), $"maintenance@{Address}", "sleep", "1000"]);

    /// <returns>The public key, <c>type base64</c>.</returns>
    public async Task<string> NewKeyAsync(string name) => (await SshKeygen.EnsurePairAsync(Place(name), _launcher, default)).Line;

    /// <summary>By the site's key; what the bastion answers.</summary>
    public async Task<string> PushAsync(Bundle bundle)
    {
        var file = Place($"bundle-{bundle.Number}");
        await File.WriteAllBytesAsync(file, JsonSerializer.SerializeToUtf8Bytes(bundle, BundleJson.Default.Bundle));
        var words = string.Join(' ', Ssh("site", 49022).Append($"bastion-sync@{Address}"));
        var result = await Box.AwayAsync("sh", "-c", $"ssh-keygen -q -Y sign -f {Place("site")} -n {SignedBundle.Namespace} {file} && cat {file}.sig {file} | {words}");
        return result.Output is { Length: > 0 } reply ? reply : throw new InvalidOperationException(result.Error);
    }

    /// <summary>A login of somebody with the maintenance account's key works.</summary>
    public async Task OwnerComesInAsync(int port)
    {
        var result = await SshAsync(port, "id", "-un");
        Assert.True(result.Output.Trim() == "maintenance", $"port {port}: {result.Output} {result.Error}");
    }

    /// <summary>The chat was told of it after its first <paramref name="from"/> messages.</summary>
    public Task ToldAsync(int from, string words) =>
        Box.UntilAsync(() => Task.FromResult(Chat.Requests.Skip(from).Any(r => r.Body.Contains(words, StringComparison.Ordinal))), $"the chat is told \"{words}\"");

    public async ValueTask DisposeAsync()
    {
        await Box.DownAsync();   // first: what nobody answers any more would be waited for
        await StopLogsAsync();
        if (Chat is not null)
        {
            await Chat.DisposeAsync();
        }

        _certificate.Dispose();
        _authority.Dispose();
    }

    private static JsonObject Agent() => new()
    {
        ["site"] = "home",
        ["vm"] = "bastion-home",
        ["log"] = "journal",
        ["identities"] = new JsonArray(),
        ["telegram"] = new JsonObject { ["chat"] = "42", ["base_url"] = $"http://{ChatAt}", ["secret_file"] = "/run/credentials/bastion-agent.service/secrets_chat" },
    };

    /// <summary>Their sockets belong to the network of one start of the box. What was told before is forgotten.</summary>
    private async Task StartServersAsync()
    {
        if (Chat is not null)
        {
            await Chat.DisposeAsync();
        }

        Chat = await NetworkNamespace.RunAsync(Box.Inside, () => ScriptedServer.Start(at: ChatAt));
        Chat.Otherwise = ScriptedServer.Answer(200, """{"ok":true,"result":{"message_id":42}}""");
        await StopLogsAsync();
        await StartLogsAsync();
    }

    private Task AgentAnswersAsync() => Box.UntilAsync(async () => (await Box.TryAsync("systemctl", "is-active", "bastion-agent")).Ok, "the agent runs");

    private string[] Ssh(string key, int port) =>
    [
        "ssh", "-F", "none", "-i", Place(key), "-p", $"{port}", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=accept-new",
        "-o", "UserKnownHostsFile=" + Path.Combine(Box.Folder, "known_hosts"), "-o", "ConnectTimeout=30", "-o", "LogLevel=ERROR",
    ];
}
