using System.Net;
using System.Security.Cryptography.X509Certificates;
using InternalHost.Wan.Clock;
using Lab.World;

namespace Integration.Tests.Wan;

/// <summary>Real handshakes; the machine's own clock says neither 1970, 2016 nor 2038, which is the point.</summary>
public sealed class ServerTrustTests
{
    private static readonly DateTimeOffset Build = Day(2026, 6, 1);

    private static DateTimeOffset Day(int year, int month, int day) => new(year, month, day, 0, 0, 0, TimeSpan.Zero);

    private static async Task<HttpWorld> StartAsync(int net, DateTimeOffset from, DateTimeOffset until, string name = HttpWorld.Name)
    {
        var authority = LabAuthority.Create();
        return await HttpWorld.StartAsync(net, authority: authority, certificate: authority.Issue(from, until, name));
    }

    private static async Task<bool> AcceptsAsync(HttpWorld world)
    {
        try
        {
            using var answer = await world.Client().GetAsync(world.Url);
            return true;
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            return false;
        }
    }

    [Fact]
    public async Task Certificate_valid_by_trusted_time_only_is_accepted()
    {
        await using var world = await StartAsync(91, Day(2015, 1, 1), Day(2016, 1, 1));
        world.Wall.SetTo(Day(2015, 7, 1));

        Assert.True(await AcceptsAsync(world));
    }

    [Fact]
    public async Task Certificate_valid_by_the_machines_clock_only_is_refused()
    {
        await using var world = await StartAsync(92, Day(2020, 1, 1), Day(2037, 1, 1));
        world.Wall.SetTo(Day(2038, 1, 19));

        Assert.False(await AcceptsAsync(world));
    }

    [Theory]
    [InlineData(1970)]
    [InlineData(2038)]
    public async Task Wall_clock_wrong_by_decades_keeps_nothing_from_working(int year)
    {
        await using var world = await StartAsync(93, Day(2025, 1, 1), Day(2028, 1, 1));
        world.Kernel.IsSynchronised = false;
        world.Wall.SetTo(Day(year, 1, 2));
        world.Clock = new TrustedTime(world.Kernel, world.Wall, lastKnown: null, Build);

        Assert.True(await AcceptsAsync(world));
    }

    [Fact]
    public async Task Certificate_younger_than_a_mere_floor_is_accepted_and_the_servers_date_taken()
    {
        await using var world = await StartAsync(94, Build.AddDays(20), Build.AddDays(2000));
        world.Clock = new TrustedTime(new FakeKernel(), world.Wall, lastKnown: null, Build);

        Assert.True(await AcceptsAsync(world));
        Assert.Equal(TimeSource.Server, world.Clock.Source);
        Assert.InRange(world.Clock.Now, world.Wall.GetUtcNow().AddMinutes(-1), world.Wall.GetUtcNow().AddMinutes(1));
    }

    [Fact]
    public async Task Certificate_younger_than_a_confirmed_time_is_refused()
    {
        await using var world = await StartAsync(95, Build.AddDays(20), Build.AddDays(2000));
        world.Wall.SetTo(Build);

        Assert.False(await AcceptsAsync(world));
    }

    [Theory]
    [InlineData(96, "other.lab.test", 20, 2000)]   // another name
    [InlineData(97, HttpWorld.Name, -20, -1)]      // expired before the floor
    public async Task Floor_excuses_nothing_else(int net, string name, int fromDays, int untilDays)
    {
        await using var world = await StartAsync(net, Build.AddDays(fromDays), Build.AddDays(untilDays), name);
        world.Clock = new TrustedTime(new FakeKernel(), world.Wall, lastKnown: null, Build);

        Assert.False(await AcceptsAsync(world));
    }

    [Fact]
    public async Task Floor_does_not_excuse_a_strangers_certificate()
    {
        using var stranger = LabAuthority.Create("Somebody else");
        await using var world = await HttpWorld.StartAsync(98, certificate: stranger.Issue(Build.AddDays(20), Build.AddDays(2000), HttpWorld.Name));
        world.Clock = new TrustedTime(new FakeKernel(), world.Wall, lastKnown: null, Build);

        Assert.False(await AcceptsAsync(world));
    }

    [Fact]
    public async Task Private_root_is_not_trusted_without_its_file()
    {
        await using var world = await HttpWorld.StartAsync(99);
        using var client = world.Http().CreateClient();

        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(world.Url));
    }

    [Fact]
    public async Task Missing_issuer_is_never_fetched()
    {
        using var root = LabAuthority.Create();
        var fetched = 0;
        await using var aia = await TlsServer.StartAsync(new IPEndPoint(IPAddress.Parse("127.100.0.70"), 0), certificate: null, async context =>
        {
            Interlocked.Increment(ref fetched);
            await context.Response.Body.WriteAsync(root.Root.RawData);
        });
        using var intermediate = root.CreateIntermediate(issuerUrl: $"http://{aia.EndPoint}/issuer.crt");
        using var leaf = intermediate.Issue(HttpWorld.Name);
        await using var world = await HttpWorld.StartAsync(100, authority: root, certificate: leaf);

        Assert.False(await AcceptsAsync(world));
        Assert.Equal(0, fetched);

        // The platform does fetch it where it is not told otherwise: so the zero above means something.
        using var chain = new X509Chain { ChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck } };
        chain.Build(leaf.Certificate);
        Assert.NotEqual(0, fetched);
    }
}
