using System.Net;
using InternalHost.Wan.Http;
using InternalHost.Wan.Probes;

namespace InternalHost.Tests.Wan;

public sealed class PublicNamesTests
{
    [Theory]
    [InlineData("api.example.com", "10.1.2.3", true)]
    [InlineData("api.example.com", "192.168.1.1", true)]
    [InlineData("api.example.com", "172.31.255.255", true)]
    [InlineData("api.example.com", "172.32.0.1", false)]
    [InlineData("api.example.com", "100.64.0.1", true)]
    [InlineData("api.example.com", "127.0.0.1", true)]
    [InlineData("api.example.com", "0.0.0.0", true)]
    [InlineData("api.example.com", "224.0.0.1", true)]
    [InlineData("api.example.com", "9.9.9.9", false)]
    [InlineData("api.example.com", "::1", true)]
    [InlineData("api.example.com", "fd00::1", true)]
    [InlineData("api.example.com", "fe80::1", true)]
    [InlineData("api.example.com", "::ffff:10.0.0.1", true)]
    [InlineData("api.example.com", "2001:db8::1", false)]
    [InlineData("nas.home.arpa", "192.168.1.1", false)]
    [InlineData("api.lab.test", "127.0.0.1", false)]
    [InlineData("localhost", "127.0.0.1", false)]
    [InlineData("notlocalhost", "127.0.0.1", true)]
    public void Hijack_is_a_public_name_at_an_inner_address(string name, string address, bool hijack)
    {
        Assert.Equal(hijack, PublicNames.IsHijack(name, IPAddress.Parse(address)));
    }

    [Fact]
    public void Doubted_addresses_come_last_and_proven_ones_before_them()
    {
        var resolution = new Resolution("api.example.com", [IPAddress.Parse("10.0.0.1"), IPAddress.Parse("192.0.2.9")], [IPAddress.Parse("192.0.2.1")]);

        Assert.Equal(["192.0.2.9", "192.0.2.1", "10.0.0.1"], resolution.Addresses.Select(a => a.ToString()));
    }

    [Fact]
    public void Literal_is_never_doubted()
    {
        Assert.Equal("10.0.0.1", Assert.Single(new Resolution("10.0.0.1", [IPAddress.Parse("10.0.0.1")], []).Addresses).ToString());
    }
}
