using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Common.Processes;
using InternalHost.Tunnel;
using Testing;

namespace Integration.Tests.Cli;

/// <summary>The real program as its service manager and its shell see it.</summary>
public sealed class DaemonMannersTests : IDisposable
{
    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private readonly string _folder = Directory.CreateTempSubdirectory("dm").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [NeedsFact(Need.Ssh)]
    public async Task One_life_ready_asked_second_refused_killed_and_ended_well()
    {
        using var manager = Listen();
        var config = await ConfigAsync();

        await using (var killed = Start(config))
        {
            Assert.StartsWith("READY=1", await NextAsync(manager), StringComparison.Ordinal);
            var status = await RunAsync("status", "--json", "-c", config);
            Assert.True(status.Ok, status.Error);
            Assert.Equal("home", JsonDocument.Parse(status.Output).RootElement.GetProperty("site").GetString());

            var second = await RunAsync("run", "-c", config);
            Assert.Equal(1, second.Exit.Code);
            Assert.Contains("in use by another daemon (pid ", second.Error, StringComparison.Ordinal);

            Signal(killed, "KILL");
            Assert.Equal(9, (await killed.Exited).Signal);
        }

        // The lock went with the process, and the socket's leftover is in nobody's way.
        await using var daemon = Start(config);
        Assert.StartsWith("READY=1", await NextAsync(manager), StringComparison.Ordinal);
        Assert.True((await RunAsync("status", "-c", config)).Ok);

        Signal(daemon, "TERM");

        Assert.Equal(0, (await daemon.Exited).Code);
        Assert.Equal("STOPPING=1", await NextAsync(manager));
        var after = await RunAsync("status", "-c", config);
        Assert.Equal(1, after.Exit.Code);
        Assert.Contains("no daemon answers on", after.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mistakes_in_the_configuration_are_exit_2()
    {
        var config = await ConfigAsync();
        await File.AppendAllTextAsync(config, "nonsense: 1\n");

        var run = await RunAsync("run", "-c", config);

        Assert.Equal(2, run.Exit.Code);
        Assert.Contains("nonsense\t1\tis not a key that is known", run.Error, StringComparison.Ordinal);
    }

    private async Task<string> ConfigAsync()
    {
        var key = Path.Combine(_folder, "key");
        if (!File.Exists(key))
        {
            await File.WriteAllTextAsync(key, "no real key: nothing is dialled in this test");
            File.SetUnixFileMode(key, UnixFileMode.UserRead);
        }

        var config = Path.Combine(_folder, "internalhost.yaml");
        // Witnesses that nobody plays: the uplinks stay unknown, so nothing is started.
        await File.WriteAllTextAsync(config, $$"""
            site: home
            uplinks:
              primary: {interface: lo, address: 127.0.0.2}
              backup: {interface: lo, address: 127.0.0.3}
            bastion:
              cloud: static
              address: 127.0.0.4
              key: {{key}}
              host_keys: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMIxtGteHzUaJWQpUo9A2kB6ASlg+Gce+0D5gAJ30df4
            people:
              alice: {may: [ssh]}
            witnesses:
              dns_a: 127.0.0.5:5399
              dns_b: 127.0.0.6:5399
              tls_a: {name: a.example, addresses: ["127.0.0.5:5399"]}
              tls_b: {name: b.example, addresses: ["127.0.0.6:5399"]}
              resolvers: ["127.0.0.5:5399"]
              time_servers: ["127.0.0.5:5399"]
              http: off
              stun: off
              whoami: off
            state_directory: {{_folder}}/state
            runtime_directory: {{_folder}}/run

            """);
        return config;
    }

    private Socket Listen()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, "notify")));
        return socket;
    }

    /// <summary>The next message that is not about the watchdog or a status line.</summary>
    private static async Task<string> NextAsync(Socket manager)
    {
        var buffer = new byte[4096];
        while (true)
        {
            var length = await manager.ReceiveAsync(buffer, new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
            if (Encoding.UTF8.GetString(buffer, 0, length) is var message && !message.StartsWith("STATUS=", StringComparison.Ordinal))
            {
                return message;
            }
        }
    }

    private IChildProcess Start(string config) => _launcher.Start(Spec(["run", "-c", config], Path.Combine(_folder, "notify")), (_, _) => { });

    private Task<ProcessResult> RunAsync(params string[] arguments) =>
        _launcher.RunAsync(Spec(arguments, notify: null), new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);

    private static ProcessSpec Spec(string[] arguments, string? notify)
    {
        var self = SelfProgram.Default();
        var environment = new Dictionary<string, string>(self.Environment, StringComparer.Ordinal);
        if (notify is not null)
        {
            environment["NOTIFY_SOCKET"] = notify;
        }

        return new ProcessSpec(self.Words[0], [.. self.Words.Skip(1), .. arguments]) { Environment = environment };
    }

    private static void Signal(IChildProcess process, string signal) => Integration.Tests.Tunnel.TestSshd.Signal(process.Pid, signal);
}
