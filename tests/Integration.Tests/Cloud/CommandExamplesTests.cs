using System.Net;
using Common.Processes;
using InternalHost.Cloud;
using InternalHost.Configuration;
using Lab;
using Testing;

namespace Integration.Tests.Cloud;

/// <summary>The worked examples of <c>cloud: command</c>, each run with a command-line client that behaves like the real one.</summary>
public sealed class CommandExamplesTests : IDisposable
{
    private const string Hcloud = """
        #!/bin/sh
        # hcloud 1.5x: state in $STATE
        [ "${HCLOUD_TOKEN:-}" = good ] || { echo "hcloud: unable to authenticate (unauthorized, 1234)" >&2; exit 1; }
        for name; do :; done
        [ "$name" = home ] || { echo "hcloud: server not found: $name" >&2; exit 1; }
        case "$1 $2" in
          'server describe') echo "42 $(cat "$STATE") 203.0.113.9" ;;
          'server poweron') [ "$(cat "$STATE")" = full ] && { echo "hcloud: error during placement (resource_unavailable, 1)" >&2; exit 1; }; echo running > "$STATE"; echo "Server 42 started" ;;
          'server shutdown') echo stopping > "$STATE"; echo "Sent shutdown signal to server 42" ;;
        esac
        """;

    private const string Virsh = """
        #!/bin/sh
        # virsh 9: state in $STATE
        [ -z "${DOWN:-}" ] || { printf 'error: failed to connect to the hypervisor\nerror: Cannot recv data: Connection refused\n' >&2; exit 1; }
        [ "$3" = home ] || { echo "error: failed to get domain '$3'" >&2; exit 1; }
        state=$(cat "$STATE")
        case $2 in
          domstate) echo "$state" ;;
          domifaddr) [ "$state" = booting ] || printf ' lo         00:00:00:00:00:00    ipv4         127.0.0.1/8\n eth0       52:54:00:12:34:56    ipv4         203.0.113.9/24\n -          -                    ipv6         fe80::1/64\n -          -                    ipv6         2001:db8::9/64\n' ;;
          start) [ "$state" != running ] || { echo "error: Domain is already active" >&2; exit 1; }; echo running > "$STATE"; echo "Domain 'home' started" ;;
          shutdown) [ "$state" = running ] || { echo "error: Requested operation is not valid: domain is not running" >&2; exit 1; }; echo 'in shutdown' > "$STATE" ;;
        esac
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("command-").FullName;

    private string State => Path.Combine(_folder, "state");

    private string Token => Path.Combine(_folder, "token");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Server_at_Hetzner_is_described_started_and_stopped()
    {
        await Program("hcloud", Hcloud);
        await File.WriteAllTextAsync(Token, "good");
        var cloud = Example("vm-hcloud");
        await File.WriteAllTextAsync(State, "off");

        Assert.Equal((InstanceState.Stopped, "42"), await KindAsync(cloud));
        await cloud.StartAsync(default);
        var running = await cloud.DescribeAsync(default);
        Assert.Equal((InstanceState.Running, IPAddress.Parse("203.0.113.9")), (running.State, Assert.Single(running.Addresses)));
        await cloud.StopAsync(default);
        Assert.Equal(InstanceState.Stopping, (await cloud.DescribeAsync(default)).State);

        await File.WriteAllTextAsync(State, "full");
        Assert.Equal(CloudFailure.Capacity, await FailureAsync(() => cloud.StartAsync(default)));
        Assert.Equal(CloudFailure.NotFound, await FailureAsync(() => Example("vm-hcloud", name: "nobody").DescribeAsync(default)));
        await File.WriteAllTextAsync(Token, "bad");
        Assert.Equal(CloudFailure.Denied, await FailureAsync(() => cloud.DescribeAsync(default)));
        File.Delete(Token);
        Assert.Equal(CloudFailure.Denied, await FailureAsync(() => cloud.DescribeAsync(default)));
    }

    [Fact]
    public async Task Guest_of_a_libvirt_host_is_described_started_and_stopped()
    {
        await Program("virsh", Virsh);
        var cloud = Example("vm-virsh");
        await File.WriteAllTextAsync(State, "shut off");

        Assert.Equal((InstanceState.Stopped, "home"), await KindAsync(cloud));
        await cloud.StopAsync(default);
        await cloud.StartAsync(default);
        await cloud.StartAsync(default);
        var running = await cloud.DescribeAsync(default);
        Assert.Equal((InstanceState.Running, "203.0.113.9 2001:db8::9"), (running.State, string.Join(' ', running.Addresses)));
        await cloud.StopAsync(default);
        Assert.Equal(InstanceState.Stopping, (await cloud.DescribeAsync(default)).State);

        Assert.Equal(CloudFailure.NotFound, await FailureAsync(() => Example("vm-virsh", name: "nobody").StartAsync(default)));
        Assert.Equal(CloudFailure.Unreachable, await FailureAsync(() => Example("vm-virsh", "DOWN=yes").DescribeAsync(default)));
    }

    [NeedsFact(Need.ShellCheck)]
    public async Task They_pass_shellcheck()
    {
        var launcher = new SystemProcessLauncher(TimeProvider.System);

        var result = await launcher.RunAsync(new ProcessSpec(Needs.Find("shellcheck")!, [.. Directory.GetFiles(Examples)]), default);

        Assert.True(result.Ok, result.Output);
    }

    private static string Examples => Path.Combine(Repository.Root, "infra", "internalhost", "examples");

    private async Task Program(string name, string text)
    {
        var file = Path.Combine(_folder, name);
        await File.WriteAllTextAsync(file, text + "\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private CommandCloud Example(string script, string more = "MORE=", string name = "home")
    {
        string[] Words(string op) => ["/usr/bin/env", $"PATH={_folder}:/usr/bin:/bin", $"STATE={State}", $"TOKEN_FILE={Token}", more, Path.Combine(Examples, script), op, name];
        return new CommandCloud(new CloudCommands([.. Words("describe")], [.. Words("start")], [.. Words("stop")]), new SystemProcessLauncher(TimeProvider.System), TimeProvider.System);
    }

    private static async Task<(InstanceState, string?)> KindAsync(CommandCloud cloud) => await cloud.DescribeAsync(default) is var sight ? (sight.State, sight.Id) : default;

    private static async Task<CloudFailure> FailureAsync(Func<Task> call) => (await Assert.ThrowsAsync<CloudException>(call)).Failure;
}
