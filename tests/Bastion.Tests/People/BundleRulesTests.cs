using Bastion.Host;
using Bastion.People;
using Common.Sync;

namespace Bastion.Tests.People;

public sealed class BundleRulesTests
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Wq5wkuyWcQeHdGAsk8TIXfmTpTQqJcDNfXv3Jm1sR";
    private static readonly BundleScene Scene = BundleReaderTests.Scene;

    [Theory]
    [InlineData("alice", true)]
    [InlineData("a", true)]
    [InlineData("x-9", true)]
    [InlineData("abcdefghijk", true)]
    [InlineData("abcdefghijkl", false)]
    [InlineData("", false)]
    [InlineData("9lives", false)]
    [InlineData("-a", false)]
    [InlineData("Alice", false)]
    [InlineData("al ice", false)]
    [InlineData("../alice", false)]
    [InlineData("alice:0", false)]
    [InlineData("root", false)]
    [InlineData("daemon", false)]
    [InlineData("maintenance", false)]
    [InlineData("site-home", false)]
    [InlineData("site-x", false)]
    [InlineData("bastion", false)]
    [InlineData("bastion-x", false)]
    [InlineData("sync", false)]
    public void Name_is_an_account_of_nobody_else(string name, bool good) => Assert.Equal(good, Problems(Person(name)).Count == 0);

    [Theory]
    [InlineData(22001, true)]
    [InlineData(22015, true)]
    [InlineData(22016, false)]
    [InlineData(22000, false)]
    [InlineData(22101, false)]
    [InlineData(49020, false)]
    [InlineData(22, false)]
    [InlineData(-1, false)]
    [InlineData(int.MaxValue, false)]
    public void Port_is_one_of_the_sites_own_and_not_its_probes(int port, bool good)
    {
        Assert.Equal(good, Problems(Person("alice") with { Ports = [port] }).Count == 0);
        Assert.Equal(good, BundleRules.Check(Bundle() with { Services = [new BundleService("ssh", port)] }, Scene).Count == 0);
    }

    [Theory]
    [InlineData(Key, true)]
    [InlineData(Key + " alice@phone", true)]
    [InlineData("permitopen=\"127.0.0.1:22101\" " + Key, false)]
    [InlineData("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Wq5wkuyWcQeHdGAsk8TIXfmTpTQqJcDNfXv3Jm1", false)]
    [InlineData("ssh-dss AAAAB3NzaC1kc3M=", false)]
    [InlineData("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAAAEBAAAAA==", false)]
    [InlineData("", false)]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----", false)]
    public void Key_is_one_that_sshd_takes(string key, bool good) => Assert.Equal(good, Problems(Person("alice") with { Devices = [new BundleDevice("phone", key)] }).Count == 0);

    [Fact]
    public void Key_of_a_site_is_nobodys_in_person()
    {
        var problems = BundleRules.Check(Bundle(Person("alice")), Scene with { HostKeys = [Key] });

        Assert.Contains("key of a site", Assert.Single(problems).Reason);
    }

    [Fact]
    public void Every_other_value_is_looked_at_too()
    {
        var bundle = Bundle() with
        {
            Vm = "a\nb",
            TimeZone = new string('x', 65),
            People = [Person("alice") with { Text = "12345", Telegram = "alice" }, Person("alice") with { Devices = [new("a", Key), new("a", Key)], Ports = [22001, 22001] }],
            Services = [new("ssh", 22001), new("ssh", 22002), new("S", 22003)],
            Networks = ["somewhere"],
            DeadManMinutes = 3,
            Messages = new BundleMessages { Quiet = "at night", Channels = new Dictionary<string, IReadOnlyDictionary<string, string>> { ["sms"] = new Dictionary<string, string> { ["from"] = "+1\r\n" } } },
            Allow = [new("0.0.0.0/0", "a b", "MD5", "soon") { Reason = "a\tb" }, new("10.0.0.0/24", "alice", "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "2026-12-21T18:00:00Z")],
            Secrets = new Dictionary<string, string> { ["a/b"] = "x", ["c"] = "two words" },
        };

        var told = BundleRules.Check(bundle, Scene).Select(e => e.Key).ToList();

        string[] wanted =
        [
            "vm", "time_zone", "people", "people.alice.text", "people.alice.telegram", "people.alice.ports", "people.alice.devices", "services", "services.name", "networks",
            "dead_man_minutes", "messages.quiet", "messages.sms.from", "allow.network", "allow.user", "allow.fingerprint", "allow.until", "allow.reason", "secrets", "secrets.c",
        ];
        Assert.Equal(wanted.Order(), told.Distinct().Order());
        Assert.DoesNotContain(BundleRules.Check(bundle, Scene), e => e.Value.Contains("two words", StringComparison.Ordinal));
    }

    [Fact]
    public void Crowd_is_refused()
    {
        var crowd = Bundle() with { People = [.. Enumerable.Range(0, 257).Select(n => Person($"p{n}") with { Devices = [] })] };

        Assert.Contains(BundleRules.Check(crowd, Scene), e => e.Reason.Contains("too many", StringComparison.Ordinal));
    }

    private static BundlePerson Person(string name) => new(name, [22001], [new BundleDevice("phone", Key)]);

    private static Bundle Bundle(params BundlePerson[] people) => new(1, "home", 1) { People = people };

    private static IReadOnlyList<Common.Configuration.ConfigurationError> Problems(BundlePerson person) => BundleRules.Check(Bundle(person), Scene);
}
