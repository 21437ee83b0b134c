using System.Net;
using Common.Logins;
using Common.Time;

namespace Common.Tests.Logins;

public sealed class ReconcilerTests
{
    private static readonly PublicKey Key = new("ED25519", "SHA256:j3JXVQalxbROTHEHo91jBYywUgLQQDYEQB8v4syC5so");
    private static readonly Instant Now = new(TimeSpan.FromHours(2).Ticks);

    [Theory]
    [InlineData(LoginSources.Hook, LoginSources.Log)]
    [InlineData(LoginSources.Log, LoginSources.Hook)]
    public void Second_source_finds_the_first_whichever_it_is(LoginSources first, LoginSources second) =>
        Assert.Equal(3, Reconciler.Same(Seen(second), [Known(3, first)])!.Seq);

    [Fact]
    public void Same_source_twice_is_two_logins_though_the_process_has_the_same_number() =>
        Assert.Null(Reconciler.Same(Seen(LoginSources.Log), [Known(3, LoginSources.Log), Known(2, LoginSources.Log | LoginSources.Hook)]));

    [Fact]
    public void Another_peer_is_another_login() =>
        Assert.Null(Reconciler.Same(Seen(LoginSources.Log, port: 40001), [Known(3, LoginSources.Hook)]));

    [Fact]
    public void Peer_that_one_source_does_not_know_does_not_part_them() =>
        Assert.Equal(3, Reconciler.Same(Seen(LoginSources.Log), [Known(3, LoginSources.Hook) with { Login = Login(LoginSources.Hook) with { From = null } }])!.Seq);

    [Fact]
    public void Sudo_is_never_an_ssh_login() =>
        Assert.Null(Reconciler.Same(Seen(LoginSources.Log), [Known(3, LoginSources.Hook) with { Login = Login(LoginSources.Hook) with { Kind = LoginKind.Sudo, From = null } }]));

    [Fact]
    public void Together_they_know_what_the_hook_knows()
    {
        var hook = Login(LoginSources.Hook) with { Methods = [new("publickey", Key), new("keyboard-interactive")], Evicted = 2 };
        var log = Login(LoginSources.Log) with { Methods = [new("keyboard-interactive/pam")] };

        foreach (var both in (Login[])[Reconciler.Completed(hook, log), Reconciler.Completed(log, hook)])
        {
            Assert.Equal(("publickey,keyboard-interactive", 2, LoginSources.Hook | LoginSources.Log), (both.Method, both.Evicted, both.Sources));
        }
    }

    [Fact]
    public void Name_that_the_hook_could_not_tell_is_the_logs_and_it_stays_remarkable()
    {
        var both = Reconciler.Completed(Login(LoginSources.Hook) with { User = "?", From = null, Methods = [], Ambiguous = true }, Login(LoginSources.Log));

        Assert.Equal(("alice", "publickey", true), (both.User, both.Method, both.Ambiguous));
        Assert.NotNull(both.From);
    }

    [Theory]
    [InlineData(9.9, "boot", true, false)]
    [InlineData(10, "boot", true, true)]
    [InlineData(10, "boot", false, false)]
    [InlineData(0, "earlier", true, true)]
    [InlineData(0, "earlier", false, false)]
    public void Hook_is_missing_after_ten_seconds_if_all_that_it_wrote_was_read(double seconds, string boot, bool caughtUp, bool missing) =>
        Assert.Equal(missing, Reconciler.IsWithoutHook(Known(1, LoginSources.Log) with { Boot = boot, At = Now - TimeSpan.FromSeconds(seconds) }, "boot", Now, caughtUp));

    [Fact]
    public void Both_sources_give_a_login_the_same_identity()
    {
        Assert.Equal(Seen(LoginSources.Hook).Identity("boot"), Seen(LoginSources.Log).Identity("boot"));
        Assert.NotEqual(Seen(LoginSources.Hook).Identity("boot"), Seen(LoginSources.Hook, 40001).Identity("boot"));
        Assert.NotEqual(Seen(LoginSources.Hook).Identity("boot"), (Seen(LoginSources.Log) with { Boot = null }).Identity("other"));
    }

    [Fact]
    public void Two_methods_in_the_log_are_one_login_with_both()
    {
        var sightings = new LogSightings();
        const string Peer = "from 198.51.100.7 port 40000 ssh2";
        Assert.Null(sightings.Of(Entry($"Partial publickey for alice {Peer}: ED25519 {Key.Fingerprint}", 10)));
        Assert.Null(sightings.Of(Entry($"Partial publickey for bob from 198.51.100.8 port 40000 ssh2: ED25519 {Key.Fingerprint}", 11)));

        var alice = sightings.Of(Entry($"Accepted keyboard-interactive/pam for alice {Peer}", 10))!;
        var other = sightings.Of(Entry($"Accepted keyboard-interactive/pam for alice {Peer}", 11))!;

        Assert.Equal(("publickey,keyboard-interactive/pam", Key.Fingerprint), (alice.Login.Method, alice.Login.Key!.Fingerprint));
        Assert.Equal("keyboard-interactive/pam", other.Login.Method);
    }

    private static LogEntry Entry(string message, int pid) => new(new AuthLogLine(SshdMessageParser.Parse(message), pid, null), message, message, false);

    private static KnownLogin Known(long seq, LoginSources sources) => new(seq, "boot", 4000, Login(sources), Now);

    private static LoginSighting Seen(LoginSources source, int port = 40000) =>
        new(Login(source) with { From = Peer(port) }, $"{source}/1", "boot", 4000, null, false);

    private static Login Login(LoginSources sources) => new(LoginKind.Ssh, "sshd", "alice", Peer(40000), [new AuthMethod("publickey", Key)]) { Sources = sources };

    private static IPEndPoint Peer(int port) => new(IPAddress.Parse("198.51.100.7"), port);
}
