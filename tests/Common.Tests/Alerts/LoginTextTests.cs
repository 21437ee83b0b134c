using System.Net;
using Common.Alerts;
using Common.Logins;
using Common.Text;

namespace Common.Tests.Alerts;

public sealed class LoginTextTests
{
    private static readonly DateTimeOffset Night = new(2026, 11, 3, 2, 31, 0, TimeSpan.FromHours(1));

    [Fact]
    public void Login_reads_as_promised() => Assert.Equal(
        "home LOGIN 02:31: alice, phone key, from 198.51.100.7 (new network), got inside. Not you? Stop VM bastion-home in cloud app. #7F3K",
        LoginText.Compose("home", Night, "alice", "phone", IPAddress.Parse("198.51.100.7"), LoginFlags.NewNetwork | LoginFlags.GotInside, "bastion-home", "7F3K"));

    [Fact]
    public void Longest_allowed_fields_still_fit_whole()
    {
        var text = LoginText.Compose("twelve-chars", Night, "elevenchars", "ninechars", IPAddress.Parse("2001:db8:ffff:ffff::1"), LoginFlags.NewNetwork | LoginFlags.GotInside, "bastion-twelv", "7F3K");

        Assert.Equal(
            "twelve-chars LOGIN 02:31: elevenchars, ninechars key, from 2001:db8:ffff:ffff::/64 (new network), got inside. Not you? Stop VM bastion-twelv in cloud app. #7F3K",
            text);
        Assert.InRange(SmsText.Septets(text), 150, 160);
    }

    [Fact]
    public void Longer_fields_cost_the_advice_first_and_never_who_and_whence()
    {
        var text = LoginText.Compose("twelve-chars-and-more", Night, "elevenchars-and-more", "ninechars-more", IPAddress.Parse("2001:db8:ffff:ffff::1"), LoginFlags.AfterFailures | LoginFlags.GotInside, "bastion-twelve", "7F3K2A");

        Assert.Equal("twelve-char. LOGIN 02:31: elevenchar., ninechar. key, from 2001:db8:ffff:ffff::/64 (after failures), got inside. Not you? Stop VM bastion-twel.. #7F3K2A", text);
        Assert.InRange(SmsText.Septets(text), 1, 160);
    }

    [Theory]
    [InlineData(LoginFlags.Password, "home LOGIN: bob, BY PASSWORD, from 192.0.2.0. Not you? Type: internalhost close. #7F3K")]
    [InlineData(LoginFlags.NewKey, "home LOGIN: bob, NEW KEY, from 192.0.2.0. Not you? Type: internalhost close. #7F3K")]
    [InlineData(LoginFlags.WithoutHook | LoginFlags.NewNetwork, "home LOGIN: bob, from 192.0.2.0 (not seen by PAM). Not you? Type: internalhost close. #7F3K")]
    [InlineData(LoginFlags.NewUser, "home LOGIN: bob, from 192.0.2.0 (new user). Not you? Type: internalhost close. #7F3K")]
    [InlineData(LoginFlags.None, "home LOGIN: bob, from 192.0.2.0. Not you? Type: internalhost close. #7F3K")]
    public void What_is_not_known_is_left_out(LoginFlags flags, string text) =>
        Assert.Equal(text, LoginText.Compose("home", null, "bob", null, IPAddress.Parse("::ffff:192.0.2.0"), flags, null, "7F3K"));

    [Fact]
    public void Vm_without_a_known_name_is_still_to_be_stopped() => Assert.Equal(
        "home LOGIN: bob, from 192.0.2.0. Not you? Stop VM in cloud app. #7F3K",
        LoginText.Compose("home", null, "bob", null, IPAddress.Parse("192.0.2.0"), LoginFlags.None, "", "7F3K"));

    [Theory]
    [InlineData(LoginKind.Sudo, "alice", "home LOGIN: bob, by sudo of alice. Not you? Type: internalhost close. #7F3K")]
    [InlineData(LoginKind.Su, null, "home LOGIN: bob, by su. Not you? Type: internalhost close. #7F3K")]
    [InlineData(LoginKind.Console, null, "home LOGIN: bob, at the console. Not you? Type: internalhost close. #7F3K")]
    [InlineData(LoginKind.Ssh, null, "home LOGIN: bob, from an unknown address. Not you? Type: internalhost close. #7F3K")]
    public void Who_did_not_come_by_the_network_is_said_to_be_there(LoginKind kind, string? by, string text) =>
        Assert.Equal(text, LoginText.Compose("home", null, "bob", null, null, LoginFlags.None, null, "7F3K", LoginText.At(kind, by)));

    [Fact]
    public void Unknown_address_is_said() =>
        Assert.Contains("from an unknown address", LoginText.Compose("home", null, "bob", null, null, LoginFlags.None, null, "7F3K"), StringComparison.Ordinal);

    [Theory]
    [InlineData("\u0430lice", "?lice (strange name)")]
    [InlineData("a\nroot", "a/x0Aroot (strange name)")]
    [InlineData("\u202Ebob", "/u(202E)bob (strange name)")]
    public void Name_that_is_not_what_it_looks_like_is_called_strange(string who, string shown) =>
        Assert.Contains($": {shown}, from", LoginText.Compose("home", Night, who, null, IPAddress.Loopback, LoginFlags.None, null, "7F3K"), StringComparison.Ordinal);
}
