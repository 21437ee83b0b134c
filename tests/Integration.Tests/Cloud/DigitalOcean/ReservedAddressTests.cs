using System.Globalization;
using System.Net;
using InternalHost.Cloud;
using InternalHost.Cloud.DigitalOcean;
using Lab.Clouds;

namespace Integration.Tests.Cloud.DigitalOcean;

/// <summary>A reserved IP that leads to the Droplet of the day: the real client against the stand-in.</summary>
public sealed class ReservedAddressTests : IAsyncLifetime
{
    private static readonly IPAddress Address = IPAddress.Parse("203.0.113.7");

    private readonly string _folder = Directory.CreateTempSubdirectory("ra-").FullName;
    private DigitalOceanStandIn _standIn = null!;
    private DigitalOceanHttp _http = null!;
    private ReservedAddress _keeper = null!;

    public async Task InitializeAsync()
    {
        _standIn = await DigitalOceanStandIn.StartAsync();
        var token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(token, DigitalOceanStandIn.Token);
        _http = new DigitalOceanHttp(_standIn.BaseUrl, token, new SocketsHttpHandler { AllowAutoRedirect = false }, TimeProvider.System);
        _keeper = new ReservedAddress(new DigitalOceanClient(_http), Address);
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _standIn.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Each_Droplet_gets_it_when_the_one_before_is_gone()
    {
        _standIn.ReservedIps[$"{Address}"] = 0;
        var first = Made();

        await _keeper.HoldAsync(first, default);
        await _keeper.HoldAsync(first, default);
        Assert.Equal(first, $"{_standIn.ReservedIps[$"{Address}"]}");
        Assert.Equal(1, _standIn.Requests.Count(r => r.StartsWith("POST reserved_ips", StringComparison.Ordinal)));

        _standIn.Destroy(long.Parse(first, CultureInfo.InvariantCulture));
        var second = Made();
        await _keeper.HoldAsync(second, default);
        Assert.Equal(second, $"{_standIn.ReservedIps[$"{Address}"]}");
    }

    [Fact]
    public async Task One_that_leads_elsewhere_or_is_not_ours_is_told()
    {
        var ours = Made();
        var unknown = await Assert.ThrowsAsync<CloudException>(() => _keeper.HoldAsync(ours, default));

        var other = Made();
        _standIn.ReservedIps[$"{Address}"] = long.Parse(other, CultureInfo.InvariantCulture);
        var elsewhere = await Assert.ThrowsAsync<CloudException>(() => _keeper.HoldAsync(ours, default));

        Assert.Equal((CloudFailure.NotFound, CloudFailure.Denied), (unknown.Failure, elsewhere.Failure));
        Assert.Contains($"203.0.113.7 leads to Droplet {other}", elsewhere.Message, StringComparison.Ordinal);
        Assert.Equal(other, $"{_standIn.ReservedIps[$"{Address}"]}");
    }

    private string Made() => _standIn.Add("bastion-home", "bastion:site:home").Id.ToString(CultureInfo.InvariantCulture);
}
