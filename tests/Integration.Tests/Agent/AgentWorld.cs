using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Common.Agent;
using Common.Alerts;
using Common.Journal;
using Common.Processes;
using Integration.Tests.Cloud;
using InternalHost.Cloud.Local;
using Lab.World;

namespace Integration.Tests.Agent;

/// <summary>A real private sshd, the agent as a real process beside it, a Twilio-shaped gateway, and keys: alice's, the site's, a stranger's.</summary>
internal sealed class AgentWorld : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>A key each: the first login of each is told at once, a second one is a repeat.</summary>
    public static readonly ImmutableArray<string> People = ["alice", "bob", "carol", "dave", "erin"];

    private readonly OwnPlace _place = new();
    private readonly List<IChildProcess> _children = [];
    private IChildProcess? _agent;
    private string _said = "";

    private AgentWorld(TwilioGateway gateway) => Gateway = gateway;

    public SystemProcessLauncher Launcher { get; } = new(TimeProvider.System);

    public TwilioGateway Gateway { get; }

    public PrivateSshd Sshd { get; private set; } = null!;

    public IPEndPoint Server => _place.EndPoint(49022);

    public int AgentPort { get; } = OwnPlace.FreePort();

    public int AgentPid => _agent!.Pid;

    public string LogFile => _place.File("sshd/sshd.log");

    public string Nologin => _place.File("run/nologin");

    public string Said => _said;

    public static async Task<AgentWorld> StartAsync()
    {
        var world = new AgentWorld(await TwilioGateway.StartAsync(new TwilioAccount()));
        try
        {
            await world.PrepareAsync();
            await world.StartAgentAsync();
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    public OwnSsh Ssh(string who) => new(Launcher, _place.File(who));

    /// <summary>
    /// Runs one command. bash reads ~/.bashrc for commands of sshd unless it is a shell within a shell (SHLVL): what somebody keeps in
    /// there can take minutes and is none of ours.
    /// </summary>
    public Task<ProcessResult> LoginAsync(string who, params string[] options) =>
        Ssh(who).RunAsync(Server, ["-o", "SetEnv=SHLVL=2", .. options], ["true"]);

    /// <summary>A login that stays until its child is stopped or killed.</summary>
    public IChildProcess Stay(string who, params string[] options)
    {
        var child = Ssh(who).Start(Server, [.. options, "-N"], _ => { });
        _children.Add(child);
        return child;
    }

    public async Task StartAgentAsync()
    {
        _agent = Launcher.Start(new ProcessSpec("dotnet", [Path.Combine(AppContext.BaseDirectory, "bastion.dll"), "agent", "--config", _place.File("agent.json")]), (_, line) => _said += line + "\n");
        await UntilAsync(async () => !_agent.Exited.IsCompleted && await AskAsync("health") is { Ok: true }, "the agent answers");
    }

    public async Task KillAgentAsync()
    {
        Process.GetProcessById(AgentPid).Kill();
        await _agent!.Exited;
    }

    public async Task<ProcessExit> StopAgentAsync() => await _agent!.StopAsync(TimeSpan.FromSeconds(20));

    /// <summary>Null: nobody answers.</summary>
    public Task<AgentReply?> AskAsync(string op) => AskAsync(new AgentRequest(op));

    /// <inheritdoc cref="AskAsync(string)"/>
    public async Task<AgentReply?> AskAsync(AgentRequest request)
    {
        using var timeout = new CancellationTokenSource(Patience);
        try
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(IPAddress.Loopback, AgentPort, timeout.Token);
            await tcp.GetStream().WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(request, AgentJson.Default.AgentRequest), (byte)'\n'], timeout.Token);
            using var reader = new StreamReader(tcp.GetStream());
            return await reader.ReadLineAsync(timeout.Token) is { } line ? JsonSerializer.Deserialize(line, AgentJson.Default.AgentReply) : null;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }

    public Task SessionsAreAsync(int count) => UntilAsync(async () => (await AskAsync("sessions"))?.Sessions == count, $"there are {count} sessions");

    public async Task UntilAsync(Func<Task<bool>> condition, string what, TimeSpan? patience = null)
    {
        for (var began = Stopwatch.GetTimestamp(); !await condition();)
        {
            if (Stopwatch.GetElapsedTime(began) > (patience ?? Patience))
            {
                throw new TimeoutException($"not in time: {what}. The agent said:\n{_said}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }

    public Task MessagesAreAsync(int count) => UntilAsync(() => Task.FromResult(Gateway.Messages.Length >= count), $"{count} messages at the gateway, there are {Gateway.Messages.Length}");

    /// <summary>What the agent's state file holds: each login's alert id; null where it was not told.</summary>
    public List<(string Id, bool Told, string Name, string Method)> Logins()
    {
        using var database = Database.Open(_place.File("state/bastion.db"), Bastion.Agent.AgentState.Migrations);
        return database.Read(c => c.Sql("SELECT alert_id, told, name, method FROM logins ORDER BY seq")
            .List(r => (r.GetString(0), r.GetBoolean(1), r.GetString(2), r.GetString(3))));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var child in _children.Append(_agent).OfType<IChildProcess>())
        {
            await child.StopAsync();
            await child.DisposeAsync();
        }

        if (Sshd is not null)
        {
            await Sshd.DisposeAsync();
        }

        await Gateway.DisposeAsync();
        _place.Dispose();
    }

    private async Task PrepareAsync()
    {
        var ct = new CancellationTokenSource(Patience).Token;
        var keys = new Dictionary<string, PublicKey>(StringComparer.Ordinal);
        foreach (var who in (string[])[.. People, "site", "stranger", "nobody"])
        {
            keys[who] = await SshKeygen.EnsurePairAsync(_place.File(who), Launcher, ct);
        }

        Directory.CreateDirectory(_place.File("run"));
        File.WriteAllBytes(_place.File("run/revoked"), []);
        ImmutableArray<string> lines =
        [
            .. People.Select(p => $"restrict,pty,port-forwarding {keys[p].Line}"), $"restrict,pty {keys["stranger"].Line}",
            AuthorizedKeyLine.Site(keys["site"].Line, [OwnPlace.FreePort()], OwnPlace.FreePort(), AgentPort),
        ];
        Sshd = await PrivateSshd.StartAsync(
            new PrivateSshdOptions(_place.File("sshd"), [Server], lines) { ExtraConfiguration = [$"RevokedKeys {_place.File("run/revoked")}", "AcceptEnv SHLVL"] },
            Launcher, TimeProvider.System, ct);
        WriteSettings(keys);
    }

    private void WriteSettings(Dictionary<string, PublicKey> keys)
    {
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        File.WriteAllText(_place.File("secret"), Gateway.Account.Secret + "\n");
        File.SetUnixFileMode(_place.File("secret"), OwnerOnly);
        var settings = new JsonObject
        {
            ["site"] = "home",
            ["vm"] = "bastion-home",
            ["log"] = LogFile,
            ["identities"] = new JsonArray(
            [
                .. People.Select(p => new JsonObject { ["fingerprint"] = keys[p].Fingerprint, ["role"] = "person", ["name"] = p, ["device"] = "phone" }),
                new JsonObject { ["fingerprint"] = keys["site"].Fingerprint, ["role"] = "site", ["name"] = "home" },
            ]),
            ["agent_port"] = AgentPort,
            ["state_directory"] = _place.File("state"),
            ["sshd_ports"] = new JsonArray(Server.Port),
            ["sms"] = new JsonObject
            {
                ["base_url"] = Gateway.BaseUrl.ToString(),
                ["account"] = Gateway.Account.Sid,
                ["key_name"] = Gateway.Account.KeyName,
                ["secret_file"] = _place.File("secret"),
                ["from"] = Gateway.Account.Number,
                ["to"] = new JsonArray("+15550100001"),
            },
            ["nologin_path"] = Nologin,
            ["revoked_keys"] = _place.File("run/revoked"),
            ["private"] = true,
        };
        File.WriteAllText(_place.File("agent.json"), settings.ToJsonString());
        File.SetUnixFileMode(_place.File("agent.json"), OwnerOnly);
    }
}
