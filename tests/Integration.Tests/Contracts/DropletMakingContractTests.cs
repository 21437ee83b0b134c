using Integration.Tests.Cloud.Making;
using Lab.Clouds;

namespace Integration.Tests.Contracts;

/// <summary>A whole making and removal of a Droplet, each request and each answer of our stand-in held against DigitalOcean's description.</summary>
[Collection(nameof(DigitalOceanContract))]
public sealed class DropletMakingContractTests(DigitalOceanContract contract)
{
    [PrismFact(OfficialDescription.DigitalOcean)]
    public async Task Life_from_plan_to_removal()
    {
        contract.StandIn.Behaviour = new DropletBehaviour();
        var watch = new ContractWatch();
        await using var world = DropletMakingWorld.Behind(contract.StandIn, contract.Url, watch);
        var site = $"m{Guid.NewGuid():N}"[..10];

        Assert.True(await world.CreateAsync(site));
        world.IsComplete(site);
        await world.RemoveAsync(site);

        world.IsEmpty(site);
        Assert.Empty(watch.Violations);
        Assert.InRange(watch.Calls, 20, 1000);
    }
}
