using System.Collections.Immutable;
using Bastion.Configuration;
using Bastion.People;
using Common.Alerts;
using Common.Alerts.Sms;
using Common.Logins;
using Common.Sync;

namespace Bastion.Tests.People;

public sealed class AgentSitesTests
{
    private const string Phone = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Wq5wkuyWcQeHdGAsk8TIXfmTpTQqJcDNfXv3Jm1sR";
    private const string Laptop = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Wq5wkuyWcQeHdGAsk8TIXfmTpTQqJcDNfXv3Jm1sS";
    private const string Tunnel = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Wq5wkuyWcQeHdGAsk8TIXfmTpTQqJcDNfXv3Jm1sT";
    private static readonly AgentOptions Host = new("bastion", null, null, [], 49020, "/var/lib/bastion", [49022], null, new DoorOptions("/run/bastion/nologin"), Private: false);

    [Fact]
    public void Before_the_first_bundle_alerts_wait_and_the_hosts_own_keys_are_known()
    {
        var options = AgentSites.Merge(Host, [], [("site-home", Tunnel), ("site-home-bulk", Tunnel), ("bastion-sync", Tunnel), ("maintenance", Laptop)]);

        Assert.True(options.AwaitsChannels);
        Assert.Equal([(LoginRole.Site, "home"), (LoginRole.Maintenance, "maintenance")], options.Identities.Select(i => (i.Role, i.Name)));
        Assert.Empty(options.Routes);
        Assert.Null(options.DeadMan);
    }

    [Fact]
    public void Bundle_says_who_is_who_and_how_they_are_told()
    {
        var bundle = BundleReader.Read(BundleReaderTests.Golden("now"));
        var options = AgentSites.Merge(Host, [Site(bundle)], [("site-home", Tunnel)]);

        Assert.Equal(("home", "bastion-home", false), (options.Site, options.Vm, options.AwaitsChannels));
        Assert.Equal(TimeSpan.FromMinutes(20), options.DeadMan!.After);
        Assert.Equal(["198.51.100.7/32", "2001:db8:1::/48"], options.Identities[0].Networks.Select(n => n.ToString()));
        Assert.Equal((LoginRole.Person, "alice", "phone"), (options.Identities[1].Role, options.Identities[1].Name, options.Identities[1].Device));
        Assert.Equal([("telegram", "123456789", "alice", 0), ("sms", "+15551230001", "alice", 1)], options.Routes.Where(r => r.Person == "alice").Select(r => (r.Channel, r.Recipient, r.Person, r.Rank)));
        Assert.Equal("/secrets/twilio_key", options.Sms!.Gateway.SecretFile);
        Assert.Equal("/secrets/telegram_token", options.Channels.Telegram!.Gateway.SecretFile);
        Assert.Equal(new DateTimeOffset(2026, 12, 21, 18, 0, 0, TimeSpan.Zero), Assert.Single(options.Allow).Expires);
        Assert.Null(AgentSites.AudienceOf(options, "alice", options.Identities[1].Fingerprint));
    }

    /// <summary>The people of one site are not told of another's.</summary>
    [Fact]
    public void Login_on_a_shared_bastion_concerns_the_sites_of_its_key()
    {
        var (home, work) = (Of("home", "alice", [Phone], "+15550100001"), Of("work", "alice", [Phone, Laptop], "+15550100002"));
        var options = AgentSites.Merge(Host, [Site(home), Site(work)], [("site-work", Tunnel)]);
        string? Key(string name) => options.Identities.First(i => i.Device == name || i.Name == name).Fingerprint;

        var both = AgentSites.AudienceOf(options, "alice", Key("d0"))!;
        var second = AgentSites.AudienceOf(options, "alice", Key("d1"))!;
        var tunnel = AgentSites.AudienceOf(options, "site-work", Key("work"))!;

        Assert.Equal(("home+work", 2), (both.Site, both.Routes.Length));
        Assert.Equal(("work", "sms@work", "+15550100002"), (second.Site, Assert.Single(second.Routes).Channel, second.Routes[0].Recipient));
        Assert.Equal("work", tunnel.Site);
        Assert.Null(AgentSites.AudienceOf(options, "alice", "SHA256:stranger"));
        Assert.Null(AgentSites.AudienceOf(options, "bob", Key("d0")));
        Assert.Equal(["sms@home", "sms@work"], options.Routes.Select(r => r.Channel));
        Assert.Equal("bastion", options.Site);
        Assert.Null(options.DeadMan);
    }

    [Fact]
    public void Channel_that_cannot_be_used_is_left_out_and_keeps_nobody_out()
    {
        var bundle = BundleReader.Read(BundleReaderTests.Golden("now"));
        var messages = SiteMessagesReader.Read(bundle with { Secrets = bundle.Secrets.Where(s => s.Key != "twilio_key").ToImmutableDictionary() }, name => name);

        Assert.Contains("sms: messages.sms.secret", Assert.Single(messages.LeftOut));
        Assert.Equal(["telegram"], messages.Channels.Order.ToArray());
        Assert.DoesNotContain(messages.Routes, r => r.Channel == TwilioSms.ChannelName);
    }

    private static AgentSite Site(Bundle bundle) => new(bundle, SiteMessagesReader.Read(bundle, name => $"/secrets/{name}"));

    private static Bundle Of(string site, string person, string[] keys, string number) => new(1, site, 1)
    {
        People = [new BundlePerson(person, [], [.. keys.Select((k, n) => new BundleDevice($"d{n}", k))]) { Text = number }],
        Messages = new BundleMessages
        {
            Channels = new Dictionary<string, IReadOnlyDictionary<string, string>>
            {
                ["sms"] = new Dictionary<string, string> { ["account"] = "AC0123456789", ["from"] = "+15550100009", ["to"] = number, ["secret"] = "k" },
            },
        },
        Secrets = new Dictionary<string, string> { ["k"] = "s" },
    };
}
