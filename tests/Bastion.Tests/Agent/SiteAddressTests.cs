using System.Collections.Immutable;
using System.Net;
using Bastion.Agent;
using Bastion.Configuration;
using Bastion.Sessions;
using Common.Time;
using Common.Logins;

namespace Bastion.Tests.Agent;

public sealed class SiteAddressTests
{
    private const string Passwd = """
        root:x:0:0:root:/root:/bin/bash
        site-home:x:994:990::/nonexistent:/usr/sbin/nologin
        site-cabin:x:995:990::/nonexistent:/usr/sbin/nologin
        broken line
        """;

    [Fact]
    public void Site_that_asks_is_told_its_own_address_among_many() =>
        Assert.Equal(IPAddress.Parse("198.51.100.7"), SiteAddress.Of(994, [Site("site-cabin", "203.0.113.9"), Site("site-home", "198.51.100.7")], Passwd));

    [Fact]
    public void Old_connection_and_new_from_one_address_are_one_answer() =>
        Assert.Equal(IPAddress.Parse("198.51.100.7"), SiteAddress.Of(994, [Site("site-home", "198.51.100.7"), Site("site-home", "198.51.100.7")], Passwd));

    [Theory]
    [InlineData(995u)]
    [InlineData(0u)]
    [InlineData(7u)]
    public void Nobody_is_told_the_address_of_another_site(uint uid) => Assert.Null(SiteAddress.Of(uid, [Site("site-home", "198.51.100.7")], Passwd));

    [Fact]
    public void Two_addresses_at_once_are_not_known() =>
        Assert.Null(SiteAddress.Of(994, [Site("site-home", "198.51.100.7"), Site("site-home", "203.0.113.9")], Passwd));

    [Fact]
    public void Person_of_that_account_is_no_tunnel() =>
        Assert.Null(SiteAddress.Of(994, [Site("site-home", "198.51.100.7") with { Role = LoginRole.Person }], Passwd));

    private static OpenSession Site(string user, string address) =>
        new(1, new IPEndPoint(IPAddress.Parse(address), 40000), 7, LoginRole.Site, user, null, new Instant(0)) { User = user };
}
