using InternalHost.Cloud;
using InternalHost.Cloud.DigitalOcean;
using Lab.Clouds;
using Microsoft.Extensions.Logging.Abstractions;

namespace Integration.Tests.Cloud.DigitalOcean;

/// <summary>The adapter and the real client against the stand-in, by real sockets.</summary>
public sealed class DropletCloudTests : IAsyncLifetime
{
    private const string Site = "home";
    private const string Region = "fra1";
    private const string Tag = "bastion:site:home";
    private const string Create = "POST droplets";
    private static readonly string[] Sizes = ["s-1vcpu-512mb-10gb", "s-1vcpu-1gb"];

    private readonly string _folder = Directory.CreateTempSubdirectory("do-").FullName;
    private DigitalOceanStandIn _standIn = null!;
    private DigitalOceanHttp _http = null!;
    private DropletCloud _cloud = null!;

    private string TokenFile => Path.Combine(_folder, "token");

    public async Task InitializeAsync()
    {
        _standIn = await DigitalOceanStandIn.StartAsync();
        await File.WriteAllTextAsync(TokenFile, DigitalOceanStandIn.Token + "\n");
        _http = new DigitalOceanHttp(_standIn.BaseUrl, TokenFile, new SocketsHttpHandler { AllowAutoRedirect = false }, TimeProvider.System);
        _cloud = Cloud();
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _standIn.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Starts_out_of_the_newest_golden_snapshot_of_its_region_and_destroys_it_at_the_end()
    {
        _standIn.AddSnapshot("bastion-home.golden.1", Region);
        var newest = _standIn.AddSnapshot("bastion-home.golden.2", "ams3", Region);
        _standIn.AddSnapshot("bastion-home.golden.3", "nyc1");
        _standIn.AddSnapshot("bastion-home2.golden.4", Region);
        Assert.Equal(InstanceSight.Absent, await _cloud.DescribeAsync(default));

        await _cloud.StartAsync(default);
        var running = await UntilAsync(InstanceState.Running);

        var droplet = Assert.Single(_standIn.Droplets);
        Assert.Equal(($"{newest}", Region, Sizes[0], "bastion-home"), (droplet.Image, droplet.Region, droplet.Size, droplet.Name));
        Assert.Equal([$"{droplet.V4}", $"{droplet.V6}"], running.Addresses.Select(a => $"{a}"));
        Assert.Equal($"{droplet.Id}", running.Id);

        await _cloud.StartAsync(default);
        Assert.Single(_standIn.Droplets);

        await _cloud.StopAsync(default);
        Assert.Empty(_standIn.Droplets);
        Assert.Equal(InstanceSight.Absent, await _cloud.DescribeAsync(default));
        await _cloud.StopAsync(default);
    }

    [Fact]
    public async Task Nothing_to_start_from_is_told_with_the_name_that_is_looked_for()
    {
        var e = await Assert.ThrowsAsync<CloudException>(() => _cloud.StartAsync(default));

        Assert.Equal(CloudFailure.NotFound, e.Failure);
        Assert.Contains("bastion-home.golden.", e.Message);
        Assert.Contains(Region, e.Message);
    }

    [Fact]
    public async Task Without_a_snapshot_to_come_back_from_it_is_shut_down_and_not_destroyed()
    {
        var droplet = _standIn.Add("bastion-home", Tag);

        await _cloud.StopAsync(default);

        Assert.Equal("off", Assert.Single(_standIn.Droplets).Status);
        var sight = await _cloud.DescribeAsync(default);
        Assert.Equal((InstanceState.Stopped, false, $"{droplet.Id}"), (sight.State, sight.StoppedByOwner, sight.Id));

        await _cloud.StartAsync(default);
        Assert.Equal("active", Assert.Single(_standIn.Droplets).Status);

        _standIn.Act(droplet.Id, "power_off");
        Assert.Equal((InstanceState.Stopped, true), Kind(await _cloud.DescribeAsync(default)));
    }

    [Theory]
    [InlineData(typeof(CloudTrouble.LoseReply))]
    [InlineData(typeof(CloudTrouble.HalfReply))]
    public async Task Create_whose_reply_is_lost_is_never_doubled_though_the_list_lags(Type trouble)
    {
        _standIn.AddSnapshot("bastion-home.golden.1", Region);
        _standIn.Behaviour = new DropletBehaviour { ListLag = TimeSpan.FromSeconds(5) };
        _standIn.Trouble(Create, (CloudTrouble)Activator.CreateInstance(trouble)!);

        var e = await Assert.ThrowsAsync<CloudException>(() => _cloud.StartAsync(default));
        Assert.Equal(CloudFailure.LostReply, e.Failure);
        Assert.Equal(InstanceState.Absent, (await _cloud.DescribeAsync(default)).State);
        await _cloud.StartAsync(default);

        Assert.Equal(1, _standIn.Count(Create));
        Assert.Single(_standIn.Droplets);
        Assert.Equal(InstanceState.Running, (await UntilAsync(InstanceState.Running)).State);
    }

    [Fact]
    public async Task Create_that_never_arrived_is_asked_again_after_the_list_had_its_time()
    {
        _standIn.AddSnapshot("bastion-home.golden.1", Region);
        _standIn.Trouble(Create, new CloudTrouble.LoseRequest());

        await Assert.ThrowsAsync<CloudException>(() => _cloud.StartAsync(default));
        await _cloud.StartAsync(default);

        Assert.Equal(2, _standIn.Count(Create));
        Assert.Single(_standIn.Droplets);
    }

    [Fact]
    public async Task No_room_for_a_size_takes_the_next_and_none_at_all_is_told()
    {
        _standIn.AddSnapshot("bastion-home.golden.1", Region);
        _standIn.Behaviour = new DropletBehaviour { NoRoomFor = [Sizes[0]] };
        await _cloud.StartAsync(default);
        Assert.Equal(Sizes[1], Assert.Single(_standIn.Droplets).Size);

        await _cloud.StopAsync(default);
        _standIn.Behaviour = new DropletBehaviour { NoRoomFor = [.. Sizes] };
        Assert.Equal(CloudFailure.Capacity, (await Assert.ThrowsAsync<CloudException>(() => _cloud.StartAsync(default))).Failure);
    }

    [Theory]
    [InlineData("power_off")]
    [InlineData("shutdown")]
    public async Task Switched_off_in_the_app_is_the_owners_and_from_inside_it_is_not(string type)
    {
        var droplet = _standIn.Add("bastion-home", Tag);
        await UntilAsync(InstanceState.Running);

        _standIn.ShutDownFromInside(droplet.Id);
        Assert.Equal((InstanceState.Stopped, false), Kind(await _cloud.DescribeAsync(default)));

        _standIn.Act(droplet.Id, "power_on");
        _standIn.Act(droplet.Id, type);
        Assert.Equal((InstanceState.Stopped, true), Kind(await _cloud.DescribeAsync(default)));
    }

    [Fact]
    public async Task Destroyed_in_the_app_is_the_owners_and_what_the_list_leaves_out_is_still_there()
    {
        _standIn.AddSnapshot("bastion-home.golden.1", Region);
        _standIn.Behaviour = new DropletBehaviour { ListLag = TimeSpan.FromMinutes(10) };
        await _cloud.StartAsync(default);
        var running = await UntilAsync(InstanceState.Running);
        await _cloud.StartAsync(default);
        Assert.Equal(1, _standIn.Count(Create));

        _standIn.Destroy(long.Parse(running.Id!, null));
        Assert.Equal((InstanceState.Absent, true), Kind(await _cloud.DescribeAsync(default)));
    }

    [Fact]
    public async Task Of_several_with_the_tag_the_oldest_that_runs_is_used_and_no_other_is_made()
    {
        var off = _standIn.Add("bastion-home", Tag);
        _standIn.ShutDownFromInside(off.Id);
        var first = _standIn.Add("bastion-home", Tag);
        _standIn.Add("bastion-home", Tag);
        _standIn.Add("bastion-other", "bastion:site:other");

        Assert.Equal($"{first.Id}", (await UntilAsync(InstanceState.Running)).Id);
        await _cloud.StartAsync(default);
        Assert.Equal(4, _standIn.Droplets.Length);
    }

    [Fact]
    public async Task Lists_are_read_to_their_last_page_and_never_from_another_host()
    {
        _standIn.Behaviour = new DropletBehaviour { PageSize = 1 };
        for (var n = 0; n < 5; n++)
        {
            _standIn.ShutDownFromInside(_standIn.Add("bastion-home", Tag).Id);
        }

        var last = _standIn.Add("bastion-home", Tag);

        Assert.Equal($"{last.Id}", (await UntilAsync(InstanceState.Running)).Id);
    }

    [Theory]
    [InlineData(401, "unauthorized", CloudFailure.Denied, "bastion.secret")]
    [InlineData(403, "forbidden", CloudFailure.Denied, "scopes")]
    [InlineData(422, "unprocessable_entity", CloudFailure.Unknown, "refused by the lab")]
    [InlineData(429, "too_many_requests", CloudFailure.Transient, "slow down")]
    [InlineData(500, "server_error", CloudFailure.Transient, "bad moment")]
    public async Task An_error_says_what_it_is_and_what_to_do(int status, string id, CloudFailure failure, string words)
    {
        _standIn.AddSnapshot("bastion-home.golden.1", Region);
        _standIn.Trouble(Create, [.. Enumerable.Repeat(new CloudTrouble.Error(id, status), 3)]);

        var e = await Assert.ThrowsAsync<CloudException>(() => _cloud.StartAsync(default));

        Assert.Equal(failure, e.Failure);
        Assert.Contains(words, e.Message);
        Assert.Contains("request ", e.Message);
        Assert.DoesNotContain(DigitalOceanStandIn.Token, e.ToString());
        Assert.Empty(_standIn.Droplets);
    }

    [Fact]
    public async Task Asked_to_slow_down_it_waits_as_it_was_asked()
    {
        _standIn.AddSnapshot("bastion-home.golden.1", Region);
        _standIn.Trouble(Create, new CloudTrouble.Error("too_many_requests", 429, "slow", TimeSpan.FromSeconds(1)));

        await _cloud.StartAsync(default);

        Assert.Equal(2, _standIn.Count(Create));
        Assert.Single(_standIn.Droplets);
    }

    [Fact]
    public async Task Asked_to_wait_for_an_hour_it_says_so_at_once()
    {
        _standIn.Trouble("GET droplets", new CloudTrouble.Error("too_many_requests", 429, "slow", TimeSpan.FromHours(1)));

        Assert.Equal(CloudFailure.Transient, (await Assert.ThrowsAsync<CloudException>(() => _cloud.DescribeAsync(default))).Failure);
        Assert.Equal(1, _standIn.Count("GET droplets"));
    }

    [Fact]
    public async Task Destroying_whose_reply_is_lost_is_asked_again_and_what_is_gone_is_gone()
    {
        _standIn.AddSnapshot("bastion-home.golden.1", Region);
        _standIn.Add("bastion-home", Tag);
        await UntilAsync(InstanceState.Running);
        _standIn.Trouble("DELETE droplets/ID", new CloudTrouble.LoseReply());

        await _cloud.StopAsync(default);

        Assert.Equal(2, _standIn.Count("DELETE droplets/ID"));
        Assert.Equal((InstanceState.Absent, false), Kind(await _cloud.DescribeAsync(default)));
    }

    [Theory]
    [InlineData(200, null)]
    [InlineData(302, "http://portal.invalid/login")]
    [InlineData(403, null)]
    public async Task A_portal_on_the_way_is_told_as_one(int status, string? location)
    {
        _standIn.Trouble("GET droplets", new CloudTrouble.Page(status, location));

        var e = await Assert.ThrowsAsync<CloudException>(() => _cloud.DescribeAsync(default));

        Assert.Equal(CloudFailure.Unreachable, e.Failure);
        Assert.Contains("portal", e.Message);
    }

    [Fact]
    public async Task Nobody_there_is_unreachable_and_a_token_that_is_not_there_is_told()
    {
        await _standIn.GoDownAsync();
        Assert.Equal(CloudFailure.Unreachable, (await Assert.ThrowsAsync<CloudException>(() => _cloud.DescribeAsync(default))).Failure);

        await _standIn.GoUpAsync();
        File.Delete(TokenFile);
        var e = await Assert.ThrowsAsync<CloudException>(() => _cloud.DescribeAsync(default));
        Assert.Equal(CloudFailure.Denied, e.Failure);
        Assert.Contains("bastion.secret", e.Message);

        await File.WriteAllTextAsync(TokenFile, DigitalOceanStandIn.Token);
        Assert.Equal(InstanceSight.Absent, await _cloud.DescribeAsync(default));
    }

    private static (InstanceState, bool) Kind(InstanceSight sight) => (sight.State, sight.StoppedByOwner);

    private DropletCloud Cloud() => new(new DigitalOceanClient(_http), Site, Region, [.. Sizes], TimeProvider.System, NullLogger<DropletCloud>.Instance);

    private async Task<InstanceSight> UntilAsync(InstanceState state)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (await _cloud.DescribeAsync(limit.Token) is { } sight && sight.State == state && !(state == InstanceState.Running && sight.Addresses.IsEmpty))
            {
                return sight;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), limit.Token);
        }
    }
}
