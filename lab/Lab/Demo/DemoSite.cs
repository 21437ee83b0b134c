using System.Net;
using System.Text.Json;
using Common.Processes;
using InternalHost.Cloud.Local;
using Lab.World;

namespace Lab.Demo;

/// <summary>
/// One site as its owner would set it up: keys, the inside's configuration, the "VM" with its agent, the sshd at home. Everything lies in
/// the run's folder.
/// </summary>
internal sealed class DemoSite
{
    public const string Name = "home";
    /// <summary>The bastion knows people by account, and an sshd of one uid has one account: ours.</summary>
    public static string Person => Environment.UserName;

    /// <summary>What a text message has room for.</summary>
    public const int LongestPerson = 11;

    public const string Device = "laptop";
    public const string OwnerNumber = "+15550100001";
    private const int HomeSshPort = 2222;

    private readonly RunFolder _folder;
    private readonly IDemoWorld _world;
    private readonly DemoPorts _ports;
    private readonly TwilioAccount _account;

    private DemoSite(RunFolder folder, IDemoWorld world, DemoPorts ports, TwilioAccount account) =>
        (_folder, _world, _ports, _account) = (folder, world, ports, account);

    /// <summary>The account on both ends: as root root, else whoever runs the demo.</summary>
    public static string User => Environment.UserName;

    public string ConfigurationFile => _folder.File("internalhost.yaml");

    public string CloudFolder => _folder.File("cloud");

    public string ControlSocket => Path.Combine(_folder.File("run"), "control.sock");

    public string BastionLogFile => Path.Combine(CloudFolder, "sshd", "sshd.log");

    public string OwnerFingerprint { get; private set; } = "";

    public string OwnerKey => _folder.File("owner-key");

    /// <summary>The VM's pin.</summary>
    public string HostKey { get; private set; } = "";

    /// <summary>What only somebody who got in can read.</summary>
    public string InsideFile => _folder.File("inside/proof");

    public string Proof { get; } = $"inside-{Guid.NewGuid():N}";

    public PrivateSshdOptions HomeSshd { get; private set; } = null!;

    public static async Task<DemoSite> PrepareAsync(
        RunFolder folder, IDemoWorld world, DemoPorts ports, TwilioAccount account, DemoTimes times, IProcessLauncher launcher, CancellationToken ct,
        params IReadOnlyList<string> moreKeys)
    {
        var site = new DemoSite(folder, world, ports, account);
        var tunnelKey = await SshKeygen.EnsurePairAsync(folder.File("site-key"), launcher, ct);
        var ownerKey = await SshKeygen.EnsurePairAsync(site.OwnerKey, launcher, ct);
        site.OwnerFingerprint = ownerKey.Fingerprint;
        folder.Folder("inside");
        await File.WriteAllTextAsync(site.InsideFile, site.Proof + "\n", ct);
        world.WriteRoot(folder.File("ca.pem"));
        folder.Folder("secrets");
        folder.Secret("secrets/twilio_key", account.Secret + "\n");
        site.HomeSshd = new PrivateSshdOptions(folder.File("home-sshd"), [new IPEndPoint(world.Places.HomeLoopback, HomeSshPort)], [AuthorizedKeyLine.Shell(ownerKey.Line)])
        {
            Label = Name,
        };
        await PrivateSshd.HostKeyAsync(site.HomeSshd, launcher, ct);
        var vmHostKey = await site.WriteCloudAsync(tunnelKey, ownerKey, moreKeys, times, launcher, ct);
        site.HostKey = vmHostKey.Line;
        folder.Secret("internalhost.yaml", site.Yaml(vmHostKey, ownerKey, times));
        return site;
    }

    /// <summary>What the owner carries: written by the product, both hosts pinned, whatever address the VM has this time.</summary>
    /// <exception cref="StepFailedException">The product's own words.</exception>
    public async Task<string> ClientConfigurationAsync(IProcessLauncher launcher, CancellationToken ct)
    {
        var folder = _folder.Folder("owner");
        var result = await launcher.RunAsync(
            Programs.InternalHost("ssh-config", Person, "--config", ConfigurationFile, "--identity", OwnerKey, "--out", folder), ct);
        return result.Ok ? Path.Combine(folder, $"{Name}.conf") : throw new StepFailedException($"ssh-config: {result.Error}");
    }

    /// <summary>The VM: sshd with the site's and the owner's keys, the agent beside it.</summary>
    private async Task<PublicKey> WriteCloudAsync(
        PublicKey tunnelKey, PublicKey ownerKey, IReadOnlyList<string> moreKeys, DemoTimes times, IProcessLauncher launcher, CancellationToken ct)
    {
        _folder.Folder("cloud");
        _folder.Folder("agent");
        var revoked = _folder.File("agent/revoked-keys");
        await File.WriteAllTextAsync(revoked, "", ct);
        await File.WriteAllTextAsync(_folder.File("agent.yaml"), AgentYaml(tunnelKey, ownerKey, revoked), ct);
        var forwards = Enumerable.Range(_ports.FirstForward, 16).ToArray();
        var settings = new
        {
            tag = Name,
            addresses = new[] { $"{_world.Places.BastionBehind}" },
            announced = new[] { _world.Places.BastionAddresses.Select(a => $"{a}").ToArray() },
            ports = DemoPorts.Bastion,
            authorized_keys = (string[])
            [
                AuthorizedKeyLine.Site(tunnelKey.Line, forwards[..^1], forwards[^1], _ports.Agent),
                AuthorizedKeyLine.Person(ownerKey.Line, forwards[..^1]),
                .. moreKeys,
            ],
            sshd_config = (string[])[$"RevokedKeys {revoked}", .. _world.SshdConfiguration],
            agent = Programs.Agent(_folder.File("agent.yaml")),
            modes = new { pending_seconds = times.Pending.TotalSeconds, boot_seconds = times.Boot.TotalSeconds, stop_seconds = times.Stop.TotalSeconds },
        };
        await File.WriteAllTextAsync(Path.Combine(CloudFolder, "cloud.json"), JsonSerializer.Serialize(settings), ct);
        return await PrivateSshd.HostKeyAsync(new PrivateSshdOptions(Path.Combine(CloudFolder, "sshd"), [], []), launcher, ct);
    }

    private string AgentYaml(PublicKey tunnelKey, PublicKey ownerKey, string revoked) => $$"""
        site: {{Name}}
        vm: bastion-{{Name}}
        log: {{BastionLogFile}}
        private: true
        agent_port: {{_ports.Agent}}
        state_directory: {{_folder.File("agent")}}
        nologin_path: {{_folder.File("agent/nologin")}}
        revoked_keys: {{revoked}}
        sshd_ports: [{{string.Join(", ", DemoPorts.Bastion)}}]
        identities:
          - {fingerprint: "{{tunnelKey.Fingerprint}}", role: site, name: {{Name}}}
          - {fingerprint: "{{ownerKey.Fingerprint}}", role: person, name: {{Person}}, device: {{Device}}}
        sms:
          base_url: https://{{_world.Places.Gateway}}
          account: {{_account.Sid}}
          key_name: {{_account.KeyName}}
          secret_file: {{_folder.File("secrets/twilio_key")}}
          from: "{{_account.Number}}"
          to: ["{{OwnerNumber}}"]
          ca_file: {{_folder.File("ca.pem")}}

        """;

    private string All(Func<ServerPlan, IPEndPoint> server) => List(_world.Places.All(server));

    private static string List(IEnumerable<IPEndPoint> places) => $"[{string.Join(", ", places.Select(p => $"\"{p}\""))}]";

    private string Yaml(PublicKey vmHostKey, PublicKey ownerKey, DemoTimes times) => $$"""
        # The demo's site. A real one is shorter: what is not named has a default.
        site: {{Name}}
        state_directory: {{_folder.File("state")}}
        runtime_directory: {{_folder.File("run")}}
        secrets_directory: {{_folder.File("secrets")}}
        inner_host_keys: [{{HomeSshd.HostKeyFile}}.pub]

        uplinks:
          primary: {{_world.PrimaryUplink}}
          backup: {interface: {{_world.Places.Backup.Interface}}, address: {{_world.Places.Backup.Address}}}

        witnesses:
          isp_dns: {{List(_world.Places.IspDns)}}
          dns_a: {{All(p => p.DnsA)}}
          dns_b: {{All(p => p.DnsB)}}
          tls_a: {name: {{WorldServers.NameA}}, addresses: {{All(p => p.TlsA)}}, ca: {{_folder.File("ca.pem")}}}
          tls_b: {name: {{WorldServers.NameB}}, addresses: {{All(p => p.TlsB)}}, ca: {{_folder.File("ca.pem")}}}
          resolvers: {{List([.. _world.Places.All(p => p.DnsA), .. _world.Places.All(p => p.DnsB), .. _world.Places.IspDns.Skip(1)])}}
          time_servers: {{All(p => p.Time)}}
          probe_name: {{WorldServers.ProbeName}}
          http: http://{{WorldServers.HttpName}}:{{_world.Places.Servers.Http.Port}}/generate_204
          stun: {{List([.. _world.Places.All(p => p.StunA), .. _world.Places.All(p => p.StunB)])}}
          whoami: [{{string.Join(", ", _world.Places.All(p => p.DnsA).Select(a => $"\"{WorldServers.WhoAmI}@{a}\"").Concat(_world.Places.All(p => p.DnsB).Select(b => $"\"{WorldServers.WhoAmI}/TXT@{b}\"")))}}]

        outage:
          tell_after: {{times.TellAfter.TotalSeconds}}s
          stop_after: {{times.StopAfter.TotalSeconds}}s

        bastion:
          cloud: local
          socket: {{Path.Combine(CloudFolder, "cloud.sock")}}
          ports: [{{string.Join(", ", DemoPorts.Bastion)}}]
          user: {{User}}
          key: {{_folder.File("site-key")}}
          host_keys: ["{{vmHostKey.Line}}"]
          first_forward_port: {{_ports.FirstForward}}
          agent_port: {{_ports.Agent}}

        services:
          ssh: {{_world.Places.HomeLoopback}}:{{HomeSshPort}}

        people:
          {{Person}}:
            text: "{{OwnerNumber}}"
            devices:
              {{Device}}: {{ownerKey.Line}}

        # This machine's own logins are no part of the play.
        logins: {log: none, spool: none}

        messages:
          inner_user: {{User}}
          sms:
            base_url: https://{{WorldServers.GatewayName}}:{{_world.Places.Gateway.Port}}
            account: {{_account.Sid}}
            key_name: {{_account.KeyName}}
            secret: twilio_key
            from: "{{_account.Number}}"
            ca: {{_folder.File("ca.pem")}}

        """;
}

/// <summary>The times of this play. Detection and recovery are the product's own defaults.</summary>
/// <param name="Pending">From the start call until the provider says running.</param>
/// <param name="Boot">From the start call until the VM's sshd listens.</param>
/// <param name="StopAfter">Linger; 10 minutes in real life.</param>
internal sealed record DemoTimes(TimeSpan Pending, TimeSpan Boot, TimeSpan Stop, TimeSpan TellAfter, TimeSpan StopAfter)
{
    public static readonly DemoTimes Default = new(
        Pending: TimeSpan.FromSeconds(1.5),
        Boot: TimeSpan.FromSeconds(5),
        Stop: TimeSpan.FromSeconds(1.5),
        TellAfter: TimeSpan.Zero,
        StopAfter: TimeSpan.FromSeconds(5));
}
