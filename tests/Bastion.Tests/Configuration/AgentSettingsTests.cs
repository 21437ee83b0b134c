using Bastion.Configuration;
using Common.Configuration;
using Common.Logins;

namespace Bastion.Tests.Configuration;

public sealed class AgentSettingsTests : IDisposable
{
    private const string Fp = "SHA256:Xspp2NxCCnW5eU18SFQeWO1gnP3Hk/JXAdZjqD9LUhk";
    private const string OtherFp = "SHA256:h8lPXsdzK3m0XrtEhvVM6uwwxXr04g2MrypizyDaOFs";
    private readonly string _folder = Directory.CreateTempSubdirectory("settings").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Whole_file_is_read()
    {
        var options = Load($$"""
            {
              "site": "home", "vm": "bastion-home", "log": "/var/log/auth.log", "agent_port": 49021, "state_directory": "/tmp/x", "sshd_ports": [49022, 443],
              "identities": [
                {"fingerprint": "{{Fp}}", "role": "person", "name": "alice", "device": "phone"},
                {"fingerprint": "{{OtherFp}}", "role": "site", "name": "home"}
              ],
              "sms": {"base_url": "http://127.0.0.1:1", "account": "AC1", "key_name": "SK1", "secret_file": "{{Secret("s3cret\n")}}", "from": "+15550001111", "to": ["+15551230001"]},
              "nologin_path": "/tmp/x/nologin", "revoked_keys": "/tmp/x/revoked", "private": true
            }
            """);

        Assert.Equal(("home", "bastion-home", "/var/log/auth.log", 49021), (options.Site, options.Vm, options.LogFile, options.AgentPort));
        Assert.Equal([new Identity(Fp, LoginRole.Person, "alice", "phone"), new Identity(OtherFp, LoginRole.Site, "home")], options.Identities.AsEnumerable());
        Assert.Equal(("AC1", "SK1", "+15550001111"), (options.Sms!.Gateway.AccountSid, options.Sms.Gateway.KeyName, options.Sms.Gateway.From));
        Assert.Equal("s3cret\n", File.ReadAllText(options.Sms.Gateway.SecretFile));
        Assert.Equal(new DoorOptions("/tmp/x/nologin", "/tmp/x/revoked"), options.Door);
        Assert.True(options.Private);
    }

    [Fact]
    public void Allow_list_and_a_sites_networks_are_read()
    {
        var options = Load($$"""
            {
              "site": "home", "log": "journal",
              "identities": [{"fingerprint": "{{OtherFp}}", "role": "site", "name": "home", "networks": ["198.51.100.7", "2001:db8:1::/48"]}],
              "allow": [{"cidr": "203.0.113.0/24", "users": ["alice"], "keys": ["{{Fp}}"], "reason": "office", "created_by": "alice", "expires": "2026-12-21"}]
            }
            """);

        Assert.Equal(["198.51.100.7/32", "2001:db8:1::/48"], options.Identities[0].Networks.Select(n => n.ToString()));
        Assert.Equal(("203.0.113.0/24", "office"), (options.Allow[0].Network.ToString(), options.Allow[0].Reason));
    }

    [Fact]
    public void Hole_in_the_allow_list_is_refused()
    {
        var errors = Errors($$"""
            {
              "site": "home", "log": "journal", "identities": [{"fingerprint": "{{Fp}}", "role": "person", "name": "a", "networks": ["198.51.100.7"]}],
              "allow": [{"cidr": "0.0.0.0/0", "users": ["alice"], "keys": ["MD5:00"], "reason": "x", "created_by": "a", "expires": "never"}, 5]
            }
            """);

        Assert.Equal(["allow[1].cidr", "allow[1].expires", "allow[1].keys[1]", "allow[2]", "identities[1].networks"], errors.Select(e => e.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Channels_are_read_and_everybody_is_told_in_order()
    {
        var secret = Secret("s3cret");
        var options = Load($$"""
            {
              "site": "home", "log": "journal", "identities": [],
              "sms": {"account": "AC1", "secret_file": "{{secret}}", "from": "+15550001111", "to": ["+15551230001", "+15551230002"]},
              "telegram": {"chat": "-42", "secret_file": "{{secret}}"},
              "mail": {"host": "smtp.example.net", "tls": "implicit", "user": "home", "secret_file": "{{secret}}", "from": "home@example.net", "to": ["alice@example.net", "bob@example.org"]},
              "order": ["telegram", "sms", "mail"], "quiet": "22:30-06:00", "time_zone": "UTC"
            }
            """);

        Assert.Equal((465, "22:30-06:00"), (options.Channels.Mail!.Gateway.Port, options.Channels.Quiet?.ToString()));
        Assert.Equal(
            [("sms", "+15551230001", 1), ("sms", "+15551230002", 1), ("telegram", "-42", 0), ("mail", "alice@example.net,bob@example.org", 2)],
            options.Routes.Select(r => (r.Channel, r.Recipient, r.Rank)));
    }

    [Fact]
    public void Mistakes_of_channels_are_told()
    {
        var errors = Errors("""
            {
              "site": "home", "log": "journal", "identities": [], "time_zone": "Europe/Nowhere", "quiet": "late",
              "telegram": {"chat": "me", "secret_file": "relative"},
              "webhook": {"shape": "json", "url": "ftp://a.example"},
              "mail": {"host": "smtp.example.net", "tls": "none", "from": "home", "to": ["alice"]}
            }
            """);

        Assert.Equal(
            ["mail.from", "mail.to[1]", "quiet", "telegram.chat", "telegram.secret_file", "time_zone", "webhook.url"],
            errors.Select(e => e.Key).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Mail_without_TLS_is_for_this_machine_only() => Assert.Contains(
        Errors("""{"site": "home", "log": "journal", "identities": [], "mail": {"host": "smtp.example.net", "tls": "none", "from": "home@example.net", "to": ["alice@example.net"]}}"""),
        e => e.Key == "mail.tls" && e.Reason.Contains("this machine", StringComparison.Ordinal));

    [Fact]
    public void Smallest_file_has_defaults()
    {
        var options = Load("""{"site": "home", "log": "journal", "identities": []}""");

        Assert.Null(options.LogFile);
        Assert.Null(options.Sms);
        Assert.False(options.Private);
        Assert.Equal([49022, 443], options.SshdPorts.AsEnumerable());
        Assert.Equal(AgentOptions.DefaultNologinPath, options.Door.NologinPath);
    }

    [Fact]
    public void Every_mistake_is_told_at_once()
    {
        var errors = Errors($$"""
            {
              "site": "Home Sweet Home", "log": "auth.log", "agent_port": 70000, "sshd_ports": [0], "private": "perhaps", "lgo": 1,
              "identities": [{"fingerprint": "MD5:00", "role": "king", "nmae": "x"}, 5, {"fingerprint": "{{Fp}}", "role": "site", "name": "a"}, {"fingerprint": "{{Fp}}", "role": "site", "name": "b"}],
              "sms": {"base_url": "http://gateway.example", "account": "", "secret_file": "relative", "from": "12 34", "to": ["0151"]}
            }
            """);

        Assert.Equal(
            [
                "agent_port", "identities", "identities[1].fingerprint", "identities[1].name", "identities[1].nmae", "identities[1].role", "identities[2]", "lgo", "log",
                "private", "site", "sms.account", "sms.base_url", "sms.from", "sms.secret_file", "sms.to[1]", "sshd_ports[1]",
            ],
            errors.Select(e => e.Key).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Missing_keys_are_named()
    {
        var errors = Errors("""{"sms": {}}""");

        Assert.Equal(
            ["identities", "log", "site", "sms.account", "sms.from", "sms.secret_file", "sms.to"],
            errors.Select(e => e.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Secret_in_the_file_is_never_printed_back()
    {
        var errors = Errors("""{"site": "home", "log": "journal", "identities": [], "sms": {"account": "AC1", "secret": "top secret with blanks", "from": "+15550001111", "to": ["+15551230001"]}}""");

        Assert.Contains(errors, e => e.Key == "sms.secret");
        Assert.DoesNotContain(errors, e => e.ToLine().Contains("blanks", StringComparison.Ordinal));
    }

    [Fact]
    public void File_with_a_secret_that_others_can_read_is_refused()
    {
        var path = Write("""{"site": "home", "log": "journal", "identities": [], "sms": {"account": "AC1", "secret": "s3cret", "from": "+15550001111", "to": ["+15551230001"]}}""");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupRead);

        var errors = Assert.Throws<ConfigurationException>(() => AgentSettingsFile.Load(path)).Errors;
        Assert.Contains(errors, e => e.Reason.Contains("chmod 600", StringComparison.Ordinal));
        Assert.DoesNotContain(errors, e => e.ToLine().Contains("s3cret", StringComparison.Ordinal));
    }

    [Fact]
    public void File_that_others_can_write_is_refused()
    {
        var path = Write("""{"site": "home", "log": "journal", "identities": []}""");
        Assert.Equal("home", AgentSettingsFile.Load(path).Site);

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.OtherWrite);

        Assert.Contains("written by others", Assert.Throws<ConfigurationException>(() => AgentSettingsFile.Load(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", UnixFileMode.UserRead, "one word")]
    [InlineData("two words", UnixFileMode.UserRead, "one word")]
    [InlineData("fine", UnixFileMode.UserRead | UnixFileMode.OtherRead, "chmod 600")]
    public void Secret_file_must_hold_one_word_for_us_alone(string content, UnixFileMode mode, string reason)
    {
        var file = Secret(content);
        File.SetUnixFileMode(file, mode);

        var errors = Errors($$"""{"site": "home", "log": "journal", "identities": [], "sms": {"account": "AC1", "secret_file": "{{file}}", "from": "+15550001111", "to": ["+15551230001"]} }""");

        Assert.Contains(reason, Assert.Single(errors).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{\"site\": \"a\", \"site\": \"b\"}")]
    [InlineData("\u0000\u0001")]
    public void File_that_is_no_settings_is_one_clear_mistake(string text) => Assert.NotEmpty(Errors(text));

    [Fact]
    public void Missing_file_is_told() =>
        Assert.Contains("not there", Assert.Throws<ConfigurationException>(() => AgentSettingsFile.Load(Path.Combine(_folder, "none"))).Message, StringComparison.Ordinal);

    private AgentOptions Load(string json) => AgentSettingsFile.Load(Write(json));

    private IReadOnlyList<ConfigurationError> Errors(string json) => Assert.Throws<ConfigurationException>(() => Load(json)).Errors;

    private string Write(string json)
    {
        var path = Path.Combine(_folder, Guid.NewGuid().ToString("N"));
        File.WriteAllText(path, json);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private string Secret(string content) => Write(content);
}
