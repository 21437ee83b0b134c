using System.Net;
using InternalHost.Cloud;
using InternalHost.Cloud.DigitalOcean;
using InternalHost.Naming;
using Lab.Clouds;

namespace Integration.Tests.Naming;

/// <summary>The record of a name at DigitalOcean: the real client against the stand-in, by real sockets.</summary>
public sealed class DomainNamesTests : IAsyncLifetime
{
    private const string Name = "home.example.net";
    private const string Domain = "example.net";
    private static readonly IPAddress V4 = IPAddress.Parse("203.0.113.7");
    private static readonly IPAddress V6 = IPAddress.Parse("2001:db8::7");

    private readonly string _folder = Directory.CreateTempSubdirectory("dn-").FullName;
    private DigitalOceanStandIn _standIn = null!;
    private DigitalOceanHttp _http = null!;
    private DomainNames _names = null!;

    public async Task InitializeAsync()
    {
        _standIn = await DigitalOceanStandIn.StartAsync();
        _standIn.AddDomain(Domain);
        var token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(token, DigitalOceanStandIn.Token + "\n");
        _http = new DigitalOceanHttp(_standIn.BaseUrl, token, new SocketsHttpHandler { AllowAutoRedirect = false }, TimeProvider.System);
        _names = new DomainNames(new DigitalOceanClient(_http), Domain);
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _standIn.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Name_has_the_addresses_given_and_no_others()
    {
        _standIn.AddRecord(Domain, "A", "home", "198.51.100.1", 3600);
        _standIn.AddRecord(Domain, "A", "home", "198.51.100.2", 60);
        _standIn.AddRecord(Domain, "TXT", "home", "v=spf1 -all", 3600);
        _standIn.AddRecord(Domain, "A", "other", "198.51.100.1", 3600);

        await _names.PutAsync(Name, new NameAddresses(V4, V6), default);

        Assert.Equal(["A 203.0.113.7 60", "AAAA 2001:db8::7 60", "TXT v=spf1 -all 3600"], Records("home"));
        Assert.Equal(["A 198.51.100.1 3600"], Records("other"));

        await _names.PutAsync(Name, new NameAddresses(V4, null), default);
        Assert.Equal(["A 203.0.113.7 60", "TXT v=spf1 -all 3600"], Records("home"));
    }

    [Fact]
    public async Task What_is_so_already_is_left_alone()
    {
        await _names.PutAsync(Name, new NameAddresses(V4, V6), default);
        var made = _standIn.Records;

        await _names.PutAsync(Name, new NameAddresses(V4, V6), default);

        Assert.Equal(made.AsEnumerable(), _standIn.Records);
        Assert.Equal(2, _standIn.Count("POST domains/example.net/records"));
    }

    [Fact]
    public async Task Domain_itself_may_be_the_name()
    {
        await _names.PutAsync(Domain, new NameAddresses(V4, null), default);

        Assert.Equal(["A 203.0.113.7 60"], Records("@"));
    }

    [Fact]
    public async Task Lost_reply_leaves_one_record_when_it_is_done_again()
    {
        _standIn.Trouble("POST domains/example.net/records", new CloudTrouble.LoseReply());

        var lost = await Assert.ThrowsAsync<CloudException>(() => _names.PutAsync(Name, new NameAddresses(V4, null), default));
        await _names.PutAsync(Name, new NameAddresses(V4, null), default);

        Assert.Equal(CloudFailure.LostReply, lost.Failure);
        Assert.Equal(["A 203.0.113.7 60"], Records("home"));
    }

    [Fact]
    public async Task What_DigitalOcean_refuses_is_told_with_the_name()
    {
        var unknown = await Assert.ThrowsAsync<CloudException>(() => new DomainNames(new DigitalOceanClient(_http), "example.org").PutAsync("home.example.org", new NameAddresses(V4, null), default));
        _standIn.Trouble("GET domains/example.net/records", new CloudTrouble.Error("forbidden", 403, "You are not authorized to perform this operation"));
        var denied = await Assert.ThrowsAsync<CloudException>(() => _names.PutAsync(Name, new NameAddresses(V4, null), default));

        Assert.Equal((CloudFailure.NotFound, CloudFailure.Denied), (unknown.Failure, denied.Failure));
        Assert.StartsWith("set home.example.net in example.net: our token may not do this", denied.Message, StringComparison.Ordinal);
    }

    private IEnumerable<string> Records(string name) => _standIn.Records.Where(r => r.Name == name).Select(r => $"{r.Type} {r.Data} {r.Ttl}").Order(StringComparer.Ordinal);
}
