using System.Runtime.InteropServices;
using Common.Journal;
using Common.Time;
using InternalHost.Wan.Clock;
using Testing;

namespace InternalHost.Tests.Wan;

public sealed class TrustedTimeTests
{
    private static readonly DateTimeOffset Build = FakeTime.Epoch.AddDays(-10);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly FakeTime _time = new();
    private readonly FakeKernelClock _kernel = new();

    private TrustedTime Start(DateTimeOffset? lastKnown = null) => new(_kernel, _time, lastKnown, Build);

    private Instant At => Instant.Now(_time);

    [Fact]
    public void Synchronised_kernel_is_believed()
    {
        _kernel.IsSynchronised = true;

        var trusted = Start();

        Assert.Equal((_time.GetUtcNow(), TimeSource.Kernel), (trusted.Now, trusted.Source));
    }

    [Theory]
    [InlineData(-56)]
    [InlineData(12)]
    public void Wall_clock_that_nobody_keeps_is_ignored(int years)
    {
        _time.StepWallClock(TimeSpan.FromDays(365 * years));

        var trusted = Start(Build.AddDays(4));
        _time.Advance(Hour);

        Assert.Equal((Build.AddDays(4) + Hour, TimeSource.Floor), (trusted.Now, trusted.Source));
    }

    [Fact]
    public void Floor_is_the_later_of_build_date_and_journal()
    {
        Assert.Equal(Build, Start(Build.AddYears(-3)).Now);
        Assert.Equal(Build.AddYears(1), Start(Build.AddYears(1)).Now);
    }

    [Fact]
    public void Kernel_that_claims_1970_is_not_believed()
    {
        _kernel.IsSynchronised = true;
        _time.StepWallClock(TimeSpan.FromDays(-365 * 56));

        var trusted = Start();

        Assert.Equal((Build, TimeSource.Floor), (trusted.Now, trusted.Source));
    }

    [Fact]
    public void Kernel_that_loses_its_server_is_carried_on_without_the_wall_clock()
    {
        _kernel.IsSynchronised = true;
        var trusted = Start();
        var sure = trusted.Now;

        _kernel.IsSynchronised = false;
        _time.StepWallClock(TimeSpan.FromDays(4000));
        _time.Advance(Hour);

        Assert.Equal(new TimeReading(sure + Hour, TimeSource.Kernel, Hour), trusted.Read());
    }

    [Fact]
    public void Time_servers_replace_the_floor_and_time_goes_on_from_there()
    {
        var trusted = Start();

        Assert.True(trusted.OfferSntp(Build.AddDays(30), At));
        _time.Advance(Hour);

        Assert.Equal((Build.AddDays(30) + Hour, TimeSource.Sntp), (trusted.Now, trusted.Source));
    }

    [Fact]
    public void Time_servers_cannot_go_below_the_floor()
    {
        var trusted = Start(Build.AddDays(20));

        Assert.False(trusted.OfferSntp(Build.AddDays(19), At));
        Assert.Equal((Build.AddDays(20), TimeSource.Floor), (trusted.Now, trusted.Source));
    }

    [Fact]
    public void Time_servers_seconds_behind_the_floor_are_believed_and_nothing_runs_back()
    {
        var trusted = Start(Build.AddDays(20));

        Assert.True(trusted.OfferSntp(Build.AddDays(20).AddSeconds(-3), At));
        Assert.Equal((Build.AddDays(20), TimeSource.Sntp), (trusted.Now, trusted.Source));
    }

    [Fact]
    public void Kernel_outranks_a_journal_that_lies_in_the_future()
    {
        var trusted = Start(FakeTime.Epoch.AddYears(12));

        _kernel.IsSynchronised = true;

        Assert.Equal(_time.GetUtcNow(), trusted.Now);
    }

    [Fact]
    public void Servers_date_moves_a_floor_forward_only()
    {
        var trusted = Start(Build.AddDays(1));

        trusted.OfferServerDate(Build);
        Assert.Equal(TimeSource.Floor, trusted.Source);
        trusted.OfferServerDate(Build.AddDays(9));

        Assert.Equal((Build.AddDays(9), TimeSource.Server), (trusted.Now, trusted.Source));
    }

    [Fact]
    public void Servers_date_does_not_touch_a_confirmed_time()
    {
        var trusted = Start();
        trusted.OfferSntp(Build.AddDays(30), At);

        trusted.OfferServerDate(Build.AddDays(300));

        Assert.Equal((Build.AddDays(30), TimeSource.Sntp), (trusted.Now, trusted.Source));
    }

    [Fact]
    public void Build_date_is_in_the_assembly()
    {
        Assert.InRange(TrustedTime.BuildDate, new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public void Kernel_clock_reads_what_the_kernel_wrote()
    {
        // The same call with the bytes read by hand: struct timex of a 64-bit machine has its status at 40.
        var raw = new byte[512];
        var state = AdjTimex(raw);

        Assert.Equal(state is >= 0 and not 5 && (BitConverter.ToInt32(raw, 40) & 0x40) == 0, new KernelClock().IsSynchronised);
    }

    [DllImport("libc", EntryPoint = "adjtimex")]
    private static extern int AdjTimex([In, Out] byte[] timex);

    [Fact]
    public void Journal_keeps_the_newest_time()
    {
        using var database = Database.Open(":memory:", TimeJournal.Migration);
        var journal = new TimeJournal(database);
        Assert.Null(journal.Read());

        journal.Write(Build);
        journal.Write(Build.AddDays(1));

        Assert.Equal(Build.AddDays(1), journal.Read());
    }

    private sealed class FakeKernelClock : IKernelClock
    {
        public bool IsSynchronised { get; set; }
    }
}
