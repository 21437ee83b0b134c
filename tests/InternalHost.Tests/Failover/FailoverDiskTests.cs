using Common.Journal;
using Common.Time;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Wan.Detection;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace InternalHost.Tests.Failover;

/// <summary>What is found on the disk after a kill or a power cut. The controller is turned by hand; each life has its own memory and the same file.</summary>
public sealed class FailoverDiskTests : IDisposable
{
    private static readonly TimeSpan TwentyMinutes = TimeSpan.FromMinutes(20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("disk");
    private readonly FakeTime _time = new();
    private readonly FailoverInbox _inbox;
    private readonly List<FailoverEffect.RaiseAlert> _raised = [];
    private readonly Database _database;
    private FailoverService _service;

    public FailoverDiskTests()
    {
        _inbox = new FailoverInbox(_time);
        _database = Database.Open(Path.Combine(_folder.FullName, "state.db"), FailoverJournal.Migration);
        _service = Live("boot-1");
    }

    public void Dispose()
    {
        _service.Dispose();
        _database.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void Order_that_the_disk_refused_is_written_later_and_survives_a_kill()
    {
        Tell(at => new FailoverEvent.UplinkSeen(at, UplinkName.Backup, Usable.Yes));
        Tell(at => new FailoverEvent.UplinkSeen(at, UplinkName.Primary, Usable.Yes));
        Refuse(true);
        Tell(at => new FailoverEvent.OperatorPaused(at, TimeSpan.FromHours(4), "works"));
        Refuse(false);
        _service = Killed("boot-1");
        Assert.False(_service.Snapshot.Orders.Paused(Now));

        Refuse(true);
        Tell(at => new FailoverEvent.OperatorPaused(at, TimeSpan.FromHours(4), "works"));
        Refuse(false);
        Tick(TimeSpan.FromSeconds(11));
        _service = Killed("boot-1");

        Assert.True(_service.Snapshot.Orders.Paused(Now));
    }

    [Fact]
    public void Disk_that_refuses_is_tried_again_now_and_then_and_not_at_each_event()
    {
        Refuse(true);
        Tell(at => new FailoverEvent.OperatorPaused(at, TimeSpan.FromHours(4), "works"));
        Refuse(false);

        Tick(TimeSpan.FromSeconds(1));
        Assert.Equal(0, Rows());

        Tick(TimeSpan.FromSeconds(10));
        Assert.Equal(1, Rows());

        Tick(TimeSpan.FromSeconds(20));
        Assert.Equal(1, Rows());
    }

    [Fact]
    public void Order_that_ran_out_does_not_come_back_after_a_power_cut_with_a_wrong_clock()
    {
        Func<Instant, FailoverEvent>[] orders =
        [
            at => new FailoverEvent.OperatorOpened(at, TwentyMinutes),
            at => new FailoverEvent.OperatorPaused(at, TwentyMinutes, "works"),
            at => new FailoverEvent.OperatorClosed(at),
        ];
        foreach (var order in orders)
        {
            Tell(order);
            Tick(TimeSpan.FromMinutes(61));
            _time.StepWallClock(TimeSpan.FromDays(-20_000));
            _service = Killed("boot-2");

            Assert.Equal(new Orders(), _service.Snapshot.Orders);
            _time.StepWallClock(TimeSpan.FromDays(20_000));
            _service = Killed("boot-1");
        }
    }

    [Fact]
    public async Task Order_is_answered_when_it_is_on_disk()
    {
        var answer = _inbox.OrderAsync(at => new FailoverEvent.OperatorOpened(at, TwentyMinutes), default);
        Assert.False(answer.IsCompleted);

        TurnAll();

        Assert.Null(await answer.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.True(Journal("boot-1").Load()!.Orders.Open(Now));
    }

    [Fact]
    public async Task Order_that_the_disk_refuses_is_in_force_and_answered_with_the_reason()
    {
        Refuse(true);
        var answer = _inbox.OrderAsync(at => new FailoverEvent.OperatorOpened(at, TwentyMinutes), default);

        TurnAll();

        Assert.Contains("cannot be written", await answer.WaitAsync(TimeSpan.FromSeconds(20)), StringComparison.Ordinal);
        Assert.True(_service.Snapshot.Orders.Open(Now));
        Refuse(false);
    }

    /// <summary>The outbox may have kept the first outage's text, and would take the second one's for the same.</summary>
    [Fact]
    public void Outage_after_one_that_the_disk_did_not_keep_is_told_under_another_id()
    {
        Refuse(true);
        Tell(at => new FailoverEvent.OperatorOpened(at, TwentyMinutes));
        var lost = Serve();
        Refuse(false);
        _service = Killed("boot-1");
        Assert.Null(_service.Snapshot.Outage);

        Tell(at => new FailoverEvent.OperatorOpened(at, TwentyMinutes));
        var told = Serve();

        Assert.Equal((1, 1), (lost.Outage.Number, told.Outage.Number));
        Assert.NotEqual(lost.Id, told.Id);
    }

    /// <summary>Until its owner is told.</summary>
    private FailoverEffect.RaiseAlert Serve()
    {
        Tell(at => new FailoverEvent.InstanceSeen(at, _service.Snapshot.Run, new InstanceSight("i-1", InstanceState.Running, [Story.A])));
        Tell(at => new FailoverEvent.TunnelVerified(at, _service.Snapshot.Run));
        return _raised[^1];
    }

    private Instant Now => Instant.Now(_time);

    private void Tell(Func<Instant, FailoverEvent> ev)
    {
        Assert.True(_inbox.TryPost(ev));
        TurnAll();
    }

    private void Tick(TimeSpan after)
    {
        _time.Advance(after);
        Tell(at => new FailoverEvent.Tick(at));
    }

    private void TurnAll()
    {
        while (_inbox.TryRead(out var told))
        {
            _service.Turn(told);
        }
    }

    private void Refuse(bool refuse) => _database.Read(c => c.Sql($"PRAGMA query_only={(refuse ? "ON" : "OFF")}").Run());

    private int Rows() => _database.Read(c => c.Sql("SELECT seq FROM failover").List(r => r.GetInt64(0))).Count;

    private FailoverJournal Journal(string boot) => new(_database, boot, _time);

    private FailoverService Live(string boot) =>
        new(_inbox, Journal(boot), new NoEffects(_raised), () => Story.Policy, _time, NullLogger<FailoverService>.Instance);

    private FailoverService Killed(string boot)
    {
        _service.Dispose();
        _service = Live(boot);
        _service.Recover();
        return _service;
    }

    private sealed class NoEffects(List<FailoverEffect.RaiseAlert> raised) : IFailoverEffects
    {
        public void Run(FailoverEffect effect)
        {
        }

        public void AddAlert(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert) => raised.Add(alert);

        public void AddAlertInMemory(FailoverEffect.RaiseAlert alert) => raised.Add(alert);

        public void AlertsAdded()
        {
        }
    }
}
