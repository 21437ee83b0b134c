using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Common.Processes;
using InternalHost.Cloud.Local;
using Lab.Net;
using Lab.World;
using Testing;

namespace Integration.Tests.Packages;

[CollectionDefinition(nameof(InstalledBox))]
public sealed class InstalledBoxCollection : ICollectionFixture<InstalledBox>;

/// <summary>
/// The packages of this checkout, built and installed into a real Debian that runs systemd; a Twilio-shaped gateway on its loopback;
/// alice, who has a key.
/// </summary>
public sealed class InstalledBox : IAsyncLifetime
{
    public const Need Needed = Need.Root | Need.NetworkNamespaces | Need.Ssh | Need.Container;
    public const string Address = "203.0.113.64";

    private static readonly IPEndPoint GatewayAt = new(IPAddress.Loopback, 8099);

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private PublicKey? _alice;
    private int _keys;
    private Box? _copy;
    private Task<HardenedBox>? _hardened;

    internal Box Box { get; } = new();

    public TwilioGateway Gateway { get; private set; } = null!;

    /// <summary>What dpkg and the file system said before the package came.</summary>
    public string Before { get; private set; } = "";

    private string Key => Path.Combine(Box.Folder, "alice");

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needed) is not null)
        {
            return;
        }

        await Box.SweepAsync();
        var packages = Path.Combine(Box.Folder, "packages");
        var built = Box.BuildAsync("--no-get", "--out", packages, "bastion", "internalhost");
        await Box.MakeAsync();
        if (await built is { Ok: false } failed)
        {
            throw new InvalidOperationException($"infra/package: {failed.Output}\n{failed.Error}");
        }

        Directory.Move(packages, Path.Combine(Box.Root, "packages"));
        _copy = await Box.CopyAsync();
        await Box.UpAsync();
        await StartGatewayAsync();
        _alice = await SshKeygen.EnsurePairAsync(Key, _launcher, default);
        await Box.ShellAsync($"useradd -m -s /bin/bash alice && install -d -o alice -m 700 ~alice/.ssh && echo '{_alice.Line}' > ~alice/.ssh/authorized_keys && chown alice ~alice/.ssh/authorized_keys");
        Before = await Box.SnapshotAsync();
        await InstallAsync();
    }

    public async Task DisposeAsync()
    {
        if (_hardened is not null)
        {
            await (await _hardened).DisposeAsync();
        }

        if (_copy is not null)
        {
            await _copy.DisposeAsync();
        }

        await Box.DisposeAsync();
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();   // last: what nobody answers any more would be waited for
        }
    }

    /// <summary>Its socket belongs to the network of one start of the box.</summary>
    public async Task StartGatewayAsync()
    {
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
        }

        Gateway = await NetworkNamespace.RunAsync(Box.Inside, () => TwilioGateway.StartAsync(new TwilioAccount(), GatewayAt).GetAwaiter().GetResult());
    }

    /// <summary>Installs, writes the settings and the secret, starts.</summary>
    public async Task InstallAsync()
    {
        await Box.ShellAsync("dpkg -i /packages/bastion_*.deb /packages/internalhost_*.deb");
        var settings = new JsonObject
        {
            ["site"] = "home",
            ["vm"] = "bastion-home",
            ["log"] = "journal",
            ["sshd_ports"] = new JsonArray(22),
            ["identities"] = new JsonArray(new JsonObject { ["fingerprint"] = _alice!.Fingerprint, ["role"] = "person", ["name"] = "alice", ["device"] = "laptop" }),
            ["sms"] = new JsonObject
            {
                ["base_url"] = $"http://{GatewayAt}",
                ["account"] = Gateway.Account.Sid,
                ["key_name"] = Gateway.Account.KeyName,
                ["secret_file"] = "/run/credentials/bastion-agent.service/secrets_sms",
                ["from"] = Gateway.Account.Number,
                ["to"] = new JsonArray("+15550100001"),
            },
        };
        await File.WriteAllTextAsync(Path.Combine(Box.Root, "etc/bastion/agent.json"), settings.ToJsonString());
        await Box.ShellAsync($"umask 077; echo {Gateway.Account.Secret} > /etc/bastion/secrets/sms; chown root:bastion /etc/bastion/agent.json; chmod 640 /etc/bastion/agent.json; systemctl restart bastion-agent");
        await UntilAsync(async () => (await Box.TryAsync("systemctl", "is-active", "bastion-agent")).Ok, "the agent runs");
    }

    /// <summary>The daemon inside with the smallest settings: two uplinks, the box itself as a bastion that always runs.</summary>
    public async Task SetUpInternalHostAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(Box.Root, "etc/internalhost/internalhost.yaml"), $$"""
            site: home
            uplinks:
              primary: {interface: host0}
              backup: {interface: host1}
            bastion:
              cloud: static
              address: {{Address}}
              host_keys: ["{{_alice!.Line}}"]
            people:
              alice:
                text: "+15550100001"
                devices: {laptop: {{_alice.Line}}}
            messages:
              sms: {from: "{{Gateway.Account.Number}}", account: {{Gateway.Account.Sid}}, secret: twilio_key}
            """);
        await Box.ShellAsync("""
            umask 077
            echo secret > /etc/internalhost/secrets/twilio_key
            [ -e /etc/internalhost/keys/bastion ] || ssh-keygen -q -t ed25519 -N '' -f /etc/internalhost/keys/bastion
            chown root:internalhost /etc/internalhost/internalhost.yaml; chmod 640 /etc/internalhost/internalhost.yaml
            chown internalhost /etc/internalhost/keys/bastion
            systemctl restart internalhost
            """);
        await UntilAsync(async () => (await Box.TryAsync("internalhost", "status", "--json")).Output.Contains("\"controller\"", StringComparison.Ordinal), "the daemon inside answers");
    }

    /// <summary>A key of alice's that the agent has never seen: its first login is told, whatever others have done before.</summary>
    public async Task<OwnKey> NewKeyAsync()
    {
        var file = Path.Combine(Box.Folder, "key" + Interlocked.Increment(ref _keys).ToString(CultureInfo.InvariantCulture));
        var key = await SshKeygen.EnsurePairAsync(file, _launcher, default);
        await Box.ShellAsync($"echo '{key.Line}' >> ~alice/.ssh/authorized_keys");
        return new OwnKey(this, file, Gateway.Messages.Length, await RecordsAsync());
    }

    /// <summary>Logins that the agent has written into its log since the box was started.</summary>
    public async Task<int> RecordsAsync() =>
        (await Box.RunAsync("journalctl", "--boot", "-u", "bastion-agent", "-o", "cat", "--no-pager")).Split('\n').Count(l => l.Contains(" login #", StringComparison.Ordinal));

    public static string Alice => "alice@" + Address;

    public Task MessagesAreAsync(int count) => UntilAsync(() => Task.FromResult(Gateway.Messages.Length >= count), $"{count} messages at the gateway (there are {Gateway.Messages.Length})");

    public Task UntilAsync(Func<Task<bool>> condition, string what) => Box.UntilAsync(condition, what);

    /// <summary>Made when it is first asked for.</summary>
    internal Task<HardenedBox> HardenedAsync() => _hardened ??= HardenedBox.MakeAsync(_copy!);
}

/// <param name="Before">Messages at the gateway when it was made.</param>
/// <param name="Records">Logins in the agent's log when it was made.</param>
public sealed record OwnKey(InstalledBox World, string File, int Before, int Records) : IAsyncDisposable
{
    private readonly List<IChildProcess> _staying = [];

    public Task<ProcessResult> SshAsync(params string[] words) => World.Box.AwayAsync([.. Ssh, .. words]);

    /// <summary>ssh that stays; ended at the latest with the key.</summary>
    internal IChildProcess Stay(params string[] words)
    {
        var child = World.Box.StayAway([.. Ssh, .. words]);
        _staying.Add(child);
        return child;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var child in _staying)
        {
            await child.StopAsync();
        }
    }

    private string[] Ssh =>
    [
        "ssh", "-F", "none", "-i", File, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=accept-new",
        "-o", "UserKnownHostsFile=" + Path.Combine(World.Box.Folder, "known_hosts"), "-o", "ConnectTimeout=30",
    ];
}
