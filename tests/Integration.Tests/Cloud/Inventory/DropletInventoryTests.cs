using Common.Alerts;
using Common.Journal;
using InternalHost.Cloud;
using InternalHost.Cloud.DigitalOcean;
using InternalHost.Cloud.Inventory;
using InternalHost.Configuration;
using InternalHost.Running;
using Lab.Clouds;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.Cloud.Inventory;

/// <summary>What nobody remembers at DigitalOcean: found, adopted, removed; and the daily look with its one deed and its weekly text.</summary>
public sealed class DropletInventoryTests : IAsyncLifetime
{
    private const string Site = "home";
    private const string Region = "fra1";
    private const string Tag = "bastion:site:home";
    private const string Golden = "bastion-home.golden.1";
    private static readonly DateTimeOffset Today = new(2026, 11, 22, 3, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("do-list-").FullName;
    private readonly Database _database = StateFile.OpenInMemory();
    private DigitalOceanStandIn _standIn = null!;
    private DigitalOceanHttp _http = null!;
    private DropletInventory _inventory = null!;
    private DropletCloud _cloud = null!;
    private bool _peace = true;

    public async Task InitializeAsync()
    {
        _standIn = await DigitalOceanStandIn.StartAsync();
        var token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(token, DigitalOceanStandIn.Token);
        _http = new DigitalOceanHttp(_standIn.BaseUrl, token, new SocketsHttpHandler(), TimeProvider.System);
        var client = new DigitalOceanClient(_http);
        _inventory = new DropletInventory(client, Site, Region);
        _cloud = new DropletCloud(client, Site, Region, ["s-1vcpu-512mb-10gb"], TimeProvider.System, NullLogger<DropletCloud>.Instance);
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _standIn.DisposeAsync();
        _database.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_is_used_is_told_from_what_is_forgotten_with_its_price()
    {
        _standIn.AddSnapshot("bastion-home.golden.0", Region);
        _standIn.AddSnapshot(Golden, Region);
        _standIn.AddSnapshot("bastion-other.golden.1", Region);
        var first = _standIn.Add("bastion-home", Tag);
        var second = _standIn.Add("bastion-home", Tag);
        _standIn.Add("other", "bastion:site:other");
        _standIn.AddVolume("data", 10, Tag);
        _standIn.AddVolume("not ours", 10, "x");

        var seen = await _inventory.ListAsync(default);

        Assert.Equal(
            [("Machine", $"{first.Id}", true), ("Machine", $"{second.Id}", false), ("Snapshot", "bastion-home.golden.0", false), ("Snapshot", Golden, true), ("Volume", "data", false)],
            seen.Things.Select(t => ($"{t.Kind}", t.Kind == CloudThingKind.Machine ? t.Id : t.Name, t.Used)));
        Assert.Equal(4m + 0.084m + 1m, seen.Forgotten.Sum(t => t.MonthUsd));
        Assert.Contains("FORGOTTEN  machine", InventoryText.Render(Site, seen), StringComparison.Ordinal);
        foreach (var thing in seen.Forgotten)
        {
            await _inventory.DiscardAsync(thing, default);
            await _inventory.DiscardAsync(thing, default);
        }

        Assert.Empty((await _inventory.ListAsync(default)).Forgotten);
        Assert.Equal(2, _standIn.Droplets.Length);
    }

    [Fact]
    public async Task Machine_made_by_hand_is_adopted_unless_there_is_another()
    {
        var made = _standIn.Add("by hand", "");

        Assert.Equal(CloudFailure.NotFound, (await Assert.ThrowsAsync<CloudException>(() => _inventory.AdoptAsync("99", default))).Failure);
        await _inventory.AdoptAsync($"{made.Id}", default);
        await _inventory.AdoptAsync($"{made.Id}", default);
        var other = _standIn.Add("another", "");

        Assert.Equal($"{made.Id}", (await _cloud.DescribeAsync(default)).Id);
        Assert.Contains("has a Droplet already", (await Assert.ThrowsAsync<CloudException>(() => _inventory.AdoptAsync($"{other.Id}", default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Droplet_left_off_is_destroyed_when_it_can_be_made_again_and_written_down()
    {
        var left = _standIn.Add("bastion-home", Tag);
        await RunningAsync();
        _standIn.ShutDownFromInside(left.Id);

        await Reconciler().LookAsync(Today, default);
        Assert.Single(_standIn.Droplets);   // nothing to make it again from
        _standIn.AddSnapshot(Golden, Region);
        _peace = false;
        await Reconciler().LookAsync(Today, default);
        Assert.Single(_standIn.Droplets);   // somebody needs it
        _peace = true;
        await Reconciler().LookAsync(Today, default);

        Assert.Empty(_standIn.Droplets);
        Assert.Equal((InstanceState.Absent, false), (await _cloud.DescribeAsync(default) is var sight ? (sight.State, sight.StoppedByOwner) : default));
        Assert.Equal([$"machine {left.Id}", $"machine {left.Id}"], _database.Read(c => c.Sql("SELECT thing FROM reconciled ORDER BY seq").List(r => r.GetString(0))));
    }

    [Fact]
    public async Task Droplet_that_its_owner_switched_off_is_left_to_him_and_told_each_week_while_it_lasts()
    {
        _standIn.AddSnapshot(Golden, Region);
        var left = _standIn.Add("bastion-home", Tag);
        await RunningAsync();
        _standIn.Act(left.Id, "power_off");

        foreach (var day in (int[])[0, 1, 6, 7, 8])
        {
            await Reconciler().LookAsync(Today.AddDays(day), default);
        }

        Assert.Single(_standIn.Droplets);
        Assert.Equal(2, Texts().Count);
        Assert.All(Texts(), t => Assert.Contains($"machine {left.Id}", t, StringComparison.Ordinal));
        _standIn.Destroy(left.Id);
        await Reconciler().LookAsync(Today.AddDays(9), default);
        _standIn.AddVolume("data", 10, Tag);
        await Reconciler().LookAsync(Today.AddDays(10), default);
        Assert.Equal(3, Texts().Count);   // another story, so not next week
    }

    private async Task RunningAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while ((await _cloud.DescribeAsync(limit.Token)).State != InstanceState.Running)
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private CloudReconciler Reconciler() => new(
        _database, new Outbox(_database), _inventory, _cloud, TheSite, () => _peace, () => Today, TimeProvider.System, NullLogger<CloudReconciler>.Instance);

    private SiteOptions TheSite()
    {
        const string key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMIxtGteHzUaJWQpUo9A2kB6ASlg+Gce+0D5gAJ30df4";
        foreach (var secret in (string[])["tunnel", "token"])
        {
            File.WriteAllText(Path.Combine(_folder, secret), DigitalOceanStandIn.Token);
            File.SetUnixFileMode(Path.Combine(_folder, secret), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return SiteConfiguration.Parse($$"""
            site: home
            uplinks:
              primary: {interface: eth0}
              backup: {interface: eth1}
            bastion: {cloud: digitalocean, region: fra1, secret: token, key: {{Path.Combine(_folder, "tunnel")}}, host_keys: {{key}} }
            people:
              alice: {devices: {laptop: {{key}} } }
            secrets_directory: {{_folder}}
            """).OptionsOrThrow();
    }

    private List<string> Texts() => _database.Read(c => c.Sql("SELECT text FROM alerts ORDER BY seq").List(r => r.GetString(0)));
}
