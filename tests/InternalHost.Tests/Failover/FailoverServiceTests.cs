using System.Threading.Channels;
using Common.Journal;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Wan.Detection;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace InternalHost.Tests.Failover;

public sealed class FailoverServiceTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("failover");
    private readonly FakeTime _time = new();
    private readonly FailoverInbox _inbox;
    private Database _database;
    private RecordingEffects _effects;
    private FailoverService _service;

    public FailoverServiceTests()
    {
        _inbox = new FailoverInbox(_time);
        (_database, _effects, _service) = Make();
    }

    public Task InitializeAsync() => _service.StartAsync(default);

    public async Task DisposeAsync()
    {
        await _service.StopAsync(default);
        _service.Dispose();
        _database.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Down_is_journalled_before_the_start_is_asked()
    {
        await CutAsync();

        var start = await _effects.NextAsync<FailoverEffect.StartInstance>();

        Assert.Equal(1, start.Run);
        Assert.IsType<Phase.Starting>(_effects.JournalledWhenRun(_database)!.Phase);
    }

    [Fact]
    public async Task Restarted_service_asks_what_runs()
    {
        await CutAsync();
        await _effects.NextAsync<FailoverEffect.StartInstance>();
        await _service.StopAsync(default);
        _database.Dispose();
        (_database, _effects, _service) = Make();

        await _service.StartAsync(default);

        var describe = await _effects.NextAsync<FailoverEffect.DescribeInstance>();
        Assert.Equal(2, describe.Run);
    }

    [Fact]
    public async Task Unwritable_journal_still_starts_and_alerts_go_from_memory()
    {
        _database.Read(c => c.Sql("PRAGMA query_only=ON").Run());
        await CutAsync();
        var start = await _effects.NextAsync<FailoverEffect.StartInstance>();
        await _inbox.PostAsync(at => new FailoverEvent.StartFailed(at, start.Run, CloudFailure.Denied, "no"));
        await _inbox.PostAsync(at => new FailoverEvent.StartFailed(at, start.Run, CloudFailure.Denied, "no"));

        var alert = await _effects.NextAsync<FailoverEffect.RaiseAlert>();

        Assert.Equal(OutageAlert.Stuck, alert.Alert);
        Assert.Equal(1, _effects.FromMemory);
    }

    private async Task CutAsync()
    {
        await _inbox.PostAsync(at => new FailoverEvent.UplinkSeen(at, UplinkName.Backup, Usable.Yes));
        await _inbox.PostAsync(at => new FailoverEvent.UplinkSeen(at, UplinkName.Primary, Usable.No));
    }

    private (Database Database, RecordingEffects Effects, FailoverService Service) Make()
    {
        var database = Database.Open(Path.Combine(_folder.FullName, "state.db"), FailoverJournal.Migration);
        var effects = new RecordingEffects();
        var journal = new FailoverJournal(database, "boot", _time);
        return (database, effects, new FailoverService(_inbox, journal, effects, () => Story.Policy, _time, NullLogger<FailoverService>.Instance));
    }

    private sealed class RecordingEffects : IFailoverEffects
    {
        private readonly Channel<FailoverEffect> _ran = Channel.CreateUnbounded<FailoverEffect>();

        public int FromMemory { get; private set; }

        public async Task<T> NextAsync<T>()
            where T : FailoverEffect
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            while (true)
            {
                if (await _ran.Reader.ReadAsync(limit.Token) is T wanted)
                {
                    return wanted;
                }
            }
        }

        public FailoverState? JournalledWhenRun(Database database) => new FailoverJournal(database, "boot", new FakeTime()).Load();

        public void Run(FailoverEffect effect) => _ran.Writer.TryWrite(effect);

        public void AddAlert(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert) => _ran.Writer.TryWrite(alert);

        public void AddAlertInMemory(FailoverEffect.RaiseAlert alert)
        {
            FromMemory++;
            _ran.Writer.TryWrite(alert);
        }

        public void AlertsAdded()
        {
        }
    }
}
