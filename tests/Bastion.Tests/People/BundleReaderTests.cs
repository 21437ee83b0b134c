using System.Text;
using Bastion.Host;
using Bastion.People;
using Common.Sync;

namespace Bastion.Tests.People;

public sealed class BundleReaderTests
{
    private const int Seeds = 3_000;
    internal static readonly BundleScene Scene = new(new SiteAccess("home", 22001), ["root", "daemon", "site-home"], []);

    [Fact]
    public void Bundle_of_this_version_is_read_whole()
    {
        var bundle = BundleReader.Read(Golden("now"));

        Assert.Empty(BundleRules.Check(bundle, Scene));
        Assert.Equal(("home", 5, "bastion-home", 20.0), (bundle.Site, bundle.Number, bundle.Vm, bundle.DeadManMinutes));
        Assert.Equal(["alice", "bob"], bundle.People.Select(p => p.Name));
        Assert.Equal("telegram_token", bundle.Messages!.Channels["telegram"]["secret"]);
        Assert.Equal("s3cret", bundle.Secrets["twilio_key"]);
    }

    /// <summary>What an older inside does not send means its default; what a newer one sends on top is not understood and does no harm.</summary>
    [Theory]
    [InlineData("older", 4)]
    [InlineData("newer", 6)]
    public void Neighbouring_version_is_understood(string version, long number)
    {
        var bundle = BundleReader.Read(Golden(version));

        Assert.Empty(BundleRules.Check(bundle, Scene));
        Assert.Equal(number, bundle.Number);
        Assert.Equal(22001, Assert.Single(Assert.Single(bundle.People).Ports));
        Assert.Empty(bundle.Services);
        Assert.Empty(bundle.Networks);
        Assert.Empty(bundle.Secrets);
        Assert.Empty(bundle.Allow);
        Assert.Null(bundle.DeadManMinutes);
    }

    [Theory]
    [InlineData("""{"format": 2, "site": 7, "people": "all"}""", SyncRefusal.Format)]
    [InlineData("""{"format": 0, "site": "home", "number": 1}""", SyncRefusal.Format)]
    [InlineData("""{"format": 1e99, "site": "home", "number": 1}""", SyncRefusal.Format)]
    [InlineData("""{"site": "home", "number": 1}""", SyncRefusal.Broken)]
    [InlineData("""{"format": 1, "site": "home"}""", SyncRefusal.Broken)]
    [InlineData("""{"format": 1, "site": null, "number": 1}""", SyncRefusal.Broken)]
    [InlineData("""{"format": 1, "site": "home", "number": 1, "people": null}""", SyncRefusal.Broken)]
    [InlineData("""{"format": 1, "site": "home", "number": 1, "people": [null]}""", SyncRefusal.Broken)]
    [InlineData("""{"format": 1, "site": "home", "number": 1, "people": [{"name": "alice"}]}""", SyncRefusal.Broken)]
    [InlineData("""{"format": 1, "site": "home", "number": 1, "people": [{"name": "alice", "ports": [22001], "devices": [null]}]}""", SyncRefusal.Broken)]
    [InlineData("""{"format": 1, "site": "home", "number": 1, "number": 2}""", SyncRefusal.Broken)]
    [InlineData("""{"format": 1, "site": "home", "number": 1, "secrets": {"a": null}}""", SyncRefusal.Broken)]
    [InlineData("""{"format": 1, "site": "home", "number": 1, "messages": {"channels": {"sms": null}}}""", SyncRefusal.Broken)]
    [InlineData("""{"format": 1, "site": "home", "number": 1""", SyncRefusal.Broken)]
    [InlineData("""{"format": 1, "site": "home", "number": 1} {}""", SyncRefusal.Broken)]
    [InlineData("[]", SyncRefusal.Broken)]
    [InlineData("null", SyncRefusal.Broken)]
    [InlineData("", SyncRefusal.Broken)]
    public void What_is_no_bundle_is_refused_by_its_word(string json, string refusal) =>
        Assert.Equal(refusal, Assert.Throws<BundleRefused>(() => BundleReader.Read(Encoding.UTF8.GetBytes(json))).Refusal);

    /// <summary>Whatever is done to its bytes: a refusal, or a bundle that can be used to its last value.</summary>
    [Fact]
    public void Mutated_bundle_is_refused_or_can_be_used()
    {
        var golden = Golden("now");
        for (var seed = 0; seed < Seeds; seed++)
        {
            var bytes = Mutated(golden, new Random(seed));
            try
            {
                var bundle = BundleReader.Read(bytes);
                if (BundleRules.Check(bundle, Scene).Count == 0)
                {
                    var access = PeopleAccess.Of([bundle]);
                    Assert.All(access.Names, name => Assert.All(access.KeyFile(name).Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.StartsWith("restrict", line)));
                }
            }
            catch (BundleRefused refused)
            {
                Assert.Contains(refused.Refusal, (string[])[SyncRefusal.Broken, SyncRefusal.Format]);
            }
        }
    }

    internal static byte[] Golden(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "People", "Golden", $"{name}.json"));

    private static byte[] Mutated(byte[] bytes, Random random)
    {
        var list = bytes.ToList();
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(list.Count);
            switch (random.Next(5))
            {
                case 0:
                    list[at] = (byte)random.Next(256);
                    break;
                case 1:
                    list.RemoveRange(at, Math.Min(random.Next(1, 40), list.Count - at));
                    break;
                case 2:
                    list.InsertRange(at, list.GetRange(at, Math.Min(random.Next(1, 60), list.Count - at)));
                    break;
                case 3:
                    list.RemoveRange(at, list.Count - at);
                    break;
                default:
                    list.InsertRange(at, Encoding.UTF8.GetBytes(((string[])["null", "[]", "{}", "-1", "1e999", "\\u0000", "\"", "99999999999999999999"])[random.Next(8)]));
                    break;
            }

            if (list.Count == 0)
            {
                break;
            }
        }

        return [.. list];
    }
}
