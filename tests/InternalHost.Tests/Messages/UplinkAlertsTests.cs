using Common.Alerts;
using Common.Journal;
using InternalHost.Configuration;
using InternalHost.Messages;
using InternalHost.Tests.Configuration;
using InternalHost.Wan.Detection;
using Testing;

namespace InternalHost.Tests.Messages;

public sealed class UplinkAlertsTests : IDisposable
{
    private static readonly UplinkReport Primary = UplinkAlertRulesTests.Report(UplinkName.Primary, UplinkState.Up, Usable.Yes, Reasons.Answered);
    private static readonly UplinkReport Well = UplinkAlertRulesTests.Report(UplinkName.Backup, UplinkState.Up, Usable.Yes, Reasons.Answered);
    private static readonly UplinkReport Broken = UplinkAlertRulesTests.Report(UplinkName.Backup, UplinkState.Down, Usable.No, Reasons.Dark);

    private readonly FakeTime _time = new();
    private readonly Database _database = Database.Open(":memory:", Outbox.Migration, UplinkAlertMemory.Migration, Outbox.DetailsMigration);
    private readonly SiteFolder _folder = new();
    private readonly SiteOptions _site;
    private UplinkReport _backup = Well;
    private UplinkAlerts _alerts;

    public UplinkAlertsTests()
    {
        _site = _folder.Load(_folder.Good).OptionsOrThrow();
        _alerts = Start("boot one");
    }

    public void Dispose()
    {
        _alerts.Dispose();
        _database.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Broken_backup_goes_to_everybody_and_its_end_too()
    {
        _backup = Broken;
        Pass(TimeSpan.FromMinutes(11));
        _backup = Well;
        Pass(TimeSpan.FromMinutes(11));

        Assert.Equal(["backup-down to +15551230001", "backup-back to +15551230001"], Told());
    }

    [Theory]
    [InlineData("boot one")]
    [InlineData("boot two")]
    public void Restart_repeats_nothing_and_remembers_that_the_end_is_due(string boot)
    {
        _backup = Broken;
        Pass(TimeSpan.FromMinutes(11));

        Restart(boot);
        Pass(TimeSpan.FromHours(8));
        Assert.Single(Told());
        _backup = Well;
        Restart(boot);
        Pass(TimeSpan.FromMinutes(11));

        Assert.Equal(["backup-down to +15551230001", "backup-back to +15551230001"], Told());
    }

    [Theory]
    [InlineData("boot one", 5.5)]
    [InlineData("boot two", 6.1)]
    public void Six_hours_hold_across_a_restart_and_end(string boot, double hours)
    {
        _backup = Broken;
        Pass(TimeSpan.FromMinutes(11));
        _backup = Well;
        Pass(TimeSpan.FromMinutes(11));
        _backup = Broken;
        Pass(TimeSpan.FromMinutes(20));

        Restart(boot);
        Pass(TimeSpan.FromHours(5));
        Assert.Equal(2, Told().Count);
        Pass(TimeSpan.FromHours(hours - 5));

        Assert.Equal(3, Told().Count);
    }

    [Fact]
    public void Disk_that_takes_nothing_costs_no_text()
    {
        _database.Write(t => t.Sql("DROP TABLE uplink_told").Run());
        _backup = Broken;

        Pass(TimeSpan.FromMinutes(11));

        Assert.Single(Told());
    }

    private UplinkAlerts Start(string boot) => new(
        _database, new Outbox(_database), new UplinkAlertMemory(_database, boot), () => _site, () => Primary, () => _backup, () => false, () => _time.GetUtcNow(), _time);

    private void Restart(string boot)
    {
        _alerts.Dispose();
        _alerts = Start(boot);
    }

    private void Pass(TimeSpan span)
    {
        for (var left = span; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(30))
        {
            _alerts.Look();
            _time.Advance(TimeSpan.FromSeconds(30));
        }
    }

    private List<string> Told() => _database.Read(c => c.Sql("SELECT kind, recipient FROM alerts JOIN deliveries ON alert_id = id ORDER BY seq")
        .List(r => $"{r.GetString(0)} to {r.GetString(1)}"));
}
