using System.Net;
using System.Text.Json;
using InternalHost.Cloud;
using InternalHost.Cloud.Local;

namespace InternalHost.Tests.Cloud.Local;

public sealed class LocalCloudSettingsTests
{
    [Fact]
    public void Settings_are_read()
    {
        var settings = LocalCloudSettingsReader.Read(
            """
            {
              // as a person writes it
              "tag": "cabin", "addresses": ["127.9.0.1", "127.9.0.2"], "ports": [49022, 443], "folder": "vm",
              "authorized_keys": ["restrict ssh-ed25519 AAAA"], "sshd_config": ["LogLevel DEBUG"],
              "agent": { "program": "bastion", "arguments": ["agent", "--log", "x"], "environment": { "A": "1" } },
              "modes": {
                "pending_seconds": 0.5, "boot_seconds": 3, "boot_port": "drop", "restart_once": "after_banner", "restart_seconds": 2,
                "address_late_seconds": 1.5, "address_changes": true, "stop_seconds": 4, "stops_itself_after_seconds": 60, "reply_seconds": 0.1,
                "fail_calls": { "start": { "times": 2, "failure": "capacity" } }, "lose_replies": { "stop": 1 },
              },
            }
            """,
            "/cloud");

        Assert.Equal(("cabin", "/cloud/vm"), (settings.Tag, settings.Folder));
        Assert.Equal([IPEndPoint.Parse("127.9.0.2:49022"), IPEndPoint.Parse("127.9.0.2:443")], settings.EndPoints(1).ToArray());
        Assert.Equal(("bastion", "agent --log x", "1"), (settings.Agent!.Program, string.Join(' ', settings.Agent.Arguments), settings.Agent.Environment["A"]));
        Assert.Equal((TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(3), BootPortMode.Drop), (settings.Modes.Pending, settings.Modes.Boot, settings.Modes.BootPort));
        Assert.Equal((RestartOnce.AfterBanner, TimeSpan.FromSeconds(2)), (settings.Modes.RestartOnce, settings.Modes.Restart));
        Assert.Equal((TimeSpan.FromSeconds(1.5), true), (settings.Modes.AddressLate, settings.Modes.AddressChanges));
        Assert.Equal((TimeSpan.FromSeconds(4), TimeSpan.FromMinutes(1)), (settings.Modes.Stop, settings.Modes.StopsItselfAfter));
        Assert.Equal(new FailingCalls(2, CloudFailure.Capacity), settings.Modes.FailCalls["start"]);
        Assert.Equal((1, 0), (settings.Modes.LoseReplies["stop"], settings.Modes.LoseReplies["start"]));
    }

    [Fact]
    public void Announced_addresses_are_told_in_place_of_those_listened_on()
    {
        var plain = LocalCloudSettingsReader.Read("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [1]}""", "/cloud");
        var behind = LocalCloudSettingsReader.Read("""{"tag": "x", "addresses": ["127.0.0.1"], "announced": ["203.0.113.64"], "ports": [1]}""", "/cloud");
        var both = LocalCloudSettingsReader.Read("""{"tag": "x", "addresses": ["127.0.0.1"], "announced": [["203.0.113.64", "2001:db8::64"]], "ports": [1]}""", "/cloud");

        Assert.Equal([IPAddress.Loopback], plain.Announced.Single().ToArray());
        Assert.Equal([IPAddress.Parse("203.0.113.64")], behind.Announced.Single().ToArray());
        Assert.Equal([IPAddress.Parse("203.0.113.64"), IPAddress.Parse("2001:db8::64")], both.Announced.Single().ToArray());
        Assert.Equal([IPEndPoint.Parse("127.0.0.1:1")], behind.EndPoints(0).ToArray());
    }

    [Theory]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "announced": [[]], "ports": [1]}""", "announced[0]: []: an address is wanted, or a list of them")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "announced": [["203.0.113.64", "vm"]], "ports": [1]}""", "announced[0]: [\"203.0.113.64\", \"vm\"]: an address is wanted, or a list of them")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "announced": ["203.0.113.64", "203.0.113.65"], "ports": [1]}""", "announced: one for each of the 1 addresses is wanted")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [1], "colour": "blue"}""", "colour: \"blue\": unknown key")]
    [InlineData("""{"addresses": ["127.0.0.1"], "ports": [1]}""", "tag: missing")]
    [InlineData("""{"tag": "My House", "addresses": ["127.0.0.1"], "ports": [1]}""", "tag: \"My House\": 1-12 of a-z, 0-9 and - are wanted")]
    [InlineData("""{"tag": "x", "addresses": ["10.0.0.1"], "ports": [1]}""", "addresses[0]: \"10.0.0.1\": a loopback address (127.x.y.z or ::1) is wanted")]
    [InlineData("""{"tag": "x", "addresses": [], "ports": [1]}""", "addresses: at least one is wanted")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [49022, 65536]}""", "ports[1]: 65536: a port between 1 and 65535 is wanted")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": 22}""", "ports: 22: a list [ ] is wanted")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [1], "authorized_keys": ["a\nb"]}""", "authorized_keys[0]: \"a\\nb\": one line of authorized_keys is wanted")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [1], "modes": {"boot_seconds": "soon"}}""", "modes.boot_seconds: \"soon\": seconds between 0 and 86400 are wanted")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [1], "modes": {"boot_seconds": -1}}""", "modes.boot_seconds: -1: seconds between 0 and 86400 are wanted")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [1], "modes": {"boot_port": "closed"}}""", "modes.boot_port: \"closed\": one of refuse, drop, silent is wanted")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [1], "modes": {"address_changes": 1}}""", "modes.address_changes: 1: true or false is wanted")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [1], "modes": {"fail_calls": {"quit": {}}}}""", "modes.fail_calls.quit: {}: unknown key")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [1], "modes": {"fail_calls": {"stop": {"times": 1.5}}}}""", "modes.fail_calls.stop.times: 1.5: a whole number between 0 and 1000000 is wanted")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [1], "agent": {}}""", "agent.program: missing")]
    [InlineData("""{"tag": "x", "addresses": ["127.0.0.1"], "ports": [1], "agent": []}""", "agent: []: an object { } is wanted")]
    [InlineData("""{"tag": "x", "tag": "y", "addresses": ["127.0.0.1"], "ports": [1]}""", "tag: \"y\": given twice")]
    [InlineData("[]", "settings: []: an object { } is wanted")]
    [InlineData("{", "not JSON: ")]
    public void Mistake_names_key_value_and_reason(string json, string mistake)
    {
        var failure = Assert.Throws<LocalCloudSettingsException>(() => LocalCloudSettingsReader.Read(json, "/cloud"));

        Assert.Contains(failure.Mistakes, m => m.StartsWith(mistake, StringComparison.Ordinal));
    }

    [Fact]
    public void All_mistakes_are_told_at_once() =>
        Assert.Equal(4, Assert.Throws<LocalCloudSettingsException>(() => LocalCloudSettingsReader.Read("""{"ports": [0, 443], "modes": {"x": 1}, "addresses": ["::1"], "tag": 5}""", "/")).Mistakes.Count);

    [Fact]
    public void Change_of_modes_leaves_the_rest_as_it_is()
    {
        using var change = JsonDocument.Parse("""{"boot_port": "silent", "stops_itself_after_seconds": null}""");

        var modes = LocalCloudSettingsReader.ReadModes(change.RootElement, new() { Boot = TimeSpan.FromSeconds(7), StopsItselfAfter = TimeSpan.FromSeconds(1) });

        Assert.Equal((BootPortMode.Silent, TimeSpan.FromSeconds(7), null), (modes.BootPort, modes.Boot, modes.StopsItselfAfter));
    }
}
