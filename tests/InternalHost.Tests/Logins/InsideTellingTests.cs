using System.Collections.Immutable;
using System.Net;
using Common.Agent;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Journal;
using Common.Logins;
using Common.Logins.Policy;
using Common.Logins.Recording;
using InternalHost.Logins;
using InternalHost.Running;
using Testing;

namespace InternalHost.Tests.Logins;

/// <summary>What the inside tells of logins to itself, in words.</summary>
public sealed class InsideTellingTests : IDisposable
{
    private const string Phone = "SHA256:Xspp2NxCCnW5eU18SFQeWO1gnP3Hk/JXAdZjqD9LUhk";
    private const string Unlisted = "SHA256:h8lPXsdzK3m0XrtEhvVM6uwwxXr04g2MrypizyDaOFs";
    private static readonly AgentEvent Alice = new(7, "ssh", "person", "alice", "alice", "phone", "198.51.100.7", 20, Open: true) { Alert = "7F3K", Told = "confirmed" };

    private readonly FakeTime _time = new();
    private readonly Database _database = StateFile.OpenInMemory();
    private readonly LoginPolicy _policy;
    private readonly LoginRecorder _recorder;
    private LoginWay _way = LoginWay.Direct;
    private int _port = 40000;

    public InsideTellingTests()
    {
        var scene = new LoginScene("home", "bastion-home", [new Identity(Phone, LoginRole.Person, "alice", "phone")], null, "boot", [Route.Sms("+15551230001")])
        {
            Host = LoginHost.Inside,
            HookExpected = true,
            Allow =
            [
                new AllowEntry(Cidr.Parse("127.0.0.1/32").Value!, ["pi"], [Phone], "a hole", "mallory", DateTimeOffset.MaxValue),
                new AllowEntry(Cidr.Parse("192.168.9.0/24").Value!, ["pi"], [Phone], "sofa", "alice", DateTimeOffset.MaxValue),
            ],
        };
        _policy = new LoginPolicy(() => scene, _time);
        _recorder = new LoginRecorder(() => scene, _policy, _time, _ => _way) { WallTime = () => new DateTimeOffset(2026, 11, 21, 2, 31, 0, TimeSpan.Zero) };
    }

    public void Dispose() => _database.Dispose();

    [Fact]
    public void From_the_home_network_it_is_told_by_the_key_and_a_repeat_is_counted()
    {
        Assert.Equal((Severity.High, "home LOGIN 02:31: alice, phone key, from 192.168.1.7 (new network). Not you? Type: internalhost close."), Login(Phone));
        Assert.Null(Login(Phone).Text);
    }

    [Fact]
    public void Unlisted_key_is_critical_once_and_then_a_key_that_has_come_before()
    {
        Assert.Equal((Severity.Critical, "home LOGIN 02:31: pi, NEW KEY, from 192.168.1.7 (new network). Not you? Type: internalhost close."), Login(Unlisted));

        Assert.Equal((Severity.High, "home LOGIN 02:31: pi, from 192.168.2.8 (new network). Not you? Type: internalhost close."), Login(Unlisted, from: "192.168.2.8"));
    }

    [Fact]
    public void Root_and_passwords_are_critical_each_time()
    {
        Assert.Equal((Severity.Critical, "home LOGIN 02:31: root, phone key, from 192.168.1.7 (new network). Not you? Type: internalhost close."), Login(Phone, user: "root"));
        Assert.Equal(Severity.Critical, Login(Phone, user: "root").Severity);
        Assert.Equal((Severity.Critical, "home LOGIN 02:31: pi, BY PASSWORD, from 192.168.1.7 (new network). Not you? Type: internalhost close."), Login(null));
    }

    [Fact]
    public void Sudo_of_somebody_who_is_in_is_recorded_and_not_told_and_the_console_is_told()
    {
        Assert.Equal((Severity.Low, null), Record(new Login(LoginKind.Sudo, "sudo", "root", null, []) { Sources = LoginSources.Hook, By = "pi" }));
        Assert.Equal((Severity.High, "home LOGIN 02:31: pi, at the console. Not you? Type: internalhost close."), Record(new Login(LoginKind.Console, "login", "pi", null, []) { Sources = LoginSources.Hook }));
    }

    [Fact]
    public void Through_the_tunnel_it_waits_and_is_folded_into_what_the_bastion_has_told()
    {
        _way = LoginWay.Tunnel;
        Assert.Null(Login(Phone, from: "127.0.0.1").Text);
        Assert.Single(_database.Read(LoginStore.Awaiting));

        Assert.Equal((Severity.Normal, null), Hear(new BastionWord.Told(Alice)));

        Assert.Empty(_database.Read(LoginStore.Awaiting));
        Assert.Equal("told by the bastion's #7F3K, which arrived", Assert.Single(_database.Read(c => LoginBook.Recent(c, 5))).Silence);
    }

    [Fact]
    public void Loopback_is_never_exempt_and_the_sofa_is()
    {
        Assert.NotNull(Login(Phone, from: "127.0.0.1").Text);
        Assert.Equal((Severity.Normal, null), Login(Phone, from: "192.168.9.4"));
    }

    [Fact]
    public void Untold_there_it_is_told_here_in_the_bastion_s_words()
    {
        _way = LoginWay.Tunnel;
        Login(Phone, from: "127.0.0.1");

        Assert.Equal(
            (Severity.High, "home LOGIN 02:31: alice, phone key, from 198.51.100.7 (new network), got inside. Not you? Stop VM bastion-home in cloud app."),
            Hear(new BastionWord.Untold(Alice with { Told = "pending" })));
    }

    [Fact]
    public void Nobody_at_the_bastion_is_critical()
    {
        _way = LoginWay.Tunnel;
        Login(Phone, from: "127.0.0.1");

        Assert.Equal(
            (Severity.Critical, "home LOGIN 02:31: alice, phone key, through the tunnel (NO LOGIN AT BASTION). Not you? Stop VM bastion-home in cloud app."),
            Hear(new BastionWord.Nobody()));
    }

    [Fact]
    public void Silent_bastion_leaves_the_inside_to_tell()
    {
        _way = LoginWay.Tunnel;
        Login(Phone, from: "127.0.0.1");

        Assert.Equal(
            (Severity.High, "home LOGIN 02:31: alice, phone key, through the tunnel (new network). Not you? Stop VM bastion-home in cloud app."), Hear(new BastionWord.Silent()));
    }

    [Fact]
    public void Critical_does_not_wait_for_the_bastion()
    {
        _way = LoginWay.Tunnel;

        Assert.Equal(
            (Severity.Critical, "home LOGIN 02:31: pi, BY PASSWORD, through the tunnel (new network). Not you? Stop VM bastion-home in cloud app."), Login(null, from: "127.0.0.1"));
        Assert.Empty(_database.Read(LoginStore.Awaiting));
    }

    [Fact]
    public void Word_that_comes_twice_tells_once()
    {
        _way = LoginWay.Tunnel;
        Login(Phone, from: "127.0.0.1");
        Hear(new BastionWord.Nobody());

        _database.Write(t => Assert.Null(_recorder.Hear(t, 1, new BastionWord.Nobody())));

        Assert.Equal(1, _database.Read(c => c.Sql("SELECT count(*) FROM alerts").List(r => r.GetInt32(0)))[0]);
    }

    private (Severity Severity, string? Text) Login(string? key, string user = "pi", string from = "192.168.1.7") => Record(
        Common.Logins.Login.Of(new SshdMessage.Accepted(
            key is null ? "password" : "publickey", user, new IPEndPoint(IPAddress.Parse(from), _port++), key is null ? null : new PublicKey("ED25519", key), false)));

    private (Severity Severity, string? Text) Record(Login login) => Turn(t => _recorder.Record(t, new LoginSighting(login, $"line {_port++}", "boot", _port, null, false)));

    private (Severity Severity, string? Text) Hear(BastionWord word) => Turn(t => _recorder.Hear(t, LoginStore.Awaiting(t)[0].Seq, word));

    private (Severity Severity, string? Text) Turn(Func<Microsoft.Data.Sqlite.SqliteTransaction, RecordedLogin?> work)
    {
        var login = _database.Write(t =>
        {
            _policy.Begin(t);
            var recorded = work(t)!;
            _policy.End(t);
            return recorded;
        });
        _policy.Committed();
        return (login.Record.Verdict.Severity, login.Alert?.Text[..login.Alert.Text.LastIndexOf(" #", StringComparison.Ordinal)]);
    }
}
