using System.Text;
using InternalHost.Cloud;
using InternalHost.Cloud.DigitalOcean;
using InternalHost.Cloud.Inventory;
using Lab.Clouds;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.Contracts;

/// <summary>Each call that the program makes, and each answer and error of our stand-in, held against DigitalOcean's own description.</summary>
[Collection(nameof(DigitalOceanContract))]
public sealed class DigitalOceanContractTests : IDisposable
{
    private const string Region = "fra1";

    private readonly string _folder = Directory.CreateTempSubdirectory("do-contract").FullName;
    private readonly string _site = $"s{Guid.NewGuid():N}"[..16];
    private readonly ContractWatch _watch = new();
    private readonly DigitalOceanContract _contract;
    private readonly DigitalOceanHttp _http;
    private readonly DigitalOceanClient _client;
    private readonly DropletCloud _cloud;

    public DigitalOceanContractTests(DigitalOceanContract contract)
    {
        _contract = contract;
        File.WriteAllText(TokenFile, DigitalOceanStandIn.Token);
        _contract.StandIn.Behaviour = new DropletBehaviour();
        _http = contract.Http(_watch, TokenFile);
        _client = new DigitalOceanClient(_http);
        _cloud = new DropletCloud(_client, _site, Region, ["s-1vcpu-512mb-10gb", "s-1vcpu-1gb"], TimeProvider.System, NullLogger<DropletCloud>.Instance);
    }

    private string TokenFile => Path.Combine(_folder, "token");

    private string Tag => DropletCloud.TagOf(_site);

    public void Dispose()
    {
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [PrismFact(OfficialDescription.DigitalOcean)]
    public async Task Life_out_of_a_snapshot()
    {
        _contract.StandIn.AddSnapshot(DropletCloud.SnapshotsOf(_site) + "1", Region);
        _contract.StandIn.Behaviour = new DropletBehaviour { NoRoomFor = ["s-1vcpu-512mb-10gb"] };

        await _cloud.DescribeAsync(default);
        await _cloud.StartAsync(default);
        var running = await UntilAsync(InstanceState.Running);
        await _cloud.StartAsync(default);
        await _cloud.StopAsync(default);
        var gone = await _cloud.DescribeAsync(default);

        Assert.Equal((InstanceState.Absent, false), (gone.State, gone.StoppedByOwner));
        Assert.Equal(2, running.Addresses.Length);
        Kept();
    }

    [PrismFact(OfficialDescription.DigitalOcean)]
    public async Task Life_without_a_snapshot()
    {
        var droplet = _contract.StandIn.Add(DropletCloud.NameOf(_site), Tag);

        await UntilAsync(InstanceState.Running);
        await _cloud.StopAsync(default);
        Assert.Equal(InstanceState.Stopped, (await _cloud.DescribeAsync(default)).State);
        await _cloud.StartAsync(default);
        _contract.StandIn.Act(droplet.Id, "power_off");
        Assert.True((await _cloud.DescribeAsync(default)).StoppedByOwner);
        var taken = await _client.SnapshotAsync(droplet.Id, DropletCloud.SnapshotsOf(_site) + "2", default);
        Assert.Equal("completed", (await _client.ActionAsync(taken.Id, default)).Status);
        var snapshot = (await _client.SnapshotsAsync(default)).Single(s => s.Name.StartsWith(DropletCloud.SnapshotsOf(_site), StringComparison.Ordinal));
        await _client.DeleteSnapshotAsync(snapshot.Id, default);
        _contract.StandIn.Destroy(droplet.Id);
        Assert.Null(await _client.DropletAsync(droplet.Id, default));

        Kept();
    }

    [PrismFact(OfficialDescription.DigitalOcean)]
    public async Task What_is_there_is_listed_adopted_and_removed()
    {
        var made = _contract.StandIn.Add("by hand", "");
        _contract.StandIn.AddVolume("data", 10, Tag);
        var inventory = new DropletInventory(_client, _site, Region);

        await inventory.AdoptAsync($"{made.Id}", default);
        var seen = await inventory.ListAsync(default);
        foreach (var thing in seen.Things)
        {
            await inventory.DiscardAsync(thing, default);
        }

        Assert.Equal([CloudThingKind.Machine, CloudThingKind.Volume], seen.Things.Select(t => t.Kind));
        Assert.Empty((await inventory.ListAsync(default)).Things);
        Kept();
    }

    [PrismFact(OfficialDescription.DigitalOcean)]
    public async Task Page_after_page()
    {
        _contract.StandIn.Behaviour = new DropletBehaviour { PageSize = 1 };
        for (var n = 0; n < 3; n++)
        {
            _contract.StandIn.Add(DropletCloud.NameOf(_site), Tag);
        }

        Assert.Equal(3, (await _client.DropletsByTagAsync(Tag, default)).Length);
        Kept();
    }

    [PrismTheory(OfficialDescription.DigitalOcean)]
    [InlineData("too_many_requests", 429)]
    [InlineData("server_error", 500)]
    public async Task Errors_of_their_own(string id, int status)
    {
        _contract.StandIn.Trouble("GET droplets", [.. Enumerable.Repeat(new CloudTrouble.Error(id, status, "refused by the lab", TimeSpan.Zero), 3)]);

        var e = await Assert.ThrowsAsync<CloudException>(() => _cloud.DescribeAsync(default));

        Assert.Equal(CloudFailure.Transient, e.Failure);
        Kept();
    }

    [PrismFact(OfficialDescription.DigitalOcean)]
    public async Task Wrong_token()
    {
        await File.WriteAllTextAsync(TokenFile, "dop_v1_of_nobody");

        Assert.Equal(CloudFailure.Denied, (await Assert.ThrowsAsync<CloudException>(() => _cloud.DescribeAsync(default))).Failure);
        Kept();
    }

    /// <summary>Otherwise none of the above would prove anything.</summary>
    [PrismFact(OfficialDescription.DigitalOcean)]
    public async Task What_is_not_as_described_is_noticed_both_ways()
    {
        using var watch = new ContractWatch(expected: true);
        using var http = new HttpClient(watch, disposeHandler: false);
        http.DefaultRequestHeaders.Authorization = new("Bearer", DigitalOceanStandIn.Token);

        using var tooMany = await http.GetAsync(new Uri(_contract.Url, "v2/droplets?per_page=900"));
        using var wrongType = await http.PostAsync(new Uri(_contract.Url, "v2/droplets"), new StringContent("""{"name":"a","size":1,"image":2,"ipv6":"yes"}""", Encoding.UTF8, "application/json"));
        _contract.StandIn.Trouble("GET droplets", new CloudTrouble.Page());
        using var page = await http.GetAsync(new Uri(_contract.Url, "v2/droplets"));

        Assert.Equal(3, watch.Violations.Length);
    }

    private void Kept()
    {
        Assert.Empty(_watch.Violations);
        Assert.NotEqual(0, _watch.Calls);
    }

    private async Task<InstanceSight> UntilAsync(InstanceState state)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (true)
        {
            if (await _cloud.DescribeAsync(limit.Token) is { } sight && sight.State == state)
            {
                return sight;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), limit.Token);
        }
    }
}
