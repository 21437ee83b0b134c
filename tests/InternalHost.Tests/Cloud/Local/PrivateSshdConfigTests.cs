using System.Net;
using InternalHost.Cloud.Local;

namespace InternalHost.Tests.Cloud.Local;

public sealed class PrivateSshdConfigTests
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdHDZ4SyEBZGDDQnY8nQ1XDJtnDhWKmzOcxwMgj2IZ5";

    [Fact]
    public void Site_line_is_confined_to_its_ports() =>
        Assert.Equal(
            "restrict,port-forwarding,permitlisten=\"127.0.0.1:22001\",permitlisten=\"127.0.0.1:22016\",permitopen=\"127.0.0.1:22016\","
            + "permitopen=\"127.0.0.1:29000\",command=\"echo 'This account carries a tunnel, nothing else.' >&2; exit 1\" " + Key,
            AuthorizedKeyLine.Site(Key + "\n", [22001, 22016], 22016, 29000));

    [Fact]
    public void Person_line_lets_no_quote_out_of_its_sentence() =>
        Assert.EndsWith("command=\"echo 'Closed; rm -rf $HOME'\" " + Key, AuthorizedKeyLine.Person(Key, [22001], "Closed'\"; rm\n -rf $HOME\\"), StringComparison.Ordinal);

    [Fact]
    public void Server_permits_what_the_lines_together_listen_on()
    {
        string[] lines = [AuthorizedKeyLine.Site(Key, [22002, 22001], 22003, null), AuthorizedKeyLine.Person(Key, [22001]), AuthorizedKeyLine.Site(Key, [22001], 22033, 1)];

        Assert.Equal(["127.0.0.1:22001", "127.0.0.1:22002", "127.0.0.1:22003", "127.0.0.1:22033"], AuthorizedKeyLine.Listens(lines).ToArray());
    }

    [Fact]
    public void Server_without_sites_permits_no_listening() =>
        Assert.Contains("PermitListen none", Render(new(9, 2), AuthorizedKeyLine.Person(Key, [22001])), StringComparison.Ordinal);

    [Theory]
    [InlineData(8, 9, false, false)]
    [InlineData(9, 2, true, false)]
    [InlineData(9, 7, true, false)]
    [InlineData(9, 8, true, true)]
    [InlineData(10, 0, true, true)]
    public void Newer_words_are_for_newer_servers(int major, int minor, bool timeouts, bool penalties)
    {
        var config = Render(new(major, minor));

        Assert.Equal(timeouts, config.Contains("UnusedConnectionTimeout", StringComparison.Ordinal));
        Assert.Equal(penalties, config.Contains("PerSourcePenaltyExemptList", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026", 9, 2)]
    [InlineData("unknown option -- V\nOpenSSH_8.9p1 Ubuntu-3ubuntu0.13, OpenSSL 3.0.2", 8, 9)]
    [InlineData("OpenSSH_10.0p2 Debian-7, OpenSSL 3.5.1", 10, 0)]
    public void Version_is_read(string text, int major, int minor) => Assert.Equal(new OpenSshVersion(major, minor), OpenSshVersion.Parse(text));

    [Fact]
    public void Version_that_is_none_is_not_read() => Assert.Null(OpenSshVersion.Parse("dropbear 2022.83"));

    [Fact]
    public void Percent_sign_of_the_folder_is_not_a_token() =>
        Assert.Contains("AuthorizedKeysFile \"/a%%b/keys\"", Render(new(9, 2)), StringComparison.Ordinal);

    [Fact]
    public void Extra_lines_come_first() => Assert.StartsWith("LogLevel DEBUG\n", Render(new(9, 2)), StringComparison.Ordinal);

    private static string Render(OpenSshVersion version, params string[] keys) => PrivateSshdConfig.Render(
        new(version, "/a%b/host", "/a%b/keys", "me", LockedRoot: false), [new IPEndPoint(IPAddress.Loopback, 49022)], keys, ["LogLevel DEBUG"]);
}
