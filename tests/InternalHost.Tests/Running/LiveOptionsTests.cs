using InternalHost.Cloud;
using InternalHost.Configuration;
using InternalHost.Running;
using InternalHost.Tests.Configuration;
using InternalHost.Tests.Pins;

namespace InternalHost.Tests.Running;

public sealed class LiveOptionsTests : IDisposable
{
    private readonly SiteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A site with every list that a configuration can have.</summary>
    private string Lists => _folder.Good
        .Replace("primary: {interface: eth0, address: 192.168.1.5}", "primary: {observe: {command: [/bin/ask, wan1], lan: 192.168.1.40, outside: learn}}", StringComparison.Ordinal)
        .Replace("address: 192.168.1.6}", "address: 192.168.1.6, bring_up: [/bin/dial, now]}", StringComparison.Ordinal)
        .Replace("cloud: static\n  address: 198.51.100.10", "cloud: command\n  commands: {describe: [/bin/vm, describe], start: [/bin/vm, start], stop: [/bin/vm, stop]}\n  ports: [49022, 443]", StringComparison.Ordinal);

    /// <summary>Issue 3: the commands of provider command were compared by reference, and every reload asked for a restart.</summary>
    [Fact]
    public void Same_file_read_again_needs_nothing()
    {
        var live = new LiveOptions(Read(Lists), Lifecycle.StopStart);

        Assert.Empty(live.Replace(Read(Lists)));
    }

    [Theory]
    [InlineData("site: home", "site: hut", "site")]
    [InlineData("[/bin/dial, now]", "[/bin/dial, soon]", "uplinks")]
    [InlineData("[/bin/ask, wan1]", "[/bin/ask, wan2]", "uplinks")]
    [InlineData("[/bin/vm, stop]", "[/bin/vm, halt]", "bastion")]
    [InlineData("[49022, 443]", "[443, 49022]", "bastion")]
    [InlineData("+15551230009", "+15551230008", "messages.sms")]
    [InlineData("services:", "witnesses: {dns_a: 192.0.2.53}\nservices:", "witnesses")]
    [InlineData("services:", "outage: {recover_after: 30s}\nservices:", "outage.confirm_after, outage.recover_after")]
    [InlineData("services:", "record: no\nservices:", "record")]
    [InlineData("services:", "runtime_directory: /run/other\nservices:", "state_directory, runtime_directory")]
    public void What_the_daemon_is_built_from_needs_a_restart(string now, string wanted, string key)
    {
        var live = new LiveOptions(Read(Lists), Lifecycle.StopStart);

        Assert.Equal(key, live.Replace(Read(Lists.Replace(now, wanted, StringComparison.Ordinal)))[0]);
    }

    /// <summary>Issue 3: whoever lost the number in the file was still told, until the next restart, and nobody said so.</summary>
    [Fact]
    public void Who_is_told_changes_at_once()
    {
        var live = new LiveOptions(Read(Lists), Lifecycle.StopStart);

        var restart = live.Replace(Read(Lists.Replace("+15551230001", "+15551230002", StringComparison.Ordinal)));

        Assert.Empty(restart);
        Assert.Equal(["+15551230002"], live.Now.Messages.Sms!.To.ToArray());
        Assert.Equal("+15551230002", Assert.Single(live.Now.People).Text);
    }

    /// <summary>The status told people to reload after another host key was pinned, and the reload asked for a restart.</summary>
    [Fact]
    public void Host_keys_change_at_once()
    {
        var live = new LiveOptions(Read(Lists), Lifecycle.StopStart);
        var other = ConsoleTextTests.Key(1);

        Assert.Empty(live.Replace(Read(Lists.Replace($"host_keys: {SiteFolder.HostKey}", $"host_keys: {other}", StringComparison.Ordinal))));
        Assert.Equal([other], live.Now.Bastion.HostKeys.ToArray());
    }

    private SiteOptions Read(string text) => _folder.Load(text) is { Options: { } options } ? options
        : throw new InvalidOperationException(string.Join('\n', _folder.Load(text).Errors));
}
