using System.Globalization;
using System.Net.Sockets;
using System.Threading.Channels;
using InternalHost.Cloud;
using InternalHost.Cloud.Local;
using Testing;
using static Integration.Tests.Cloud.CloudSight;

namespace Integration.Tests.Cloud;

/// <summary>The life of a local cloud's instance, by its API, by its owner and by itself.</summary>
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
}
