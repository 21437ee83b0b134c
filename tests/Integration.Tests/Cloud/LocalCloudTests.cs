using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Common.Processes;
using InternalHost.Cloud;
using InternalHost.Cloud.Local;
using Testing;

namespace Integration.Tests.Cloud;

public sealed class LocalCloudTests
{
    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Instance_starts_once_serves_and_stops_once()
    {
        await using var cloud = await OwnCloud.StartAsync();
        Assert.Equal(("local-test", InstanceState.Stopped), ((await cloud.SeeAsync()).Id, (await cloud.SeeAsync()).State));

        await cloud.StartInstanceAsync();
        await cloud.Cloud.StartAsync(cloud.Soon);
        var seen = await cloud.SeeAsync();
        var login = await cloud.Ssh.RunAsync(cloud.Server, "echo", "in");
        var other = await cloud.Ssh.RunAsync(cloud.Place.EndPoint(OwnCloud.OtherPort), "echo", "in");
        await cloud.StopInstanceAsync();
        await cloud.Cloud.StopAsync(cloud.Soon);

        Assert.Equal((InstanceState.Running, "launch-1", cloud.Place.Address()), (seen.State, seen.LaunchId, Assert.Single(seen.Addresses)));
        Assert.Equal(("in", "in"), (login.Output, other.Output));
        Assert.Equal(["launch", "running", "booted", "stopping", "stopped"], cloud.Log.Where(e => e.Event != "call").Select(e => e.Event));
        Assert.All(cloud.Log.Where(e => e.Event != "call"), e => Assert.Equal("launch-1", e.Launch));
        Assert.Equal(2, cloud.Log.Count(e => e is { Op: "start", Outcome: "ok" }));
        Assert.Equal(cloud.Log.Select(e => e.T), cloud.Log.Select(e => e.T).Order());
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1)));
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Second_launch_keeps_host_key_and_has_its_own_id()
    {
        await using var cloud = await OwnCloud.StartAsync();
        var key = await File.ReadAllTextAsync(cloud.Place.File("sshd/ssh_host_ed25519_key.pub"), cloud.Soon);

        await cloud.StartInstanceAsync();
        _ = await cloud.Ssh.RunAsync(cloud.Server, "true");
        await cloud.StopInstanceAsync();
        await cloud.StartInstanceAsync();

        Assert.Equal("launch-2", (await cloud.SeeAsync()).LaunchId);
        Assert.Equal(key, await File.ReadAllTextAsync(cloud.Place.File("sshd/ssh_host_ed25519_key.pub"), cloud.Soon));
        Assert.Equal((2, 1), (cloud.Count("launch"), cloud.Count("stopped")));
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Booting_instance_refuses()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "boot_seconds": 1, "boot_port": "refuse" }""");

        await cloud.Cloud.StartAsync(cloud.Soon);
        var refused = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1)));

        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        await ServesAsync(cloud);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Booting_instance_drops_syns()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "boot_seconds": 1.6, "boot_port": "drop" }""");

        await cloud.Cloud.StartAsync(cloud.Soon);
        var tries = Enumerable.Range(0, 4).Select(n => ConnectAsync(cloud.Place.EndPoint(n % 2 == 0 ? OwnCloud.Port : OwnCloud.OtherPort), TimeSpan.FromSeconds(1)));
        var outcomes = await Task.WhenAll(tries.Select(t => Assert.ThrowsAnyAsync<OperationCanceledException>(() => t)));

        Assert.Equal(4, outcomes.Length);
        Assert.Equal(0, cloud.Count("booted"));
        await ServesAsync(cloud);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Booting_instance_accepts_and_is_silent()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "boot_seconds": 1.2, "boot_port": "silent" }""");

        await cloud.Cloud.StartAsync(cloud.Soon);
        using var socket = await ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1));
        using var half = new CancellationTokenSource(TimeSpan.FromSeconds(0.5));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await socket.ReceiveAsync(new byte[16], half.Token));

        await ServesAsync(cloud);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Ports_can_be_held_again_after_sessions()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "boot_seconds": 0.3, "boot_port": "drop" }""");

        for (var launch = 0; launch < 2; launch++)
        {
            await cloud.StartInstanceAsync();
            await using var session = cloud.Ssh.Start(cloud.Server, [], _ => { }, "sleep", "60");
            await BannerAsync(cloud.Server);
            await cloud.StopInstanceAsync();
        }

        Assert.Equal((0, 2), (cloud.Count("boot_failed"), cloud.Count("booted")));
    }

    [NeedsTheory(Need.Ssh | Need.Sshd)]
    [InlineData("after_banner")]
    [InlineData("after_login")]
    public async Task Sshd_restarts_once(string when)
    {
        await using var cloud = await OwnCloud.StartAsync($$"""{ "restart_once": "{{when}}", "restart_seconds": 0.5 }""");
        await cloud.StartInstanceAsync();

        if (when == "after_banner")
        {
            using var first = await ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1));
            Assert.StartsWith("SSH-2.0-", await ReceiveAsync(first, cloud.Soon), StringComparison.Ordinal);
            Assert.Equal("", await ReceiveAsync(first, cloud.Soon));
        }
        else
        {
            Assert.Equal(255, (await cloud.Ssh.RunAsync(cloud.Server, "sleep", "20")).Exit.Code);
        }

        _ = await cloud.LoggedAsync("sshd_ended");
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1)));
        await ServesAsync(cloud);
        Assert.Equal((1, 1), (cloud.Count("sshd_ended"), cloud.Count("launch")));
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Stop_ends_sessions()
    {
        await using var cloud = await OwnCloud.StartAsync();
        await cloud.StartInstanceAsync();
        var lines = Channel.CreateUnbounded<string>();
        await using var session = cloud.Ssh.Start(cloud.Server, [], l => lines.Writer.TryWrite(l), "echo $$; exec sleep 300");
        var pid = int.Parse(await lines.Reader.ReadAsync(cloud.Soon), CultureInfo.InvariantCulture);

        await cloud.StopInstanceAsync();

        Assert.Equal(255, (await session.Exited.WaitAsync(cloud.Soon)).Code);
        Assert.False(IsAlive(pid));
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Killed_sshd_comes_back_and_its_sessions_do_not_stay()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "restart_seconds": 0.2 }""");
        await cloud.StartInstanceAsync();
        var lines = Channel.CreateUnbounded<string>();
        await using var session = cloud.Ssh.Start(cloud.Server, [], l => lines.Writer.TryWrite(l), "echo $$; exec sleep 300");
        var pid = int.Parse(await lines.Reader.ReadAsync(cloud.Soon), CultureInfo.InvariantCulture);

        ProcessTree.Kill(ListenerPid(cloud));
        _ = await cloud.LoggedAsync("sshd_ended");

        Assert.Equal(255, (await session.Exited.WaitAsync(cloud.Soon)).Code);
        Assert.False(IsAlive(pid));
        await ServesAsync(cloud);
    }

    [NeedsFact(Need.Sshd)]
    public async Task Stop_while_booting_ends_the_launch()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "boot_seconds": 60, "boot_port": "silent", "stop_seconds": 0.5 }""");

        await cloud.Cloud.StartAsync(cloud.Soon);
        await cloud.Cloud.StopAsync(cloud.Soon);
        var early = await Assert.ThrowsAsync<CloudException>(() => cloud.Cloud.StartAsync(cloud.Soon));
        var stopped = await cloud.UntilAsync(InstanceState.Stopped);

        Assert.Equal(CloudFailure.Transient, early.Failure);
        Assert.Empty(stopped.Addresses);
        Assert.InRange((await cloud.LoggedAsync("stopped")).T - (await cloud.LoggedAsync("stopping")).T, 0.45, 60);
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1)));
    }

    [NeedsFact(Need.Sshd)]
    public async Task Lost_start_reply_leaves_one_instance()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "lose_replies": { "start": 1 } }""");

        var lost = await Assert.ThrowsAsync<CloudException>(() => cloud.Cloud.StartAsync(cloud.Soon));
        await cloud.Cloud.StartAsync(cloud.Soon);

        Assert.Equal(CloudFailure.LostReply, lost.Failure);
        Assert.Equal("launch-1", (await cloud.UntilAsync(InstanceState.Running)).LaunchId);
        Assert.Equal(1, cloud.Count("launch"));
        Assert.Equal(["lost", "ok"], cloud.Log.Where(e => e.Op == "start").Select(e => e.Outcome));
    }

    [NeedsFact(Need.Sshd)]
    public async Task Client_that_dies_after_asking_changes_nothing()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "reply_seconds": 0.3 }""");
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(cloud.Place.File(LocalCloudServer.SocketName)), cloud.Soon);
            await socket.SendAsync("{\"op\":\"start\"}\n"u8.ToArray(), cloud.Soon);
        }

        _ = await cloud.LoggedAsync("booted");

        Assert.Equal(InstanceState.Running, (await cloud.SeeAsync()).State);
        Assert.Equal(1, cloud.Count("launch"));
    }

    [NeedsFact(Need.Sshd)]
    public async Task Failing_calls_are_not_carried_out()
    {
        await using var cloud = await OwnCloud.StartAsync();
        await cloud.Client.SetModeAsync("""{ "fail_calls": { "start": { "times": 2, "failure": "denied" }, "describe": { "failure": "transient" } } }""", cloud.Soon);

        var failures = new List<CloudFailure>
        {
            (await Assert.ThrowsAsync<CloudException>(() => cloud.Cloud.StartAsync(cloud.Soon))).Failure,
            (await Assert.ThrowsAsync<CloudException>(() => cloud.Cloud.StartAsync(cloud.Soon))).Failure,
            (await Assert.ThrowsAsync<CloudException>(() => cloud.Cloud.DescribeAsync(cloud.Soon))).Failure,
        };

        Assert.Equal([CloudFailure.Denied, CloudFailure.Denied, CloudFailure.Transient], failures);
        Assert.Equal((InstanceState.Stopped, 0), ((await cloud.SeeAsync()).State, cloud.Count("launch")));
        await cloud.StartInstanceAsync();
    }

    [NeedsFact(Need.Sshd)]
    public async Task Owner_starts_and_stops_in_the_providers_app()
    {
        await using var cloud = await OwnCloud.StartAsync();

        _ = await cloud.Client.InstanceAsync("owner-start", cloud.Soon);
        var running = await cloud.UntilAsync(InstanceState.Running);
        _ = await cloud.Client.InstanceAsync("owner-stop", cloud.Soon);
        var stopped = await cloud.UntilAsync(InstanceState.Stopped);

        Assert.False(running.StoppedByOwner);
        Assert.True(stopped.StoppedByOwner);
        Assert.Equal(["owner", "owner"], cloud.Log.Where(e => e.Event is "launch" or "stopped").Select(e => e.By));
    }

    [NeedsFact(Need.Sshd)]
    public async Task Instance_stops_by_itself()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "stops_itself_after_seconds": 0.5 }""");

        await cloud.StartInstanceAsync();
        var stopped = await cloud.UntilAsync(InstanceState.Stopped);

        Assert.False(stopped.StoppedByOwner);
        Assert.Equal("itself", (await cloud.LoggedAsync("stopped")).By);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Instance_moves_while_it_runs()
    {
        await using var cloud = await OwnCloud.StartAsync();
        await cloud.StartInstanceAsync();
        await using var session = cloud.Ssh.Start(cloud.Server, [], _ => { }, "sleep", "60");
        await BannerAsync(cloud.Server);

        var moved = await cloud.Client.InstanceAsync("move", cloud.Soon);

        Assert.Equal((cloud.Place.Address(1), "launch-1"), (Assert.Single(moved.Addresses), moved.LaunchId));
        Assert.Equal(255, (await session.Exited.WaitAsync(cloud.Soon)).Code);
        await BannerAsync(cloud.Place.EndPoint(OwnCloud.Port, 1));
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(cloud.Server, TimeSpan.FromSeconds(1)));
    }

    [NeedsFact(Need.Sshd)]
    public async Task Running_instance_tells_its_address_late()
    {
        await using var cloud = await OwnCloud.StartAsync("""{ "address_late_seconds": 0.7, "address_changes": true }""");

        await cloud.Cloud.StartAsync(cloud.Soon);
        var early = await cloud.UntilAsync(InstanceState.Running);
        while ((await cloud.SeeAsync()).Addresses.IsEmpty)
        {
            await Task.Delay(20, cloud.Soon);
        }

        await cloud.StopInstanceAsync();
        await cloud.Client.SetModeAsync("""{ "address_late_seconds": 0 }""", cloud.Soon);
        await cloud.StartInstanceAsync();

        Assert.Empty(early.Addresses);
        Assert.Equal(cloud.Place.Address(1), Assert.Single((await cloud.SeeAsync()).Addresses));
    }

    [NeedsFact(Need.Sshd)]
    public async Task Agent_lives_with_the_instance()
    {
        await using var cloud = await OwnCloud.StartAsync(agent: """{ "program": "sh", "arguments": ["-c", "echo pid $$ $COLOUR; exec sleep 300"], "environment": { "COLOUR": "blue" } }""");
        await cloud.StartInstanceAsync();
        string said;
        while (!File.Exists(cloud.Place.File("agent.log")) || !(said = await File.ReadAllTextAsync(cloud.Place.File("agent.log"), cloud.Soon)).EndsWith('\n'))
        {
            await Task.Delay(20, cloud.Soon);
        }

        var words = said.Trim().Split(' ');
        var pid = int.Parse(words[2], CultureInfo.InvariantCulture);
        Assert.Equal("blue", words[3]);
        Assert.True(IsAlive(pid));

        await cloud.StopInstanceAsync();

        Assert.False(IsAlive(pid));
        Assert.Equal(0, cloud.Count("agent_ended"));
    }

    [NeedsFact(Need.Sshd)]
    public async Task Second_cloud_in_one_folder_is_refused()
    {
        await using var cloud = await OwnCloud.StartAsync();
        var settings = LocalCloudSettingsReader.Read($$"""{ "tag": "b", "addresses": ["{{cloud.Place.Address(2)}}"], "ports": [49022] }""", cloud.Place.Folder);
        var second = new LocalCloudServer(cloud.Place.Folder, settings, new SystemProcessLauncher(TimeProvider.System), TimeProvider.System);

        var refused = await Assert.ThrowsAsync<LocalCloudException>(() => second.RunAsync(_ => { }, cloud.Soon));

        Assert.Contains("already runs", refused.Message, StringComparison.Ordinal);
        Assert.Equal(InstanceState.Stopped, (await cloud.SeeAsync()).State);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task End_of_the_cloud_leaves_nothing_and_is_written_down()
    {
        var cloud = await OwnCloud.StartAsync();
        await cloud.StartInstanceAsync();
        var listener = ListenerPid(cloud);
        await using var session = cloud.Ssh.Start(cloud.Server, [], _ => { }, "sleep", "60");
        await BannerAsync(cloud.Server);

        await cloud.EndAsync();

        Assert.Equal(255, (await session.Exited.WaitAsync(cloud.Soon)).Code);
        Assert.False(IsAlive(listener));
        Assert.Equal((1, 1), (cloud.Count("launch"), cloud.Count("stopped")));
        Assert.False(File.Exists(cloud.Place.File(LocalCloudServer.SocketName)));
        var gone = await Assert.ThrowsAsync<CloudException>(() => cloud.SeeAsync());
        Assert.Equal(CloudFailure.Unreachable, gone.Failure);
        Assert.Contains("internalhost local-cloud", gone.Message, StringComparison.Ordinal);
        cloud.Place.Dispose();
    }

    [NeedsFact(Need.Sshd)]
    public async Task Quit_ends_the_cloud()
    {
        var cloud = await OwnCloud.StartAsync();

        _ = await cloud.Client.CallAsync(new("quit"), cloud.Soon);
        await cloud.EndAsync();

        Assert.False(File.Exists(cloud.Place.File(LocalCloudServer.SocketName)));
        cloud.Place.Dispose();
    }

    [NeedsTheory(Need.Sshd)]
    [InlineData("hello", "not a request")]
    [InlineData("null", "not a request")]
    [InlineData("{\"op\":\"explode\"}", "unknown op")]
    [InlineData("{\"op\":\"set-mode\",\"modes\":{\"boot_port\":\"blue\"}}", "one of refuse, drop, silent")]
    [InlineData("{\"op\":\"set-mode\"}", "modes")]
    public async Task Garbage_on_the_socket_is_answered(string line, string answer)
    {
        await using var cloud = await OwnCloud.StartAsync();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(cloud.Place.File(LocalCloudServer.SocketName)), cloud.Soon);

        await socket.SendAsync(Encoding.UTF8.GetBytes(line + "\n"), cloud.Soon);

        Assert.Contains(answer, await ReceiveAsync(socket, cloud.Soon), StringComparison.Ordinal);
        Assert.Equal(InstanceState.Stopped, (await cloud.SeeAsync()).State);
    }

    private static async Task ServesAsync(OwnCloud cloud)
    {
        while ((await cloud.Ssh.RunAsync(cloud.Server, "true")).Exit.Code != 0)
        {
            await Task.Delay(50, cloud.Soon);
        }
    }

    private static async Task BannerAsync(IPEndPoint server)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            try
            {
                using var socket = await ConnectAsync(server, TimeSpan.FromSeconds(5));
                if ((await ReceiveAsync(socket, limit.Token)).StartsWith("SSH-2.0-", StringComparison.Ordinal))
                {
                    return;
                }
            }
            catch (SocketException)
            {
                await Task.Delay(20, limit.Token);
            }
        }
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint to, TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(to, timeout.Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <returns>What came, or nothing where the other side has closed or reset.</returns>
    private static async Task<string> ReceiveAsync(Socket socket, CancellationToken ct)
    {
        var buffer = new byte[4096];
        try
        {
            return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, ct));
        }
        catch (SocketException)
        {
            return "";
        }
    }

    private static int ListenerPid(OwnCloud cloud) =>
        int.Parse(File.ReadLines(cloud.Place.File("sshd/sshd.log")).Last(l => l.Contains("Server listening", StringComparison.Ordinal)).Split('[', ']')[1], CultureInfo.InvariantCulture);

    private static bool IsAlive(int pid) =>
        File.Exists($"/proc/{pid}/stat") && !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);
}
