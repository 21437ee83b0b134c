using System.Net;
using Bastion.Configuration;
using Bastion.Logins;
using Common.Logins;
using Common.Logins.Recording;
using Common.Alerts;

namespace Bastion.Tests.Logins;

public sealed class LoginRulesTests
{
    private const string Fp = "SHA256:Xspp2NxCCnW5eU18SFQeWO1gnP3Hk/JXAdZjqD9LUhk";
    private static readonly Identity Alice = new(Fp, LoginRole.Person, "alice", "phone");
    private static readonly Identity Home = new(Fp, LoginRole.Site, "home");
    private static readonly Identity Maintenance = new(Fp, LoginRole.Maintenance, "keeper");

    [Fact]
    public void Known_person_is_always_told()
    {
        var verdict = LoginRules.Judge(ByKey("alice"), new LoginContext(Alice, NewNetwork: false));

        Assert.Equal(new LoginVerdict(Severity.High, "known person", true, LoginRole.Person, "alice", "phone", LoginFlags.None), verdict);
    }

    [Fact]
    public void New_network_is_flagged()
    {
        var verdict = LoginRules.Judge(ByKey("alice"), new LoginContext(Alice, NewNetwork: true));

        Assert.Equal((Severity.High, LoginFlags.NewNetwork), (verdict.Severity, verdict.Flags));
    }

    [Fact]
    public void Site_tunnel_is_low_and_not_pushed()
    {
        var verdict = LoginRules.Judge(ByKey("site-home"), new LoginContext(Home, NewNetwork: true));

        Assert.Equal((Severity.Low, false, LoginRole.Site), (verdict.Severity, verdict.Tell, verdict.Role));
    }

    [Fact]
    public void Maintenance_is_told()
    {
        var verdict = LoginRules.Judge(ByKey("keeper"), new LoginContext(Maintenance, false));

        Assert.Equal((Severity.High, true), (verdict.Severity, verdict.Tell));
    }

    [Fact]
    public void Unknown_key_is_critical()
    {
        var verdict = LoginRules.Judge(ByKey("alice"), new LoginContext(null, false));

        Assert.Equal((Severity.Critical, true, LoginFlags.NewKey, "alice"), (verdict.Severity, verdict.Tell, verdict.Flags, verdict.Who));
    }

    [Theory]
    [InlineData("password")]
    [InlineData("keyboard-interactive/pam")]
    [InlineData("none")]
    [InlineData("hostbased")]
    public void Anything_but_a_key_is_critical_whoever_it_claims_to_be(string method)
    {
        var login = new Login(LoginKind.Ssh, "sshd", "alice", Peer, [new AuthMethod(method)]);

        var verdict = LoginRules.Judge(login, new LoginContext(Home, false));

        Assert.Equal((Severity.Critical, true, LoginRole.Unknown), (verdict.Severity, verdict.Tell, verdict.Role));
        Assert.True(verdict.Flags.HasFlag(LoginFlags.Password));
    }

    [Fact]
    public void Root_is_critical_even_with_a_sites_key()
    {
        var verdict = LoginRules.Judge(ByKey("root"), new LoginContext(Home, false));

        Assert.Equal((Severity.Critical, true, "root"), (verdict.Severity, verdict.Tell, verdict.Who));
    }

    [Fact]
    public void Root_says_nothing_where_it_is_the_one_account_of_a_private_setup()
    {
        var verdict = LoginRules.Judge(ByKey("root"), new LoginContext(Alice, false, OwnAccount: "root"));

        Assert.Equal((Severity.High, "alice"), (verdict.Severity, verdict.Who));
    }

    [Theory]
    [InlineData("alice", true)]
    [InlineData("bob", false)]
    [InlineData("site-home", false)]
    public void Key_in_an_account_of_somebody_else_is_critical(string account, bool own)
    {
        var verdict = LoginRules.Judge(ByKey(account), new LoginContext(Alice, false));

        Assert.Equal(own ? Severity.High : Severity.Critical, verdict.Severity);
        Assert.Equal(!own, verdict.Flags.HasFlag(LoginFlags.NewUser));
        Assert.Equal(Severity.High, LoginRules.Judge(ByKey(account), new LoginContext(Alice, false, OwnAccount: "me")).Severity);
    }

    [Theory]
    [InlineData("site-home")]
    [InlineData("site-home-bulk")]
    [InlineData("bastion-sync")]
    public void Site_has_its_three_accounts(string account) => Assert.Equal(Severity.Low, LoginRules.Judge(ByKey(account), new LoginContext(Home, false)).Severity);

    [Theory]
    [InlineData("198.51.100.0/24", Severity.Low)]
    [InlineData("203.0.113.0/24", Severity.Critical)]
    public void Tunnel_from_a_network_of_no_uplink_is_critical(string uplink, Severity severity)
    {
        var home = Home with { Networks = [Common.Alerts.Policy.Cidr.Parse(uplink).Value!] };

        Assert.Equal(severity, LoginRules.Judge(ByKey("site-home"), new LoginContext(home, false)).Severity);
    }

    [Fact]
    public void Tunnel_that_moved_is_high()
    {
        var verdict = LoginRules.Judge(ByKey("site-home"), new LoginContext(Home, true) { Moved = true });

        Assert.Equal((Severity.High, true, LoginFlags.NewNetwork), (verdict.Severity, verdict.Tell, verdict.Flags));
    }

    [Theory]
    [InlineData(4, Severity.High)]
    [InlineData(5, Severity.Critical)]
    public void Success_after_many_failures_is_critical(int failures, Severity severity) =>
        Assert.Equal(severity, LoginRules.Judge(ByKey("alice"), new LoginContext(Alice, false) { Failures = failures }).Severity);

    /// <summary>Behind the address of its carrier there are others, and some of them guess passwords.</summary>
    [Fact]
    public void Failures_of_a_carriers_other_customers_are_not_the_tunnels() =>
        Assert.Equal(Severity.Low, LoginRules.Judge(ByKey("site-home"), new LoginContext(Home, false) { Failures = 500 }).Severity);

    [Fact]
    public void Line_that_reads_two_ways_is_critical()
    {
        var verdict = LoginRules.Judge(ByKey("alice") with { Ambiguous = true }, new LoginContext(Home, false));

        Assert.Equal((Severity.Critical, true), (verdict.Severity, verdict.Tell));
    }

    [Fact]
    public void History_is_recorded_and_not_told()
    {
        var verdict = LoginRules.Judge(ByKey("alice"), new LoginContext(null, false, History: true));

        Assert.Equal((Severity.Low, false), (verdict.Severity, verdict.Tell));
        Assert.Contains("key is in no list", verdict.Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("198.51.100.77", "198.51.100.0/24")]
    [InlineData("::ffff:198.51.100.77", "198.51.100.0/24")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData(null, "unknown")]
    public void Network_is_24_or_64(string? address, string network) =>
        Assert.Equal(network, LoginNetwork.Of(address is null ? null : IPAddress.Parse(address)));

    private static readonly IPEndPoint Peer = new(IPAddress.Parse("198.51.100.7"), 40000);

    private static Login ByKey(string user) => new(LoginKind.Ssh, "sshd", user, Peer, [new AuthMethod("publickey", new PublicKey("ED25519", Fp))]);
}
