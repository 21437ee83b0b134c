using System.Net;
using Integration.Tests.Wan;
using InternalHost.Cloud;
using InternalHost.Cloud.Ec2;
using InternalHost.Wan.Clock;
using Lab.Clouds;
using static InternalHost.Cloud.CloudFailure;

namespace Integration.Tests.Cloud.Ec2;

/// <summary>Keys, clocks, names and whoever stands in the way: each with its own kind and words.</summary>
public sealed class Ec2ReachTests : IAsyncLifetime
{
    private Ec2StandIn _ec2 = null!;
    private Ec2Desk _desk = null!;

    public async Task InitializeAsync()
    {
        _ec2 = await Ec2StandIn.StartAsync();
        _ec2.Make("home");
        _desk = new Ec2Desk(_ec2.Url, Ec2StandIn.KeyId, Ec2StandIn.Secret);
    }

    public async Task DisposeAsync()
    {
        _desk.Dispose();
        await _ec2.DisposeAsync();
    }

    [Theory]
    [InlineData("AKIANOBODYNOBODYNOB0", Ec2StandIn.Secret)]
    [InlineData(Ec2StandIn.KeyId, "another secret")]
    public async Task Wrong_key_is_denied_and_a_replaced_one_needs_no_restart(string keyId, string secret)
    {
        _desk.Key(keyId, secret);

        var e = await FailsAsync();
        Assert.Equal(Denied, e.Failure);
        Assert.Contains("AWS does not take our key", e.Message);
        Assert.DoesNotContain(secret, e.ToString());

        _desk.Key(Ec2StandIn.KeyId, Ec2StandIn.Secret);
        File.SetLastWriteTimeUtc(_desk.SecretFile, DateTime.UnixEpoch);
        await SeesAsync();
    }

    [Theory]
    [InlineData("[other]\naws_access_key_id = x\naws_secret_access_key = y\n", "no usable profile [default]")]
    [InlineData("my secret words", "no usable profile [default]")]
    [InlineData(null, "aws")]
    public async Task File_without_a_key_is_said_to_be_one(string? content, string why)
    {
        File.Delete(_desk.SecretFile);
        if (content is not null)
        {
            _desk.Credentials(content);
        }

        var e = await FailsAsync();

        Assert.Equal(Denied, e.Failure);
        Assert.Contains("no AWS credential that can be used", e.Message);
        Assert.Contains(why, e.Message);
        Assert.DoesNotContain("secret words", e.Message);
        Assert.Empty(_ec2.Requests);
    }

    [Fact]
    public async Task Role_is_assumed_by_our_own_way_and_its_session_used()
    {
        _desk.Credentials($"""
            [default]
            role_arn = arn:aws:iam::123456789012:role/internalhost
            source_profile = own
            [own]
            aws_access_key_id = {Ec2StandIn.KeyId}
            aws_secret_access_key = {Ec2StandIn.Secret}
            """);

        await SeesAsync();
        await SeesAsync();

        Assert.Equal(["AssumeRole", "DescribeInstances", "DescribeInstances"], _ec2.Requests.Select(r => r.Action));
    }

    /// <summary>Each at an address of its own: the SDK remembers what it has learnt of a server's clock for as long as the process lives.</summary>
    [Theory]
    [InlineData(1, -56 * 365)]   // ours in 2026, theirs in 1970: as if our clock were in 2082
    [InlineData(2, 12 * 365)]    // theirs in 2038: as if our clock had lost twelve years
    [InlineData(3, 2)]
    public async Task Clock_that_is_wrong_by_years_signs_again_with_the_servers(byte host, int days)
    {
        await using var elsewhere = await Ec2StandIn.StartAsync(new IPEndPoint(new IPAddress([127, 87, 0, host]), 0));
        elsewhere.Make("home");
        elsewhere.Behaviour = new Ec2Behaviour { ClockError = TimeSpan.FromDays(days) };
        var cloud = _desk.Cloud("home", by: _desk.Transport(elsewhere.Url));

        await cloud.DescribeAsync(_desk.Soon);
        Assert.Equal(InstanceState.Stopped, (await cloud.DescribeAsync(_desk.Soon)).State);

        Assert.Equal(["RequestExpired", null, null], elsewhere.Requests.Select(r => r.Error));
    }

    [Fact]
    public async Task Clock_that_cannot_be_corrected_is_said_to_be_wrong()
    {
        _ec2.Behaviour = new Ec2Behaviour { ClockError = TimeSpan.FromDays(2), HidesItsClock = true };

        var e = await FailsAsync();

        Assert.Equal(Transient, e.Failure);
        Assert.Contains("timedatectl", e.Message);
    }

    [Theory]
    [InlineData(200, null)]
    [InlineData(302, "http://portal.example/")]
    [InlineData(511, null)]
    public async Task Portal_in_the_way_is_told_apart(int status, string? location)
    {
        _ec2.Trouble("DescribeInstances", new CloudTrouble.Page(status, location));

        var e = await FailsAsync();

        Assert.Equal(Unreachable, e.Failure);
        Assert.Contains("a portal", e.Message);
        await SeesAsync();
    }

    [Fact]
    public async Task Balancer_that_answers_for_ec2_is_a_bad_moment()
    {
        _ec2.Trouble("DescribeInstances", new CloudTrouble.Page(503), new CloudTrouble.Page(502));

        await SeesAsync();
    }

    [Fact]
    public async Task Refused_connection_is_unreachable_at_once_and_the_next_call_finds_it_again()
    {
        await _ec2.GoDownAsync();

        var e = await FailsAsync();
        Assert.Equal(Unreachable, e.Failure);
        Assert.Contains("cannot be reached by this uplink", e.Message);

        await _ec2.GoUpAsync();
        await SeesAsync();
    }

    [Fact]
    public async Task Dead_names_are_unreachable()
    {
        await using var world = await HttpWorld.StartAsync(83);
        var nobody = new IPEndPoint(world.At(54), 9);

        var e = await FailsAsync(_desk.Transport(new Uri("https://ec2.lab.test:4443/"), world.Clock, world.Resolver(nobody)));

        Assert.Equal(Unreachable, e.Failure);
        Assert.Contains("ec2.lab.test", e.Message);
    }

    [Fact]
    public async Task Certificate_of_somebody_else_is_unreachable_and_nothing_is_sent()
    {
        await using var world = await HttpWorld.StartAsync(84, _ec2.AnswerAsync);

        var e = await FailsAsync(_desk.Transport(world.Url, world.Clock, world.Resolver()));

        Assert.Equal(Unreachable, e.Failure);
        Assert.Empty(_ec2.Requests);
    }

    [Theory]
    [InlineData(1970)]
    [InlineData(2038)]
    public async Task Wall_clock_in_another_time_keeps_nobody_from_the_cloud(int year)
    {
        await using var world = await HttpWorld.StartAsync(year == 1970 ? 85 : 86, _ec2.AnswerAsync);
        var now = TimeProvider.System.GetUtcNow();
        world.Kernel.IsSynchronised = false;
        world.Wall.SetTo(new DateTimeOffset(year, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var trusted = new TrustedTime(world.Kernel, world.Wall, lastKnown: now - TimeSpan.FromDays(30), now - TimeSpan.FromDays(60));

        var sight = await _desk.Cloud("home", by: _desk.Transport(world.Url, trusted, world.Resolver(), world.CaFile)).DescribeAsync(_desk.Soon);

        Assert.Equal(InstanceState.Stopped, sight.State);
    }

    private async Task<CloudException> FailsAsync(IEc2Transport? by = null) =>
        await Assert.ThrowsAsync<CloudException>(() => _desk.Cloud("home", by: by).DescribeAsync(_desk.Soon));

    private async Task SeesAsync() => Assert.Equal(InstanceState.Stopped, (await _desk.Cloud("home").DescribeAsync(_desk.Soon)).State);
}
