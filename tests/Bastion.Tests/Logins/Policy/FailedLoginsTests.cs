using System.Net;
using Common.Logins.Policy;
using Common.Alerts;
using Common.Logins;
using Common.Logins.Recording;
using Common.Time;

namespace Bastion.Tests.Logins.Policy;

public sealed class FailedLoginsTests
{
    private static readonly Instant Start = new(TimeSpan.FromHours(3).Ticks);
    private static readonly DateTimeOffset Wall = new(2026, 7, 1, 14, 2, 0, TimeSpan.Zero);

    [Fact]
    public void Hundred_thousand_failed_attempts_are_bounded_rows_and_one_summary()
    {
        using var rig = new PolicyRig();
        var random = new Random(3);
        for (var batch = 0; batch < 100; batch++)
        {
            rig.Read(Enumerable.Range(0, 1000).Select(n => (SshdMessage)new SshdMessage.InvalidUser(
                n % 2 == 0 ? "root" : $"x{random.Next()}\u001b[2J\u202e\r\nhome: all well", Peer($"{random.Next(1, 224)}.{random.Next(256)}.{random.Next(256)}.9", random.Next(1, 65536)))));
            rig.Pass(TimeSpan.FromSeconds(6));
        }

        Assert.Equal((256, 64), (rig.Count("SELECT count(*) FROM failed_networks"), rig.Count("SELECT count(*) FROM failed_users")));
        Assert.InRange(rig.Count("SELECT max(length(name)) FROM failed_users"), 1, 32);
        Assert.InRange(new FileInfo(rig.File).Length, 1, 1_000_000);
        rig.Pass(TimeSpan.FromHours(30));
        var (kind, text) = Assert.Single(rig.Told);
        Assert.Equal("failed-logins", kind);
        Assert.StartsWith("home: ", text, StringComparison.Ordinal);
        Assert.InRange(int.Parse(text.Split(' ')[1], null), 99_000, 100_000);
        Assert.Contains("as root", text, StringComparison.Ordinal);
        Assert.True(Common.Text.SmsText.IsGsm7(text) && Common.Text.SmsText.Septets(text) <= 160 && !text.Any(char.IsControl));
    }

    /// <summary>Whoever fails to log in chooses the words; they do not get a link to the owner's phone.</summary>
    [Theory]
    [InlineData("evil.com/pay")]
    [InlineData("http://5.5.5.5")]
    [InlineData("t.co/x")]
    public void Name_that_is_a_link_is_none_in_the_summary(string name)
    {
        using var rig = new PolicyRig();
        rig.Read(Enumerable.Range(0, 600).Select(n => (SshdMessage)new SshdMessage.InvalidUser(name, Peer("203.0.113.9", 1000 + n))));
        rig.Pass(TimeSpan.FromHours(2));

        var (_, text) = Assert.Single(rig.Told);
        Assert.Contains(", as ", text, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"://|[A-Za-z0-9]\.[A-Za-z]", text);
    }

    [Fact]
    public void Quiet_day_of_scanners_tells_nothing()
    {
        using var rig = new PolicyRig();
        for (var hour = 0; hour < 24; hour++)
        {
            rig.Read(Enumerable.Range(0, 400).Select(n => (SshdMessage)new SshdMessage.InvalidUser("root", Peer("203.0.113.9", 1 + n))));
            rig.Pass(TimeSpan.FromHours(1));
        }

        Assert.Empty(rig.Told);
        Assert.Equal(24 * 400, rig.Count("SELECT total FROM failed_total"));
    }

    [Fact]
    public void Success_after_failures_from_the_same_network_is_critical()
    {
        using var rig = new PolicyRig();
        for (var n = 0; n < 5; n++)
        {
            rig.Fail("alice", $"198.51.100.{n + 20}", 50000 + n);
        }

        rig.Login(PolicyRig.AliceKey, "alice");

        Assert.Contains("(after failures)", Assert.Single(rig.Told).Text, StringComparison.Ordinal);
        Assert.Equal((int)Severity.Critical, rig.Count("SELECT severity FROM logins"));
        Assert.Equal(5, rig.Count("SELECT failures FROM logins"));
    }

    [Fact]
    public void Failures_from_elsewhere_and_old_ones_say_nothing()
    {
        using var rig = new PolicyRig();
        for (var n = 0; n < 50; n++)
        {
            rig.Fail("alice", "198.51.99.7", 50000 + n);
            rig.Fail("alice", "203.0.113.7", 50000 + n);
        }

        rig.Login(PolicyRig.AliceKey, "alice");
        rig.Pass(TimeSpan.FromHours(1));
        rig.Login(PolicyRig.BobKey, "bob", "203.0.113.7");

        Assert.DoesNotContain(rig.Told, t => t.Text.Contains("after failures", StringComparison.Ordinal));
    }

    /// <summary>A client offers all the keys it has: several failures, and then the login, in one connection.</summary>
    [Fact]
    public void Keys_that_were_offered_before_the_right_one_are_no_failures()
    {
        using var rig = new PolicyRig();
        rig.Read(Enumerable.Repeat<SshdMessage>(new SshdMessage.Failed("publickey", "alice", false, Peer("198.51.100.7", 40000)), 6));

        rig.Login(PolicyRig.AliceKey, "alice", port: 40000);

        Assert.Equal((int)Severity.High, rig.Count("SELECT severity FROM logins"));
        Assert.Equal(0, rig.Count("SELECT failures FROM logins"));
    }

    [Fact]
    public void Lines_of_one_connection_count_once()
    {
        var counts = FailedLogins.None;
        foreach (var line in (SshdMessage[])
            [
                new SshdMessage.InvalidUser("bob", Peer("192.0.2.7", 40000)), new SshdMessage.Failed("password", "bob", true, Peer("192.0.2.7", 40000)),
                new SshdMessage.Ended(ConnectionEnd.Closed, "bob", Peer("192.0.2.7", 40000), BeforeLogin: true), new SshdMessage.Dropped(Peer("192.0.2.7", 40002), "penalty"),
            ])
        {
            counts = counts.Add(FailedAttempt.Of(line)!, Start, Wall);
        }

        Assert.Equal((2L, 2L, 1L), (counts.Total, counts.Networks["192.0.2.0/24"].Attempts, counts.Users["bob"].Attempts));
    }

    [Fact]
    public void End_of_a_login_is_no_failure() => Assert.Null(FailedAttempt.Of(new SshdMessage.Ended(ConnectionEnd.Disconnected, "alice", Peer("192.0.2.7", 1))));

    /// <summary>Space-saving: whoever has more than its share of all attempts is in the list, and nobody is thought to have failed more than it has.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Heavy_networks_are_never_lost_and_nobody_is_accused_of_anothers_failures(int seed)
    {
        var random = new Random(seed);
        var (counts, truth) = (FailedLogins.None, new Dictionary<string, int>(StringComparer.Ordinal));
        for (var n = 0; n < 10_000; n++)
        {
            var net = random.Next(4) == 0 ? random.Next(5) : random.Next(3000);
            var address = $"10.{net / 250}.{net % 250}.1";
            truth[address] = truth.GetValueOrDefault(address) + 1;
            counts = counts.Add(new FailedAttempt("root", Peer(address, 1 + n % 65535)), Start + TimeSpan.FromMilliseconds(n), Wall);
        }

        var now = Start + TimeSpan.FromSeconds(10);
        Assert.All(truth.Where(t => t.Value > 10_000 / FailedLogins.MostNetworks), t => Assert.Contains(LoginNetwork.Of(IPAddress.Parse(t.Key)), counts.Networks.Keys));
        Assert.All(truth, t => Assert.InRange(counts.Before(Peer(t.Key, 1), now), 0, t.Value));
        Assert.Equal(FailedLogins.MostNetworks, counts.Networks.Count);
    }

    [Fact]
    public void Counts_survive_a_restart_and_a_reboot()
    {
        using var rig = new PolicyRig();
        for (var n = 0; n < 5; n++)
        {
            rig.Fail("alice", "198.51.100.20", 50000 + n);
        }

        rig.Restart();
        rig.Restart("boot-2");
        rig.Login(PolicyRig.AliceKey, "alice");

        Assert.Contains("(after failures)", Assert.Single(rig.Told).Text, StringComparison.Ordinal);
    }

    private static IPEndPoint Peer(string address, int port) => new(IPAddress.Parse(address), port);
}
