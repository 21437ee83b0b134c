using System.Net;
using Bastion.Logins;
using Common.Logins;
using Common.Logins.Recording;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Journal;
using Testing;

namespace Bastion.Tests.Logins.Policy;

public sealed class LoginPolicyTests
{
    [Fact]
    public void Storm_from_one_tuple_is_one_message_and_digests_and_loses_no_record()
    {
        using var rig = new PolicyRig();
        for (var turn = 0; turn < 120; turn++)
        {
            rig.Read(Enumerable.Range(0, 17).Select(_ => Alice()));
            rig.Pass(TimeSpan.FromSeconds(5));
        }

        rig.Pass(TimeSpan.FromMinutes(10));

        Assert.Equal(["login", "digest", "digest"], rig.Told.Select(t => t.Kind));
        Assert.Equal(120 * 17, rig.Count("SELECT count(*) FROM logins"));
        Assert.Equal((120 * 17) - 1, rig.Told.Skip(1).Sum(t => int.Parse(t.Text.Split(' ')[1], null)));
        Assert.StartsWith("home: 1019 more logins by alice, phone key, from 198.51.100.7, 01:00-01:04. #", rig.Told[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Second_users_login_is_told_at_once_in_the_middle_of_a_storm()
    {
        using var rig = new PolicyRig();
        rig.Login(PolicyRig.BobKey, "bob", "203.0.113.9");
        rig.Pass(TimeSpan.FromHours(1));
        for (var n = 0; n < 200; n++)
        {
            rig.Login(PolicyRig.AliceKey, "alice", $"198.51.{n}.7");
        }

        rig.Login(PolicyRig.BobKey, "bob", "203.0.113.9");

        Assert.Contains("bob", rig.Told[^1].Text, StringComparison.Ordinal);
        Assert.InRange(rig.Told.Count, 3, 1 + 6);
    }

    [Fact]
    public void What_the_budget_keeps_back_is_said_once_and_all_of_it_is_recorded()
    {
        using var rig = new PolicyRig();
        for (var n = 0; n < 50; n++)
        {
            rig.Login(PolicyRig.AliceKey, "alice", $"198.51.{n}.7");
        }

        var before = rig.Told.Count;
        Assert.Equal("the budget of sms is used up for now", rig.Silence);
        rig.Pass(TimeSpan.FromMinutes(20));

        Assert.Equal(["suppressed"], rig.Told.Skip(before).Select(t => t.Kind));
        Assert.StartsWith($"home: {50 - before} login messages not sent, 01:00-01:00: too many at once. All are on record: bastion alerts list. #", rig.Told[^1].Text, StringComparison.Ordinal);
        Assert.Equal(50, rig.Count("SELECT count(*) FROM logins"));
        rig.Pass(TimeSpan.FromDays(2));
        Assert.Equal(before + 1, rig.Told.Count);
    }

    [Fact]
    public void Critical_is_never_a_repeat_and_stays_within_the_budget()
    {
        using var rig = new PolicyRig();
        for (var n = 0; n < 100; n++)
        {
            rig.ByPassword("alice");
        }

        var told = rig.Told.Count;
        Assert.InRange(told, 3, 6);
        Assert.All(rig.Told, t => Assert.Contains("BY PASSWORD", t.Text, StringComparison.Ordinal));
        Assert.Equal(100, rig.Count($"SELECT count(*) FROM logins WHERE severity = {(int)Severity.Critical}"));
        rig.ByPassword("mallory", "203.0.113.9");
        Assert.Equal(told + 1, rig.Told.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Neither_restart_nor_reboot_refills_the_budget_or_repeats_what_was_told(bool reboot)
    {
        using var rig = new PolicyRig();
        for (var n = 0; n < 50; n++)
        {
            rig.Login(PolicyRig.AliceKey, "alice", $"198.51.{n}.7");
        }

        var before = rig.Told.Count;
        rig.Restart(reboot ? "boot-2" : null);
        rig.Login(PolicyRig.AliceKey, "alice", "198.51.100.1");
        rig.Login(PolicyRig.AliceKey, "alice", "198.51.0.7");

        Assert.Equal(before, rig.Told.Count);
        rig.Pass(TimeSpan.FromMinutes(1));
        Assert.Equal("suppressed", rig.Told[^1].Kind);
    }

    [Fact]
    public void Repeats_counted_before_a_reboot_are_in_the_digest_after_it()
    {
        using var rig = new PolicyRig();
        rig.Read(Enumerable.Range(0, 8).Select(_ => Alice()));

        rig.Restart("boot-2");
        rig.Pass(TimeSpan.FromSeconds(299));
        Assert.Single(rig.Told);
        rig.Pass(TimeSpan.FromSeconds(2));

        Assert.StartsWith("home: 7 more logins by alice", rig.Told[^1].Text, StringComparison.Ordinal);
    }

    /// <summary>A day forth, a day back, 1970: nothing that is told changes, only the clock times in it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(-20_000)]
    public void Step_of_the_wall_clock_changes_nothing_that_is_told(int days)
    {
        var (still, stepped) = (Story(_ => { }), Story(rig => rig.Time.StepWallClock(TimeSpan.FromDays(days))));

        Assert.Equal(still, stepped);
        Assert.Contains("digest", still, StringComparison.Ordinal);
        Assert.Contains("suppressed", still, StringComparison.Ordinal);
    }

    [Fact]
    public void Allow_list_takes_the_push_and_neither_the_record_nor_the_digest()
    {
        using var rig = new PolicyRig(Allow("198.51.100.0/24", PolicyRig.AliceKey, "alice"));
        rig.Login(PolicyRig.AliceKey, "alice");
        rig.Login(PolicyRig.AliceKey, "alice", "198.51.100.200");

        Assert.Empty(rig.Told);
        Assert.Equal(2, rig.Count("SELECT count(*) FROM logins"));
        Assert.StartsWith("on the allow list until 2026-", rig.Silence, StringComparison.Ordinal);
        Assert.EndsWith(": office (alice)", rig.Silence, StringComparison.Ordinal);
        rig.Pass(TimeSpan.FromDays(1));
        Assert.StartsWith("home: 2 logins by alice, phone key, from 198.51.100.7, 01:00-01:00, on your allow list. #", Assert.Single(rig.Told).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Critical_wins_over_the_allow_list()
    {
        using var rig = new PolicyRig(Allow("198.51.100.0/24", PolicyRig.BobKey, "alice"));

        rig.Login(PolicyRig.BobKey, "alice");

        Assert.Contains("LOGIN", Assert.Single(rig.Told).Text, StringComparison.Ordinal);
        Assert.Equal((int)Severity.Critical, rig.Count("SELECT severity FROM logins"));
    }

    [Fact]
    public void Entry_that_expired_stays_expired_when_the_clock_is_set_back()
    {
        using var rig = new PolicyRig(Allow("198.51.100.0/24", PolicyRig.AliceKey, "alice"));
        rig.Time.StepWallClock(TimeSpan.FromDays(400));
        rig.Login(PolicyRig.BobKey, "bob", "203.0.113.1");
        rig.Time.StepWallClock(TimeSpan.FromDays(-400));
        rig.Restart();

        rig.Login(PolicyRig.AliceKey, "alice");

        Assert.Contains("alice", rig.Told[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Tunnel_that_moves_is_told_once_and_its_return_is_not()
    {
        using var rig = new PolicyRig();
        for (var n = 0; n < 4; n++)
        {
            rig.Login(PolicyRig.SiteKey, "site-home", "198.51.100.7");
            rig.Login(PolicyRig.SiteKey, "site-home", "203.0.113.7");
            rig.Pass(TimeSpan.FromHours(1));
        }

        Assert.Single(rig.Told);
        Assert.Equal(8, rig.Count("SELECT count(*) FROM logins"));
    }

    [Fact]
    public void What_was_seen_is_bounded()
    {
        using var rig = new PolicyRig();
        rig.Database.Read(c => c.Sql(
            """
            INSERT INTO seen(subject, network, boot, last)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT 'somebody', i, 'boot-0', i FROM n
            """).Run());
        for (var n = 0; n < 20; n++)
        {
            rig.Login(PolicyRig.AliceKey, "alice", $"10.0.{n}.1");
        }

        Assert.Equal(5_000, rig.Count("SELECT count(*) FROM seen"));
        Assert.Equal(20, rig.Count($"SELECT count(*) FROM seen WHERE subject = '{PolicyRig.AliceKey}'"));
    }

    private static string Story(Action<PolicyRig> step)
    {
        using var rig = new PolicyRig(Allow("203.0.113.0/24", PolicyRig.BobKey, "bob"));
        rig.Login(PolicyRig.AliceKey, "alice");
        rig.Login(PolicyRig.BobKey, "bob", "203.0.113.9");
        step(rig);
        rig.Login(PolicyRig.AliceKey, "alice");
        rig.Login(PolicyRig.BobKey, "bob", "203.0.113.9");
        rig.Pass(TimeSpan.FromMinutes(3));
        for (var n = 0; n < 20; n++)
        {
            rig.Login(PolicyRig.AliceKey, "alice", $"198.51.{n}.7");
        }

        step(rig);
        rig.Pass(TimeSpan.FromMinutes(30));
        rig.Login(PolicyRig.AliceKey, "alice");
        rig.Pass(TimeSpan.FromMinutes(30));
        return string.Join('\n', rig.Told.Select(t => $"{t.Kind} {string.Concat(t.Text.Split('#')[0].Where(c => !char.IsDigit(c)))}"));
    }

    private static Func<LoginScene, LoginScene> Allow(string cidr, string key, string user) => scene => scene with
    {
        Allow = [new AllowEntry(Cidr.Parse(cidr).Value!, [user], [key], "office", "alice", FakeTime.Epoch + TimeSpan.FromDays(30))],
    };

    private static SshdMessage.Accepted Alice() => new(
        "publickey", "alice", new(IPAddress.Parse("198.51.100.7"), 40000), new PublicKey("ED25519", PolicyRig.AliceKey), false);
}
