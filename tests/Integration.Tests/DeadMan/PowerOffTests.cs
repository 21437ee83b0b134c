using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bastion.Agent;
using Bastion.Configuration;
using Bastion.DeadMan;
using Bastion.Sessions;
using Common.Kernel;
using Common.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.DeadMan;

/// <summary>The real clock, the real kernel's connections and a real command, a script in the place of poweroff.</summary>
public sealed class PowerOffTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly string _folder = Directory.CreateTempSubdirectory("poweroff").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Command_runs_only_after_the_last_connection_has_ended()
    {
        using var sshd = new TcpListener(IPAddress.Loopback, 0);
        sshd.Start();
        var port = ((IPEndPoint)sshd.LocalEndpoint).Port;
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        using var accepted = await sshd.AcceptTcpClientAsync();
        await using var agent = await StartAsync(port);

        // Twenty looks with somebody here; only then does it count at all.
        await agent.LookedAsync(20);
        Assert.False(File.Exists(Off));
        client.Close();
        accepted.Close();

        await UntilAsync(() => File.Exists(Off));
        Assert.False(agent.SomebodyAtLastLook);
    }

    [Fact]
    public async Task Request_file_is_made_for_the_path_unit()
    {
        await new PowerRequestFile(Off).OffAsync(default);

        Assert.True(File.Exists(Off));
        await Assert.ThrowsAsync<DirectoryNotFoundException>(() => new PowerRequestFile(Path.Combine(_folder, "none", "poweroff")).OffAsync(default));
    }

    private string Off => Path.Combine(_folder, "off");

    private async Task<Running> StartAsync(int port)
    {
        var script = Path.Combine(_folder, "poweroff.sh");
        await File.WriteAllTextAsync(script, $"#!/bin/sh\n: > {Off}\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var running = new Running(_folder, script, new HostPresence(_ => Task.FromResult<ImmutableArray<OpenSession>?>(null), new KernelConnections(), new ConsoleLogins(_folder), [port]));
        await running.StartAsync();
        return running;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var began = Stopwatch.GetTimestamp(); !condition(); await Task.Delay(20))
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, "not in time");
        }
    }

    private sealed class Running : IAsyncDisposable
    {
        private readonly DrainService _drain;
        private readonly DeadManService _deadMan;
        private int _looks;

        public Running(string folder, string script, HostPresence presence)
        {
            _drain = new DrainService(new Door(new DoorOptions(Path.Combine(folder, "nologin")), []), TimeProvider.System, NullLogger<DrainService>.Instance);
            var senses = new DeadManSenses(ct => LookAsync(presence, ct), () => true, () => 0, _ => { });
            _deadMan = new DeadManService(
                new DeadManOptions(TimeSpan.FromMilliseconds(300), "/unused", script) { LookEvery = TimeSpan.FromMilliseconds(20) }, ("home", "boot"), senses, _drain,
                new PowerCommand(new SystemProcessLauncher(TimeProvider.System), script), new HoldFile(Path.Combine(folder, "hold")), TimeProvider.System, NullLogger<DeadManService>.Instance);
        }

        public bool SomebodyAtLastLook { get; private set; }

        public async Task StartAsync()
        {
            await _drain.StartAsync(default);
            await _deadMan.StartAsync(default);
        }

        public Task LookedAsync(int times) => UntilAsync(() => Volatile.Read(ref _looks) >= times);

        public async ValueTask DisposeAsync()
        {
            await _deadMan.StopAsync(default);
            await _drain.StopAsync(default);
            _deadMan.Dispose();
            _drain.Dispose();
        }

        private async Task<Presence> LookAsync(HostPresence presence, CancellationToken ct)
        {
            var seen = await presence.LookAsync(ct);
            SomebodyAtLastLook = seen != Presence.Nobody;
            Interlocked.Increment(ref _looks);
            return seen;
        }
    }
}
