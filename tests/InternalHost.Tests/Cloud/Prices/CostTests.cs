using System.Text.Json;
using Common.Alerts;
using Common.Journal;
using Common.Time;
using InternalHost.Cli;
using InternalHost.Cloud.Prices;
using InternalHost.Configuration;
using InternalHost.Failover;
using InternalHost.Messages;
using InternalHost.Running;
using InternalHost.Tests.Configuration;
using InternalHost.Tests.Failover;
using Testing;

namespace InternalHost.Tests.Cloud.Prices;

public sealed class CostTests : IDisposable
{
    private readonly SiteFolder _folder = new();
    private readonly FakeTime _time = new();
    private readonly Database _database = StateFile.OpenInMemory();

    private string Ec2 => _folder.Good
        .Replace("cloud: static\n  address: 198.51.100.10", "cloud: ec2\n  region: us-east-1\n  secret: aws\n  monthly_limit: 2.50 USD", StringComparison.Ordinal);

    public CostTests() => _folder.Write("secrets/aws", "[default]\n");

    public void Dispose()
    {
        _database.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Prices_are_exact_where_the_table_has_them_and_about_right_elsewhere()
    {
        var here = PriceTable.Of(CloudKind.Ec2, "us-east-1", "t3.nano")!;
        var there = PriceTable.Of(CloudKind.Ec2, "eu-central-1", "t3.nano")!;
        var droplet = PriceTable.Of(CloudKind.DigitalOcean, "fra1", "s-1vcpu-512mb-10gb")!;

        Assert.Equal((true, 0.0102m, 0.64m), (here.IsExact, here.VmHour, here.RestMonth));
        Assert.Equal(3.65m, here.IdleAddressMonth);
        Assert.False(there.IsExact);
        Assert.True(there.VmHour > here.VmHour);
        Assert.Equal((4m, 0.12m), (droplet.OffMonth, droplet.RestMonth));
        Assert.Null(PriceTable.Of(CloudKind.Static, "", ""));
        Assert.False(PriceTable.IsOld(PriceTable.AsOf.AddDays(365)));
        Assert.True(PriceTable.IsOld(PriceTable.AsOf.AddDays(366)));
    }

    [Fact]
    public void Vm_time_is_the_journals_from_the_first_of_the_month_and_no_clock_that_is_set_adds_to_it()
    {
        var start = new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
        VmMoment[] moments =
        [
            At("a", 0, start.AddHours(-2), runs: true),                // two hours before midnight, three after
            At("a", 5, start.AddHours(3), runs: false),
            At("a", 20, start.AddHours(18), runs: true),
            At("a", 21, start.AddYears(44), runs: true),               // somebody set the clock
            At("b", 0, start.AddHours(30), runs: true),                // another boot
        ];

        Assert.Equal(TimeSpan.FromHours(3 + 1 + 2), VmTime.Between(moments, start, start.AddHours(32)));
        static VmMoment At(string boot, double hours, DateTimeOffset wall, bool runs) => new(boot, new Instant(0) + TimeSpan.FromHours(hours), wall, runs);
    }

    [Fact]
    public void What_the_controller_journals_is_what_is_paid_for()
    {
        Journal(new Story().Cut());
        _time.Advance(TimeSpan.FromHours(1));
        Journal(new Story().Serving());
        _time.Advance(TimeSpan.FromHours(10));
        Journal(new Story());
        _time.Advance(TimeSpan.FromHours(5));

        var report = _database.Read(c => CostFacts.Read(c, Site(), _time.GetUtcNow()));

        Assert.Equal(10, report.ThisMonth.VmHours);
        Assert.Equal(0.102m, report.ThisMonth.Vm);
    }

    [Fact]
    public void Limit_is_told_once_a_month_and_names_a_vm_that_nobody_needs()
    {
        Journal(new Story().Serving());
        _time.Advance(TimeSpan.FromHours(240));
        var watch = new SpendWatch(_database, new Outbox(_database), Site, () => true, () => _time.GetUtcNow(), _time);

        watch.Look();
        watch.Look();
        new SpendWatch(_database, new Outbox(_database), Site, () => true, () => _time.GetUtcNow(), _time).Look();

        var text = Assert.Single(Texts());
        Assert.Contains("your limit is 2.50", text, StringComparison.Ordinal);
        Assert.Contains("VM bastion-home runs and nobody needs it", text, StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromDays(31));
        watch.Look();
        Assert.Equal(2, Texts().Count);
    }

    [Fact]
    public void Outage_costs_its_vm_and_its_texts()
    {
        Assert.Equal(0.05m, CostReports.OfOutage(Site(), TimeSpan.FromHours(1.5), alerts: 3));
        Assert.Null(CostReports.OfOutage(_folder.Load(_folder.Good).Options!, TimeSpan.FromHours(1), 3));
    }

    [Theory]
    [InlineData("3 USD", true)]
    [InlineData("0.5", true)]
    [InlineData("0", false)]
    [InlineData("-1", false)]
    [InlineData("3 EUR", false)]
    [InlineData("much", false)]
    public void Limit_is_dollars(string text, bool good) =>
        Assert.Equal(good, _folder.Load(Ec2.Replace("2.50 USD", text, StringComparison.Ordinal)).Errors.Count == 0);

    [Fact]
    public async Task Command_says_the_day_of_its_table_and_what_the_free_plan_does()
    {
        var file = _folder.Write("a.yaml", Ec2);
        using var text = new StringWriter();
        using var json = new StringWriter();

        Assert.Equal(0, await CommandTree.RunAsync(["cost", "-c", file], text, TextWriter.Null));
        Assert.Equal(0, await CommandTree.RunAsync(["cost", "-c", file, "--json"], json, TextWriter.Null));

        Assert.Contains(PriceTable.AsOf.ToString("yyyy-MM-dd", null), text.ToString(), StringComparison.Ordinal);
        Assert.Contains("Free plan", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("at rest            0.64 a month", text.ToString(), StringComparison.Ordinal);
        var report = JsonDocument.Parse(json.ToString()).RootElement;
        Assert.Equal(0.64m, report.GetProperty("at_rest_month").GetDecimal());
        Assert.Equal(2.5m, report.GetProperty("monthly_limit").GetDecimal());
        Assert.Equal(0, report.GetProperty("this_month").GetProperty("texts").GetInt32());
    }

    private SiteOptions Site() => _folder.Load(Ec2).OptionsOrThrow();

    private void Journal(Story story) =>
        Assert.True(new FailoverJournal(_database, "boot", _time).Append(new FailoverEvent.Tick(Instant.Now(_time)), new FailoverStep(story.State, []), _ => { }));

    private List<string> Texts() => _database.Read(c => c.Sql("SELECT text FROM alerts ORDER BY seq").List(r => r.GetString(0)));
}
