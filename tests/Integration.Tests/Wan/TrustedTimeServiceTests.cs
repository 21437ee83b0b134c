using System.Collections.Immutable;
using System.Net;
using Common.Journal;
using InternalHost.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Clock;
using InternalHost.Wan.Detection;
using Lab.World;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Integration.Tests.Wan;

public sealed class TrustedTimeServiceTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Real = new(2027, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Build = TrustedTime.BuildDate;
    private static int s_net = 100;

    private readonly int _net = Interlocked.Increment(ref s_net);
    private readonly WallClock _world = new();
    private readonly FakeTime _time = new();
    private readonly Database _database = Database.Open(":memory:", TimeJournal.Migration);
    private readonly UplinkMeter _meter = new();
    private readonly SntpServer[] _servers;

    public TrustedTimeServiceTests()
    {
        _world.SetTo(Real);
        _servers = [.. Enumerable.Range(1, 3).Select(i => SntpServer.Start(new IPEndPoint(At(120 + i), 0), _world))];
    }

    private IPAddress At(int host) => new([127, (byte)_net, 0, (byte)host]);

    private UplinkOptions Uplink(UplinkName name, int host) => new(name, "lo", At(host));

    private SntpClient Client(TimeProvider time) => new([.. _servers.Select(s => s.EndPoint)], _meter, time);

    private Task<(DateTimeOffset Wall, Common.Time.Instant At)?> AskAsync() =>
        Client(TimeProvider.System).AskAsync(Uplink(UplinkName.Backup, 2), Build, default);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        _database.Dispose();
    }

    [Fact]
    public async Task Two_servers_and_a_liar_give_the_time_by_the_uplinks_address()
    {
        _servers[0].Offset = TimeSpan.FromDays(-400);

        var answer = await AskAsync();

        Assert.InRange(answer!.Value.Wall, Real, Real.AddMinutes(2));
        Assert.All(_servers, s => Assert.Contains(At(2), s.Seen));
        Assert.True(_meter.Read(UplinkName.Backup).Received >= 2 * SntpMessage.Length);
    }

    [Fact]
    public async Task One_silent_server_does_not_matter()
    {
        _servers[1].Silent = true;

        Assert.InRange((await AskAsync())!.Value.Wall, Real, Real.AddMinutes(2));
    }

    [Fact]
    public async Task Two_different_lies_and_one_truth_give_nothing()
    {
        _servers[0].Offset = TimeSpan.FromDays(-400);
        _servers[1].Offset = TimeSpan.FromDays(400);

        Assert.Null(await AskAsync());
    }

    [Fact]
    public async Task Servers_that_know_nothing_have_no_vote()
    {
        _servers[0].Unsynchronised = true;
        _servers[1].KissOfDeath = true;
        _servers[2].WrongOriginate = true;

        Assert.Null(await AskAsync());
    }

    [Fact]
    public async Task Lost_request_is_sent_again()
    {
        _servers[0].Silent = true;
        _servers[1].Loses = _servers[2].Loses = 1;

        Assert.NotNull(await AskAsync());
    }

    [Fact]
    public async Task Floor_becomes_true_time_by_the_uplink_that_works_and_is_written_down()
    {
        var trusted = new TrustedTime(new FakeKernel(), _time, lastKnown: null, Build);
        var journal = new TimeJournal(_database);
        using var service = Service(trusted, journal, [Uplink(UplinkName.Primary, 1) with { Interface = "ppp9" }, Uplink(UplinkName.Backup, 2)]);

        await service.StepAsync(default);

        Assert.Equal(TimeSource.Sntp, trusted.Source);
        Assert.InRange(journal.Read()!.Value, Real, Real.AddMinutes(2));
    }

    [Fact]
    public async Task Time_is_written_once_an_hour()
    {
        var trusted = new TrustedTime(new FakeKernel(), _time, lastKnown: null, Build);
        var journal = new TimeJournal(_database);
        using var service = Service(trusted, journal, [Uplink(UplinkName.Backup, 2)]);
        await service.StepAsync(default);
        var first = journal.Read();

        _time.Advance(TimeSpan.FromMinutes(59));
        await service.StepAsync(default);
        Assert.Equal(first, journal.Read());
        _time.Advance(TimeSpan.FromMinutes(1));
        await service.StepAsync(default);

        Assert.Equal(first + TimeSpan.FromHours(1), journal.Read());
    }

    [Fact]
    public async Task Synchronised_kernel_asks_nobody()
    {
        _time.StepWallClock(Real - _time.GetUtcNow());
        var trusted = new TrustedTime(new FakeKernel { IsSynchronised = true }, _time, lastKnown: null, Build);
        using var service = Service(trusted, new TimeJournal(_database), [Uplink(UplinkName.Backup, 2)]);

        await service.StepAsync(default);

        Assert.All(_servers, s => Assert.Empty(s.Seen));
        Assert.Equal(Real, new TimeJournal(_database).Read());
    }

    [Fact]
    public async Task Mere_floor_is_not_written_and_nobody_is_pestered()
    {
        var trusted = new TrustedTime(new FakeKernel(), _time, lastKnown: null, Build);
        var journal = new TimeJournal(_database);
        var asked = 0;
        using var service = Service(trusted, journal, () =>
        {
            asked++;
            return [];
        });

        for (var i = 0; i < 360; i++)   // an hour at one step each ten seconds
        {
            await service.StepAsync(default);
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Null(journal.Read());
        Assert.InRange(asked, 5, 15);
    }

    private TrustedTimeService Service(TrustedTime trusted, TimeJournal journal, ImmutableArray<UplinkOptions> route) =>
        Service(trusted, journal, () => route);

    private TrustedTimeService Service(TrustedTime trusted, TimeJournal journal, Func<ImmutableArray<UplinkOptions>> route) =>
        new(trusted, Client(_time), journal, route, _time, NullLogger<TrustedTimeService>.Instance);
}
