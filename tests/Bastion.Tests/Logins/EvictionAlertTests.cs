using System.Net;
using Bastion.Agent;
using Common.Alerts;
using Common.Journal;
using Common.Logins;
using Common.Logins.Policy;
using Common.Logins.Recording;
using Testing;

namespace Bastion.Tests.Logins;

public sealed class EvictionAlertTests : IDisposable
{
    private readonly FakeTime _time = new();
    private readonly Database _database = Database.Open(":memory:", AgentState.Migrations);
    private readonly LoginRecorder _recorder;
    private readonly LoginPolicy _policy;
    private int _next;

    public EvictionAlertTests()
    {
        var scene = new LoginScene("home", "bastion-home", [], null, "boot-1", [Route.Sms("+15551230001")]);
        _policy = new LoginPolicy(() => scene, _time);
        _recorder = new LoginRecorder(() => scene, _policy, _time) { Kept = 10 };
    }

    public void Dispose() => _database.Dispose();

    [Fact]
    public void Third_takeover_within_five_minutes_is_told()
    {
        TakeOver(times: 2, every: 100);
        Assert.Empty(Texts());

        TakeOver();

        Assert.StartsWith("home bastion: site-home was taken over 3 times in 5 min: another machine has its key, or its link keeps breaking. #", Assert.Single(Texts()), StringComparison.Ordinal);
    }

    /// <summary>At any pace within the window, for hours.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(30)]
    [InlineData(100)]
    [InlineData(149)]
    public void Storm_is_told_once_and_the_next_one_again(int every)
    {
        TakeOver(times: 200, every);
        Assert.Single(Texts());

        _time.Advance(TimeSpan.FromMinutes(6));
        TakeOver(times: 5, every);

        Assert.Equal(2, Texts().Count);
    }

    /// <summary>The record of its begin is gone by then.</summary>
    [Fact]
    public void Storm_that_outlasts_the_record_is_told_once()
    {
        for (var i = 0; i < 5; i++)
        {
            TakeOver(times: LoginRetention.Every);
            _database.Write(t => t.Sql("UPDATE logins SET open = 0").Run());
        }

        Assert.Single(Texts());
        Assert.True(_database.Read(c => c.Sql("SELECT min(seq) FROM logins").List(r => r.GetInt64(0)))[0] > 1, "nothing was pruned");
    }

    [Fact]
    public void Slow_takeovers_other_accounts_other_boots_and_logins_that_took_nothing_over_do_not_count()
    {
        TakeOver(times: 6, every: 170);
        TakeOver(user: "site-other");
        TakeOver(boot: "boot-2");
        TakeOver(evicted: 0);

        Assert.Empty(Texts());
    }

    [Fact]
    public void Same_takeover_read_again_is_one()
    {
        TakeOver(times: 2);
        for (var i = 0; i < 5; i++)
        {
            _next--;
            TakeOver();
        }

        Assert.Empty(Texts());
    }

    private void TakeOver(int times = 1, int every = 30, string user = "site-home", string boot = "boot-1", int evicted = 1)
    {
        for (var i = 0; i < times; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(every));
            var pid = 100 + _next++;
            var login = new Login(LoginKind.Ssh, "sshd", user, new IPEndPoint(IPAddress.Parse("198.51.100.7"), 40000), []) { Sources = LoginSources.Hook, Evicted = evicted };
            _database.Write(t =>
            {
                _policy.Begin(t);
                _recorder.Record(t, new LoginSighting(login, $"hook/{pid}", boot, pid, null, false));
                _policy.End(t);
            });
            _policy.Committed();
        }
    }

    private List<string> Texts() => _database.Read(c => c.Sql("SELECT text FROM alerts WHERE kind = 'evicted' ORDER BY seq").List(r => r.GetString(0)));
}
