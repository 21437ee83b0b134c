using InternalHost.Cloud.DigitalOcean;
using Lab.Clouds;

namespace Integration.Tests.Contracts;

/// <summary>The stand-in behind Prism, shared by all tests of DigitalOcean's description: each uses a site of its own.</summary>
public sealed class DigitalOceanContract : IAsyncLifetime
{
    private Prism? _prism;

    public DigitalOceanStandIn StandIn { get; private set; } = null!;

    /// <summary>Where the program speaks to.</summary>
    public Uri Url => _prism!.Url;

    public async Task InitializeAsync()
    {
        StandIn = await DigitalOceanStandIn.StartAsync();
        if (Prism.Missing(OfficialDescription.DigitalOcean) is null)
        {
            _prism = await Prism.InFrontOfAsync(StandIn.BaseUrl, OfficialDescription.Find(OfficialDescription.DigitalOcean)!);
        }
    }

    public async Task DisposeAsync()
    {
        if (_prism is not null)
        {
            await _prism.DisposeAsync();
        }

        await StandIn.DisposeAsync();
    }

    internal DigitalOceanHttp Http(HttpMessageHandler by, string tokenFile) => new(Url, tokenFile, by, TimeProvider.System);
}

/// <summary>One Prism for all of them.</summary>
[CollectionDefinition(nameof(DigitalOceanContract))]
public sealed class DigitalOceanContractCollection : ICollectionFixture<DigitalOceanContract>;
