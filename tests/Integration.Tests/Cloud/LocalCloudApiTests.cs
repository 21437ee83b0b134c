using System.Net.Sockets;
using System.Text;
using Common.Processes;
using InternalHost.Cloud;
using InternalHost.Cloud.Local;
using Testing;
using static Integration.Tests.Cloud.CloudSight;

namespace Integration.Tests.Cloud;

/// <summary>The API of a local cloud when it fails, loses replies, or is asked nonsense.</summary>
public sealed class LocalCloudApiTests
{
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
    public async Task Second_cloud_in_one_folder_is_refused()
    {
        await using var cloud = await OwnCloud.StartAsync();
        var settings = LocalCloudSettingsReader.Read($$"""{ "tag": "b", "addresses": ["{{cloud.Place.Address(2)}}"], "ports": [49022] }""", cloud.Place.Folder);
        var second = new LocalCloudServer(cloud.Place.Folder, settings, new SystemProcessLauncher(TimeProvider.System), TimeProvider.System);

        var refused = await Assert.ThrowsAsync<LocalCloudException>(() => second.RunAsync(_ => { }, cloud.Soon));

        Assert.Contains("already runs", refused.Message, StringComparison.Ordinal);
        Assert.Equal(InstanceState.Stopped, (await cloud.SeeAsync()).State);
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
}
