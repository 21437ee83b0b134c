using System.Net;
using Bastion.Agent;
using Bastion.Sessions;
using Common.Alerts;
using Common.Journal;
using Common.Logins;
using Common.Logins.Policy;
using Common.Logins.Recording;
using Testing;

namespace Bastion.Tests.Logins;

public sealed class LoginRetentionTests : IDisposable
{
    private const string AliceKey = "SHA256:Xspp2NxCCnW5eU18SFQeWO1gnP3Hk/JXAdZjqD9LUhk";
    private const string SiteKey = "SHA256:h8lPXsdzK3m0XrtEhvVM6uwwxXr04g2MrypizyDaOFs";
    private const int Kept = 20;
    private readonly FakeTime _time = new();
    private readonly Database _database = Database.Open(":memory:", AgentState.Migrations);
    private LoginScene _scene = new(
        "home", "bastion-home", [new Identity(AliceKey, LoginRole.Person, "alice", "phone"), new Identity(SiteKey, LoginRole.Site, "home")], null, "boot-1", [Route.Sms("+15551230001")]);
    private int _next;

    public void Dispose() => _database.Dispose();

    [Fact]
    public void Tunnel_that_flaps_for_months_stays_small_and_drives_out_nobody_who_was_told_of()
    {
        Record("alice", AliceKey);
        Close();

        Record("site-home", SiteKey, times: 5 * LoginRetention.Every, closed: true);

        Assert.InRange(Count("logins"), 2, Kept + LoginRetention.Every + 1);
        Assert.Equal(Count("logins"), Count("login_sightings"));
        Assert.Equal(1, Count("logins WHERE user = 'alice'"));
    }

    [Fact]
    public void Told_logins_are_bounded_too()
    {
        Record("root", null, times: 5 * LoginRetention.Every, closed: true);

        Assert.InRange(Count("logins"), Kept, Kept + LoginRetention.Every);
    }

    [Fact]
    public void Session_that_stands_and_login_whose_hook_is_awaited_stay()
    {
        _scene = _scene with { HookExpected = true };
        Record("site-home", SiteKey);
        _scene = _scene with { HookExpected = false };
        Record("site-home", SiteKey, closed: true, boot: "boot-0");
        Record("site-home", SiteKey);

        Record("site-home", SiteKey, times: 3 * LoginRetention.Every, closed: true);

        Assert.Equal([1L, 3L], _database.Read(c => c.Sql("SELECT seq FROM logins ORDER BY seq LIMIT 2").List(r => r.GetInt64(0))));
    }

    /// <summary>There nobody looks when a session ends.</summary>
    [Fact]
    public void Inside_keeps_no_more()
    {
        _scene = _scene with { Host = LoginHost.Inside };

        Record("alice", AliceKey, times: 5 * LoginRetention.Every);

        Assert.InRange(Count("logins"), Kept, (2 * Kept) + (2 * LoginRetention.Every));
    }

    private void Record(string user, string? key, int times = 1, bool closed = false, string boot = "boot-1")
    {
        var policy = new LoginPolicy(() => _scene, _time);
        var recorder = new LoginRecorder(() => _scene, policy, _time) { Kept = Kept };
        for (var i = 0; i < times; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(30));
            var pid = 100 + ++_next;
            var publicKey = key is null ? null : new PublicKey("ED25519", key);
            var login = new Login(LoginKind.Ssh, "sshd", user, new IPEndPoint(IPAddress.Parse("198.51.100.7"), 40000), [new AuthMethod(key is null ? "password" : "publickey", publicKey)])
            {
                Sources = LoginSources.Log,
            };
            _database.Write(transaction =>
            {
                policy.Begin(transaction);
                recorder.Record(transaction, new LoginSighting(login, $"1:{pid}", boot, pid, null, false));
                policy.End(transaction);
            });
            policy.Committed();
            if (closed)
            {
                Close();
            }
        }
    }

    private void Close() => _database.Write(transaction =>
    {
        var newest = SessionStore.OpenIn(transaction.Connection!, "boot-1")[^1..];
        SessionStore.Keep(transaction, newest, [], new Common.Time.Instant(_time.GetTimestamp()));
    });

    private int Count(string from) => _database.Read(c => c.Sql($"SELECT count(*) FROM {from}").List(r => r.GetInt32(0)))[0];
}
