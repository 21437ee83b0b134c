using InternalHost.Cli;
using InternalHost.Clients;
using InternalHost.Tests.Configuration;

namespace InternalHost.Tests.Clients;

public sealed class SshClientConfigTests : IDisposable
{
    private const string Trust = "    StrictHostKeyChecking yes\n    UserKnownHostsFile /k\n    GlobalKnownHostsFile none\n    UpdateHostKeys no\n    IdentitiesOnly yes\n";

    private readonly SiteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Config_pins_both_hops_for_every_port()
    {
        var files = Render("home.example.net");

        var expected = $"""
            Host home
                HostName 127.0.0.1
                Port 22001
                User alice
                HostKeyAlias home-inside
                ProxyJump home-door
                ServerAliveInterval 15
            {Trust}
            Host home-door
                HostName home.example.net
                Port 49022
                User alice
            {Trust}
            # kvm is then at localhost:22002
            Host home-kvm
                HostName 127.0.0.1
                Port 22001
                User alice
                HostKeyAlias home-inside
                ProxyJump home-door
                LocalForward 22002 192.168.1.21:443
                ExitOnForwardFailure yes
                SessionType none
            {Trust}
            Host home-443
            """;
        Assert.Contains(expected, files.Config, StringComparison.Ordinal);
        Assert.Contains("Match user alice exec \"test %p = 49022\"", files.Config, StringComparison.Ordinal);
        Assert.Contains("Match user alice exec \"test %p = 443\"", files.Config, StringComparison.Ordinal);
        Assert.Contains("Match host 127.0.0.1 exec \"test %p = 22001\"\n    HostKeyAlias home-inside", files.Config, StringComparison.Ordinal);
        Assert.Equal($"[*]:49022 {SiteFolder.HostKey}\n[*]:443 {SiteFolder.HostKey}\nhome-inside INNER\n", files.KnownHosts);
    }

    [Fact]
    public void Config_without_a_known_address_leaves_the_door_to_the_text_message()
    {
        var config = Render(door: null).Config;

        Assert.DoesNotContain("ProxyJump", config, StringComparison.Ordinal);
        Assert.DoesNotContain("home-door", config, StringComparison.Ordinal);
        Assert.Contains("ssh -J alice@ADDRESS:49022 home", config, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_names_what_is_missing()
    {
        var config = _folder.Write("a.yaml", _folder.Good + $"inner_host_keys: {_folder.At("none.pub")}\n");

        Assert.Contains("inner_host_keys names its .pub file", (await RunAsync(2, "ssh-config", "-c", config)).Errors, StringComparison.Ordinal);
        Assert.Contains("name one of the people: alice", (await RunAsync(2, "ssh-config", "bob", "-c", config)).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_prints_both_files_or_writes_them()
    {
        var config = _folder.Write("a.yaml", _folder.Good + $"inner_host_keys: {_folder.At("keys/bastion_host.pub")}\n");

        var printed = (await RunAsync(0, "ssh-config", "-c", config)).Output;
        var written = (await RunAsync(0, "ssh-config", "alice", "--out", _folder.At("out"), "--identity", "~/.ssh/phone", "-c", config)).Output;

        Assert.Contains("Include home.conf", printed, StringComparison.Ordinal);
        Assert.Contains("HostName 198.51.100.10", printed, StringComparison.Ordinal);
        Assert.Equal($"ssh -F {_folder.At("out/home.conf")} home\n", written);
        Assert.Contains($"UserKnownHostsFile {_folder.At("out/home.known_hosts")}", await File.ReadAllTextAsync(_folder.At("out/home.conf")), StringComparison.Ordinal);
        Assert.Contains("IdentityFile ~/.ssh/phone", await File.ReadAllTextAsync(_folder.At("out/home.conf")), StringComparison.Ordinal);
        Assert.Contains($"home-inside {SiteFolder.HostKey}", await File.ReadAllTextAsync(_folder.At("out/home.known_hosts")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Phone_gets_entries_to_type_and_fingerprints_to_compare()
    {
        var config = _folder.Write("a.yaml", _folder.Good
            .Replace($"host_keys: {SiteFolder.HostKey}", $"host_keys: {_folder.At("keys/bastion_host.pub")}\n  name: home.example.net", StringComparison.Ordinal)
            + $"inner_host_keys: {_folder.At("keys/bastion_host.pub")}\n");

        var card = (await RunAsync(0, "ssh-config", "--phone", "-c", config)).Output;

        Assert.StartsWith($"""
            home: the way in for alice by an SSH app

            The bastion
              name       home-door
              host       home.example.net
              port       49022
              user       alice
              key        the one that the app has made

            The same by port 443, for networks that block the first
              name       home-door-443
            """, card, StringComparison.Ordinal);
        Assert.Contains("""
            The host inside
              name       home
              host       127.0.0.1
              port       22001
              user       alice
              key        the same
              by way of  home-door

            """, card, StringComparison.Ordinal);
        Assert.Contains("  bastion    SHA256:hxIjPI6diyni9vqI2w58BK4t+4Y4J+xRv6dIAtpAorQ  ED25519\n  inside     SHA256:hxIjPI6d", card, StringComparison.Ordinal);
        Assert.DoesNotContain("bastion.name", card, StringComparison.Ordinal);
    }

    private SshClientFiles Render(string? door)
    {
        var site = _folder.Load(_folder.Good).OptionsOrThrow();
        return SshClientConfig.Render(site, new SshClient(site.People[0], "alice", door, ["INNER"], "/k", Identity: null), site.Services[0]);
    }

    private static async Task<(string Output, string Errors)> RunAsync(int code, params string[] args)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        Assert.Equal(code, await CommandTree.RunAsync(args, output, errors));
        return (output.ToString(), errors.ToString());
    }
}
