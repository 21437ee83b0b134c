using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Common.Journal;
using Common.Logins;
using Common.Processes;
using Integration.Tests.Cloud;
using Lab.World;

namespace Integration.Tests.Logins;

/// <summary>What the agent wrote down about one login.</summary>
internal sealed record Recorded(
    string From, string User, string Method, LoginKind Kind, LoginSources Sources, int Hook, string? By, int Evicted, bool Ambiguous, string? Certificate);

/// <summary>
/// A real sshd with PAM and our hook, the agent as a real process beside it, and a gateway.
/// Each row of the matrix comes from a network of its own, 127.0.ROW.0/24, by which its records are found.
/// </summary>
internal sealed class PamWorld : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly OwnPlace _place = new();
    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private readonly List<IChildProcess> _children = [];
    private readonly IReadOnlyDictionary<int, string>? _devices;
    private readonly ScriptedServer _webhook = ScriptedServer.Start();
    private PamHost _host = null!;
    private string _said = "";

    private PamWorld(TwilioGateway gateway, IReadOnlyDictionary<int, string>? devices) => (Gateway, _devices) = (gateway, devices);

    public TwilioGateway Gateway { get; }

    /// <summary>What was told, as severity and text, the oldest first; only of a world whose rows have devices.</summary>
    public ImmutableArray<string> Told => [.. _webhook.Requests.Select(r => JsonNode.Parse(r.Body)!).Select(b => $"{b["severity"]} {b["text"]}")];

    public IPEndPoint Server => _host.Server;

    public string File(string name) => _place.File(name);

    /// <param name="devices">Row to name: a key of alice's for each, so that no row is another's repeat; told by a webhook, whose budget has room for all of them.</param>
    public static async Task<PamWorld> StartAsync(IReadOnlyDictionary<int, string>? devices = null)
    {
        var world = new PamWorld(await TwilioGateway.StartAsync(new TwilioAccount()), devices);
        try
        {
            await world.PrepareAsync();
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc cref="PamHost.InsideAsync"/>
    public Task<ProcessResult> InsideAsync(params string[] command) => _host.InsideAsync(new CancellationTokenSource(Patience).Token, command);

    public Task<ProcessResult> RunAsync(string program, params string[] arguments) => RunAsync(program, new Dictionary<string, string>(StringComparer.Ordinal), arguments);

    public Task<ProcessResult> RunAsync(string program, Dictionary<string, string> environment, params string[] arguments) =>
        _launcher.RunAsync(new ProcessSpec(program, arguments) { Environment = environment }, new CancellationTokenSource(Patience).Token);

    /// <summary>ssh's options for a row; <paramref name="row"/> is the last number of its address.</summary>
    public string[] Options(int row) =>
        [.. _host.SshOptions.Select(o => o == _host.Key && _devices?.GetValueOrDefault(row) is { } device ? File($"key-{device}") : o), "-o", $"BindAddress={Address(row)}"];

    public static IPAddress Address(int row) => new([127, 0, (byte)row, 1]);

    public string At(string account) => $"{account}@{Server.Address}";

    public Task<ProcessResult> SshAsync(int row, string account, string[] options, params string[] command) =>
        RunAsync("ssh", [.. Options(row), .. options, At(account), .. command]);

    /// <summary>Answers whatever is asked with <paramref name="password"/>.</summary>
    public Task<ProcessResult> SshWithPasswordAsync(int row, string account, string password, params string[] options)
    {
        var askpass = File($"askpass-{row}");
        System.IO.File.WriteAllText(askpass, $"#!/bin/sh\necho {password}\n");
        System.IO.File.SetUnixFileMode(askpass, OwnerOnly | UnixFileMode.UserExecute);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["SSH_ASKPASS"] = askpass, ["SSH_ASKPASS_REQUIRE"] = "force" };
        return RunAsync("ssh", environment, [.. Options(row).Select(o => o == "BatchMode=yes" ? "BatchMode=no" : o), "-o", "NumberOfPasswordPrompts=1", .. options, At(account), "true"]);
    }

    /// <summary>A connection that stays until it is stopped.</summary>
    public IChildProcess Stay(int row, string account, params string[] options)
    {
        var child = _launcher.Start(new ProcessSpec("ssh", [.. Options(row), .. options, "-N", At(account)]), (_, line) => _said += line + "\n");
        _children.Add(child);
        return child;
    }

    /// <summary>What the agent has recorded, oldest first.</summary>
    public ImmutableArray<Recorded> Logins()
    {
        using var database = Database.Peek(File("state/bastion.db"));
        return [.. database.Sql("SELECT address, user, method, kind, sources, hook, by_user, evicted, ambiguous, certificate FROM logins ORDER BY seq").List(r => new Recorded(
            r.IsDBNull(0) ? "" : r.GetString(0), r.GetString(1), r.GetString(2), (LoginKind)r.GetInt32(3), (LoginSources)r.GetInt32(4), r.GetInt32(5),
            r.IsDBNull(6) ? null : r.GetString(6), r.GetInt32(7), r.GetBoolean(8), r.IsDBNull(9) ? null : r.GetString(9)))];
    }

    public ImmutableArray<Recorded> LoginsOf(int row) => [.. Logins().Where(l => l.From == $"{Address(row)}")];

    public async Task UntilAsync(Func<bool> condition, string what)
    {
        for (var began = Stopwatch.GetTimestamp(); !condition();)
        {
            if (Stopwatch.GetElapsedTime(began) > Patience)
            {
                throw new TimeoutException(
                    $"not in time: {what}. Recorded:\n{string.Join('\n', Logins())}\nSaid:\n{_said}\nLog:\n{string.Join('\n', System.IO.File.ReadLines(File("auth.log")).TakeLast(40))}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var child in Enumerable.Reverse(_children))
        {
            await child.StopAsync();
            await child.DisposeAsync();
        }

        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        await Gateway.DisposeAsync();
        await _webhook.DisposeAsync();
        _place.Dispose();
    }

    private async Task PrepareAsync()
    {
        _host = await PamHost.StartAsync(_place.Folder, _launcher, new CancellationTokenSource(Patience).Token);
        List<AgentFiles.Person> people = [new("alice", "phone", await FingerprintAsync("key.pub"))];
        foreach (var device in _devices?.Values ?? [])
        {
            await RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", File($"key-{device}"));
            people.Add(new("alice", device, await FingerprintAsync($"key-{device}.pub")));
            foreach (var account in Directory.GetFiles(File("keys")))
            {
                await System.IO.File.AppendAllTextAsync(account, await System.IO.File.ReadAllTextAsync(File($"key-{device}.pub")));
            }
        }

        var settings = new AgentFiles(_place.Folder, File("auth.log"), OwnPlace.FreePort(), Server.Port, Gateway, people)
        {
            Spool = File("spool/bastion"),
            Webhook = _devices is null ? null : _webhook.BaseUrl,
        }.Write();
        _children.Add(_launcher.Start(
            new ProcessSpec("dotnet", [Path.Combine(AppContext.BaseDirectory, "bastion.dll"), "agent", "--config", settings]), (_, line) => _said += line + "\n"));
        await UntilSaidAsync("logins are seen");
    }

    private async Task<string> FingerprintAsync(string key) => (await RunAsync("ssh-keygen", "-lf", File(key))).Output.Split(' ')[1];

    private async Task UntilSaidAsync(string words)
    {
        for (var began = Stopwatch.GetTimestamp(); !_said.Contains(words, StringComparison.Ordinal);)
        {
            Assert.False(Stopwatch.GetElapsedTime(began) > Patience, _said);
            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }
}
