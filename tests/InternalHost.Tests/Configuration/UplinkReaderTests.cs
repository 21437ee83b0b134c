using System.Net;
using InternalHost.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Links;

namespace InternalHost.Tests.Configuration;

public sealed class UplinkReaderTests : IDisposable
{
    private const string Two = "  primary: {interface: eth0, address: 192.168.1.5}\n  backup: {interface: eth0, address: 192.168.1.6}";

    private readonly SiteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Observed_primary_is_wiring_c()
    {
        var site = Read("""
            primary: {observe: {command: [/usr/local/bin/ask-router, wan1], lan: 192.168.1.40, outside: "learn:8443"}}
            backup: {interface: eth0, bring_up: [/usr/local/bin/dial, up]}
            """);

        Assert.Equal(Wiring.C, site.Wiring);
        Assert.False(site.Primary.Carries);
        Assert.Equal(["/usr/local/bin/ask-router", "wan1"], site.Primary.Observe!.Command.ToArray());
        Assert.Equal(IPEndPoint.Parse("192.168.1.40:1080"), site.Primary.Observe.Lan);
        Assert.Equal(new OutsideTarget(null, 8443), site.Primary.Observe.Outside);
        Assert.Equal(["/usr/local/bin/dial", "up"], site.Backup.BringUp.ToArray());
    }

    [Fact]
    public void Without_a_primary_it_is_wiring_d_and_has_to_be_said()
    {
        Assert.Equal(Wiring.D, Read("backup: {interface: eth0}\nwiring: D").Wiring);
        Assert.Contains("uplinks.primary: is missing: name its interface", Errors("backup: {interface: eth0}"), StringComparison.Ordinal);
        Assert.Contains("or write wiring: D", Errors("backup: {interface: eth0}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("A", "uplinks.wiring: A: is not what the rest says: B, because both share eth0")]
    [InlineData("C", "uplinks.wiring: C: is not what the rest says: B")]
    [InlineData("D", "uplinks.wiring: D: is not what the rest says: B")]
    [InlineData("E", "uplinks.wiring: E: must be one of A, B, C, D")]
    public void Wiring_that_is_meant_must_be_what_the_rest_says(string wiring, string expected) =>
        Assert.Contains(expected, Errors($"{Two.Trim().Replace("\n  ", "\n", StringComparison.Ordinal)}\nwiring: {wiring}"), StringComparison.Ordinal);

    [Theory]
    [InlineData("{interface: eth0, observe: {command: [/bin/x]}}", "uplinks.primary.interface: cannot stand beside observe")]
    [InlineData("{observe: {outside: \"203.0.113.7:443\"}}", "outside alone is too weak")]
    [InlineData("{observe: {lan: 192.168.1.40, outside: learn}}", "uplinks.primary.observe.outside: learn: has nobody to learn the address from")]
    [InlineData("{observe: {command: ask-router}}", "uplinks.primary.observe.command: ask-router: must begin with the full path of a program")]
    [InlineData("{observe: {command: [/bin/x], outside: somewhere}}", "must be learn, learn:PORT or the primary's public ADDRESS:PORT")]
    [InlineData("{observe: {command: [/bin/x], outside: \"learn:0\"}}", "must be learn, learn:PORT or the primary's public ADDRESS:PORT")]
    [InlineData("{observe: {command: [/bin/x], outside: \"127.0.0.1:80\"}}", "is this machine itself")]
    [InlineData("{observe: {comand: [/bin/x]}}", "did you mean command?")]
    [InlineData("{interface: eth0, bring_up: [/bin/x]}", "uplinks.primary.bring_up")]
    public void Wrong_combinations_are_told_with_their_reason(string primary, string expected) =>
        Assert.Contains(expected, Errors($"primary: {primary}\nbackup: {{interface: eth1}}"), StringComparison.Ordinal);

    [Theory]
    [InlineData("{interface: eth0, observe: {command: [/bin/x]}}", "uplinks.backup.observe")]
    [InlineData("{interface: eth0, bring_up: dial}", "uplinks.backup.bring_up: dial: must begin with the full path of a program")]
    public void Backup_is_never_observed_and_its_command_is_a_list(string backup, string expected) =>
        Assert.Contains(expected, Errors($"primary: {{interface: eth1}}\nbackup: {backup}"), StringComparison.Ordinal);

    [Fact]
    public void Same_lists_are_the_same_uplink_and_another_eye_is_another()
    {
        const string file = "primary: {{observe: {{command: [/bin/x, {0}]}}}}\nbackup: {{interface: eth0, bring_up: [/bin/y]}}";
        var (one, again, other) = (Read(Format(file, "a")), Read(Format(file, "a")), Read(Format(file, "b")));

        Assert.Equal((one.Primary, one.Backup), (again.Primary, again.Backup));
        Assert.NotEqual(one.Primary, other.Primary);
        Assert.Equal(UplinkFingerprint.Of(one.Primary), UplinkFingerprint.Of(again.Primary));
        Assert.NotEqual(UplinkFingerprint.Of(one.Primary), UplinkFingerprint.Of(other.Primary));
    }

    [Theory]
    [InlineData("command: [/bin/ask]", "there is one observer only, /bin/ask: from silence no outage is concluded", "add outside: learn")]
    [InlineData("lan: 192.168.1.40", "there is one observer only, the relay 192.168.1.40:1080", "add its public address and a port there")]
    [InlineData("command: [/bin/ask], lan: 192.168.1.40", "/bin/ask, the relay 192.168.1.40:1080 may fall silent together", "add outside: learn")]
    [InlineData("command: [/bin/ask], outside: learn", null, null)]
    public void Observers_that_can_all_fall_silent_are_warned_of(string observe, string? reason, string? next)
    {
        var text = SiteSummary.Render(Read($"primary: {{observe: {{{observe}}}}}\nbackup: {{interface: eth0}}"));

        Assert.Equal(reason is not null, text.Contains("Note: uplinks.primary.observe.outside is missing", StringComparison.Ordinal));
        Assert.Contains(reason ?? "", text, StringComparison.Ordinal);
        Assert.Contains(next ?? "", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Summary_says_what_watches_and_that_nothing_does()
    {
        var observed = SiteSummary.Render(Read("primary: {observe: {command: [/bin/ask], lan: 192.168.1.40, outside: learn}}\nbackup: {interface: eth0, bring_up: [/bin/dial]}"));
        var blind = SiteSummary.Render(Read("backup: {interface: eth0}\nwiring: D"));

        Assert.Contains("watched by /bin/ask, the relay 192.168.1.40:1080, its public address from outside (learnt, port 443)", observed, StringComparison.Ordinal);
        Assert.Contains("woken by /bin/dial", observed, StringComparison.Ordinal);
        Assert.Contains("NO AUTOMATIC FAILOVER, only internalhost open starts the VM", blind, StringComparison.Ordinal);
    }

    private static string Format(string format, string value) => string.Format(System.Globalization.CultureInfo.InvariantCulture, format, value);

    private SiteOptions Read(string uplinks) => Load(uplinks).OptionsOrThrow();

    private string Errors(string uplinks) => string.Join('\n', Load(uplinks).Errors.Select(e => $"{e.Key}: {(e.Value.Length > 0 ? $"{e.Value}: " : "")}{e.Reason}"));

    private SiteReading Load(string uplinks)
    {
        var indented = string.Join('\n', uplinks.Split('\n').Select(l => "  " + l.TrimEnd('\r')));
        Assert.Contains(Two, _folder.Good, StringComparison.Ordinal);
        return _folder.Load(_folder.Good.Replace(Two, indented, StringComparison.Ordinal));
    }
}
