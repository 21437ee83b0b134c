using System.Net;
using Common.Processes;
using InternalHost.Cli;
using InternalHost.Cloud.Local;
using Integration.Tests.Cloud;
using Integration.Tests.Tunnel;
using Testing;

namespace Integration.Tests.Clients;

/// <summary>The generated client configuration, used as its owner would, through two real sshds.</summary>
public sealed class SshConfigTests : IAsyncLifetime
{
    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);
    private readonly string _folder = Directory.CreateTempSubdirectory("sc").FullName;
    private TestSshd? _door;
    private PrivateSshd? _inside;
    private int _innerPort;
    private int _second;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Need.Ssh | Need.Sshd) is not null)
        {
            return;
        }

        _second = TestSshd.FreePort(IPAddress.Loopback);
        _door = await TestSshd.StartAsync($"Port {_second}");
        _innerPort = _door.FirstForwardPort;
        var key = (await File.ReadAllTextAsync(_door.ClientKey + ".pub")).Trim();
        _inside = await PrivateSshd.StartAsync(
            new PrivateSshdOptions(Path.Combine(_folder, "inside"), [new IPEndPoint(IPAddress.Loopback, _innerPort)], [AuthorizedKeyLine.Shell(key)]), _launcher, TimeProvider.System, default);
    }

    public async Task DisposeAsync()
    {
        if (_door is not null)
        {
            await _inside!.DisposeAsync();
            await _door.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task By_name_by_the_address_of_the_text_and_by_the_whole_line_of_the_text()
    {
        var config = await WriteAsync(_door!.HostKey("host"), InnerKeyFile);
        var jump = $"{Environment.UserName}@{_door.Address}:{_door.Port}";

        Assert.Equal("inside", (await SshAsync("-F", config, "home", "echo inside")).Output);
        Assert.Equal("inside", (await SshAsync("-F", config, $"home-{_second}", "echo inside")).Output);
        Assert.Equal("inside", (await SshAsync("-F", config, "-J", jump, "home", "echo inside")).Output);
        Assert.Equal("inside", (await SshAsync("-F", config, "-J", jump, "-p", $"{_innerPort}", $"{Environment.UserName}@127.0.0.1", "echo inside")).Output);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Another_key_at_the_door_is_refused_by_name_and_by_address()
    {
        var config = await WriteAsync(_door!.HostKey("host2"), InnerKeyFile);

        var byName = await SshAsync("-F", config, "home", "echo inside");
        var byTheOtherPort = await SshAsync("-F", config, $"home-{_second}", "echo inside");
        var byAddress = await SshAsync("-F", config, "-J", $"{Environment.UserName}@{_door.Address}:{_door.Port}", "home", "echo inside");

        Assert.All([byName, byTheOtherPort, byAddress], result =>
        {
            Assert.False(result.Ok);
            Assert.Contains("IDENTIFICATION HAS CHANGED", result.Error, StringComparison.Ordinal);
        });
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task While_a_host_key_is_replaced_both_are_accepted()
    {
        var pins = Path.Combine(_folder, "pins.pub");
        await File.WriteAllTextAsync(pins, $"{_door!.HostKey("host2")}\n{_door.HostKey("host")} next\n");

        Assert.Equal("inside", (await SshAsync("-F", await WriteAsync(pins, InnerKeyFile), "home", "echo inside")).Output);
    }

    [NeedsFact(Need.Ssh | Need.Sshd)]
    public async Task Another_key_inside_is_refused()
    {
        var config = await WriteAsync(_door!.HostKey("host"), Path.Combine(_door.Folder, "host2.pub"));

        var result = await SshAsync("-F", config, "home", "echo inside");

        Assert.False(result.Ok);
        Assert.Contains("IDENTIFICATION HAS CHANGED", result.Error, StringComparison.Ordinal);
    }

    private string InnerKeyFile => Path.Combine(_folder, "inside", "ssh_host_ed25519_key.pub");

    private async Task<string> WriteAsync(string doorKey, string innerKeyFile)
    {
        var file = Path.Combine(_folder, "internalhost.yaml");
        await File.WriteAllTextAsync(file, $$"""
            site: home
            uplinks:
              primary: {interface: lo, address: 127.0.0.2}
              backup: {interface: lo, address: 127.0.0.3}
            bastion:
              cloud: static
              address: {{_door!.Address}}
              ports: [{{_door.Port}}, {{_second}}]
              key: {{_door.ClientKey}}
              host_keys: {{doorKey}}
              first_forward_port: {{_innerPort}}
              agent_port: none
            people:
              alice: {may: [ssh]}
            messages: {inner_user: {{Environment.UserName}}}
            inner_host_keys: {{innerKeyFile}}
            state_directory: {{_folder}}

            """);
        var (output, errors) = (new StringWriter(), new StringWriter());
        var code = await CommandTree.RunAsync(
            ["ssh-config", "alice", "-c", file, "--account", Environment.UserName, "--identity", _door.ClientKey, "--out", _folder], output, errors);
        Assert.True(code == 0, errors.ToString());
        return Path.Combine(_folder, "home.conf");
    }

    private Task<ProcessResult> SshAsync(params string[] arguments) => _launcher.RunAsync(
        new ProcessSpec("ssh", ["-o", "BatchMode=yes", "-o", "ConnectTimeout=5", .. arguments]), new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
}
