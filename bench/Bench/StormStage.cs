using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Common.Agent;
using Common.Journal;
using Common.Processes;
using Lab.Demo;
using Lab.World;

namespace Bench;

/// <summary>
/// The agent as a process of its own beside a log that looks as sshd writes it, with its real state file and outbox, and a gateway for
/// it. Beside it the rival: a script at each login that sends a message and lets the login wait for the answer.
/// </summary>
internal sealed class StormStage : IAsyncDisposable
{
    public const string Stormer = "alice";
    public const string Second = "bob";
    private const string StormerKey = "SHA256:Xspp2NxCCnW5eU18SFQeWO1gnP3Hk/JXAdZjqD9LUhk";
    private const string SecondKey = "SHA256:h8lPXsdzK3m0XrtEhvVM6uwwxXr04g2MrypizyDaOFs";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly RunFolder _folder;
    private readonly IProcessLauncher _launcher;
    private readonly TimeProvider _time;
    private readonly int _port = FreePort();
    private readonly FileStream _log;
    private IChildProcess? _agent;
    private int _logins;

    private StormStage(RunFolder folder, TwilioGateway ours, TwilioGateway rivals, IProcessLauncher launcher, TimeProvider time)
    {
        (_folder, Ours, Rivals, _launcher, _time) = (folder, ours, rivals, launcher, time);
        _log = new FileStream(folder.File("sshd.log"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
    }

    public TwilioGateway Ours { get; }

    public TwilioGateway Rivals { get; }

    public static async Task<StormStage> SetAsync(RunFolder folder, TimeSpan gatewayAnswers, IProcessLauncher launcher, TimeProvider time, CancellationToken ct)
    {
        var stage = new StormStage(folder, await Gateway(gatewayAnswers), await Gateway(gatewayAnswers), launcher, time);
        try
        {
            await stage.StartAgentAsync(ct);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>sshd writes its line.</summary>
    public void Login(string who, IPEndPoint from)
    {
        var key = who == Stormer ? StormerKey : SecondKey;
        var line = string.Create(CultureInfo.InvariantCulture, $"Accepted publickey for {Environment.UserName} from {from.Address} port {from.Port} ssh2: ED25519 {key}\n");
        _log.Write(Encoding.UTF8.GetBytes(line));
        _log.Flush();
        _logins++;
    }

    /// <summary>The rival's script at the same login. How long the login waits for it; null: the call failed.</summary>
    public async Task<double?> RivalLoginAsync(string who, IPEndPoint from, CancellationToken ct)
    {
        var began = _time.GetTimestamp();
        var (account, to) = (Rivals.Account, "+15550100001");
        var result = await _launcher.RunAsync(new ProcessSpec(
            "curl",
            [
                "-sf", "-K", _folder.File("rival.curl"), "--data-urlencode", $"To={to}", "--data-urlencode", $"From={account.Number}",
                "--data-urlencode", $"Body=SSH login: {who} from {from.Address}", $"{Rivals.BaseUrl}2010-04-01/Accounts/{account.Sid}/Messages.json",
            ]), ct);
        return result.Ok ? _time.GetElapsedTime(began).TotalSeconds : null;
    }

    /// <summary>Until the agent has recorded every login and delivered what it tells. Answers how many it never recorded.</summary>
    public async Task<int> SettleAsync(TimeSpan limit, CancellationToken ct)
    {
        for (var began = _time.GetTimestamp(); _time.GetElapsedTime(began) < limit; await Task.Delay(Look, _time, ct))
        {
            if (Recorded() == _logins && await HealthAsync(ct) is { Outbox: 0 })
            {
                break;
            }
        }

        return _logins - Recorded();
    }

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
        {
            await _agent.StopAsync(TimeSpan.FromSeconds(20));
            await _agent.DisposeAsync();
        }

        await _log.DisposeAsync();
        await Ours.DisposeAsync();
        await Rivals.DisposeAsync();
    }

    private static async Task<TwilioGateway> Gateway(TimeSpan answers)
    {
        var gateway = await TwilioGateway.StartAsync(new TwilioAccount());
        gateway.Behaviour = new GatewayBehaviour { AnswerDelay = answers };
        return gateway;
    }

    private int Recorded()
    {
        using var connection = Database.Peek(_folder.File("state/bastion.db"));
        return connection.Sql("SELECT count(*) FROM logins").List(r => r.GetInt32(0))[0];
    }

    private async Task StartAgentAsync(CancellationToken ct)
    {
        var account = Ours.Account;
        _folder.Secret("rival.curl", $"user = \"{account.KeyName}:{account.Secret}\"\n");
        var settings = new AgentFiles(
            _folder.Path, _folder.File("sshd.log"), _port, _port, Ours,
            new AgentFiles.Person(Stormer, "phone", StormerKey), new AgentFiles.Person(Second, "laptop", SecondKey))
        { Vm = "bastion-home", IsPrivate = true }.Write();
        var said = new StringBuilder();
        _agent = _launcher.Start(
            new ProcessSpec("dotnet", [Path.Combine(AppContext.BaseDirectory, "bastion.dll"), "agent", "--config", settings]), (_, line) => said.AppendLine(line));
        for (var began = _time.GetTimestamp(); await HealthAsync(ct) is not { Ok: true }; await Task.Delay(Look, _time, ct))
        {
            if (_agent.Exited.IsCompleted || _time.GetElapsedTime(began) > StartLimit)
            {
                throw new InvalidOperationException($"the agent did not start:\n{said}");
            }
        }
    }

    /// <summary>Null: nobody answers.</summary>
    private async Task<AgentReply?> HealthAsync(CancellationToken ct)
    {
        try
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(IPAddress.Loopback, _port, ct);
            await tcp.GetStream().WriteAsync("{\"op\":\"health\"}\n"u8.ToArray(), ct);
            using var reader = new StreamReader(tcp.GetStream());
            return await reader.ReadLineAsync(ct) is { } line ? JsonSerializer.Deserialize(line, AgentJson.Default.AgentReply) : null;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
