using InternalHost.Configuration;

namespace InternalHost.Tests.Configuration;

public sealed class NameRecordTests : IDisposable
{
    private const string Droplets = "cloud: digitalocean\n  region: fra1\n  secret: twilio_key";

    private readonly SiteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Name_is_kept_by_the_key_of_the_cloud_or_by_another()
    {
        var shared = Read("{provider: digitalocean, zone: example.net}", Droplets);
        Assert.Equal(new NameRecordOptions(NameProvider.DigitalOcean, "example.net", _folder.At("secrets/twilio_key"), null, []), shared.Bastion.Dns);
        Assert.Contains("home.example.net set by digitalocean", SiteSummary.Render(shared), StringComparison.Ordinal);

        Assert.Equal(
            new NameRecordOptions(NameProvider.Route53, "Z0123456789ABC", _folder.At("secrets/twilio_key"), new Uri("http://127.0.0.1:4566/"), []),
            Read("{provider: route53, zone: Z0123456789ABC, secret: twilio_key, endpoint: \"http://127.0.0.1:4566/\"}").Bastion.Dns);
        Assert.Null(Read("{provider: route53, zone: Z0123456789ABC}").Bastion.Dns!.SecretFile);
        Assert.Equal(new NameRecordOptions(NameProvider.Command, null, null, null, ["/bin/set-name", "a b"]), Read("{provider: command, command: [/bin/set-name, \"a b\"]}").Bastion.Dns);
        Assert.Equal(shared.Bastion.Dns, Read("{provider: digitalocean, zone: example.net}", Droplets).Bastion.Dns);
    }

    [Theory]
    [InlineData("{provider: rout53, zone: Z1}", "bastion.dns.provider", "did you mean route53?")]
    [InlineData("{zone: example.net}", "bastion.dns.provider", "is missing")]
    [InlineData("{provider: digitalocean, secret: twilio_key}", "bastion.dns.zone", "is missing: the domain")]
    [InlineData("{provider: digitalocean, zone: example.org, secret: twilio_key}", "bastion.dns.zone", "does not hold bastion.name, home.example.net")]
    [InlineData("{provider: digitalocean, zone: example.net}", "bastion.dns.secret", "is missing")]
    [InlineData("{provider: route53}", "bastion.dns.zone", "is missing: the id of the hosted zone")]
    [InlineData("{provider: route53, zone: example.net}", "bastion.dns.zone", "must be the id of a hosted zone")]
    [InlineData("{provider: route53, zone: Z0123456789ABC, secret: nothing}", "bastion.dns.secret", "")]
    [InlineData("{provider: route53, zone: Z0123456789ABC, command: /bin/set-name}", "bastion.dns.command", "is for provider: command")]
    [InlineData("{provider: command}", "bastion.dns.command", "is missing")]
    [InlineData("{provider: command, command: set-name}", "bastion.dns.command", "full path of a program")]
    [InlineData("{provider: command, command: /bin/set-name, zone: example.net}", "bastion.dns.zone", "is for provider")]
    [InlineData("{provider: command, command: /bin/set-name, zonne: example.net}", "bastion.dns.zonne", "")]
    public void Each_mistake_is_named(string dns, string key, string reason)
    {
        var error = Assert.Single(_folder.Errors(Text(dns)));

        Assert.Equal(key, error.Key);
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Fixed_address_is_one_that_the_provider_keeps()
    {
        var options = _folder.Load(_folder.Good.Replace("cloud: static\n  address: 198.51.100.10", $"{Droplets}\n  fixed_address: 203.0.113.7", StringComparison.Ordinal)).OptionsOrThrow();
        Assert.Equal("203.0.113.7", $"{options.Bastion.FixedAddress}");
        Assert.Contains("always 203.0.113.7", SiteSummary.Render(options), StringComparison.Ordinal);

        Assert.Contains(_folder.Errors(_folder.Good.Replace("cloud: static", "cloud: static\n  fixed_address: 203.0.113.7", StringComparison.Ordinal)), e => e is { Key: "bastion.fixed_address" } && e.Reason.Contains("ec2 or digitalocean", StringComparison.Ordinal));
        Assert.Contains(
            _folder.Errors(_folder.Good.Replace("cloud: static\n  address: 198.51.100.10", $"{Droplets}\n  fixed_address: \"2001:db8::7\"", StringComparison.Ordinal)), e => e is { Key: "bastion.fixed_address" } && e.Reason.Contains("must be an IPv4 address", StringComparison.Ordinal));
    }

    [Fact]
    public void Record_without_a_name_is_a_mistake() => Assert.Contains(
        _folder.Errors(Text("{provider: command, command: /bin/set-name}").Replace("  name: home.example.net\n", "", StringComparison.Ordinal)), e => e.Key == "bastion.name");

    private SiteOptions Read(string dns, string? cloud = null) => _folder.Load(Text(dns, cloud)).OptionsOrThrow();

    private string Text(string dns, string? cloud = null) => _folder.Good
        .Replace("cloud: static\n  address: 198.51.100.10", $"{cloud ?? "cloud: static\n  address: 198.51.100.10"}\n  name: home.example.net\n  dns: {dns}", StringComparison.Ordinal);
}
