using System.Collections.Immutable;
using Common.Time;
using InternalHost.Messages;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Messages;

public sealed class UplinkAlertRulesTests
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(5);

    private ImmutableArray<TroubleWatch> _watches = UplinkAlertRules.Fresh;
    private Instant _now = new(TimeSpan.FromHours(1).Ticks);
    private UplinkReport _primary = Up(UplinkName.Primary);
    private UplinkReport _backup = Up(UplinkName.Backup);
    private bool _outage;

    [Fact]
    public void Nothing_is_told_while_all_is_well() => Assert.Empty(Pass(TimeSpan.FromDays(2)));

    [Theory]
    [InlineData(UplinkTrouble.PrimaryNeverUp, UplinkState.Unknown, Usable.Unknown, Reasons.NeverUp, 600)]
    [InlineData(UplinkTrouble.PrimaryNeverUp, UplinkState.Unknown, Usable.Unknown, Reasons.Egress, 600)]
    [InlineData(UplinkTrouble.PrimarySilent, UplinkState.Unknown, Usable.Unknown, Reasons.Silent, 60)]
    [InlineData(UplinkTrouble.PrimaryDegraded, UplinkState.Degraded, Usable.Yes, Reasons.Degraded, 1800)]
    [InlineData(UplinkTrouble.PrimaryDegraded, UplinkState.Degraded, Usable.Yes, Reasons.Hijack, 1800)]
    internal void Primary_in_trouble_is_told_once_it_lasted_and_not_before(UplinkTrouble trouble, UplinkState state, Usable usable, string reason, int lastsS)
    {
        var began = _now;
        _primary = Report(UplinkName.Primary, state, usable, reason);

        Assert.Empty(Pass(TimeSpan.FromSeconds(lastsS)));
        var told = Assert.Single(Pass(TimeSpan.FromDays(30)));

        Assert.Equal(new UplinkNews(trouble, 1, began, reason, Over: false), told);
        _primary = Up(UplinkName.Primary);
        Assert.Empty(Pass(TimeSpan.FromDays(1)));
    }

    [Theory]
    [InlineData(UplinkState.Down, Usable.No, Reasons.Dark)]
    [InlineData(UplinkState.Walled, Usable.No, Reasons.Portal)]
    [InlineData(UplinkState.Unknown, Usable.Unknown, Reasons.NeverUp)]
    [InlineData(UplinkState.Unknown, Usable.Unknown, Reasons.Silent)]
    [InlineData(UplinkState.Up, Usable.Unknown, Reasons.Answered)]
    internal void Backup_that_could_not_be_used_is_told_and_so_is_its_end(UplinkState state, Usable usable, string reason)
    {
        _backup = Report(UplinkName.Backup, state, usable, reason);

        Assert.Empty(Pass(TimeSpan.FromMinutes(10)));
        Assert.Equal((UplinkTrouble.BackupUnusable, false), Assert.Single(Pass(TimeSpan.FromHours(20))) is var down ? (down.Trouble, down.Over) : default);

        _backup = Up(UplinkName.Backup);
        var end = _now;
        Assert.Empty(Pass(UplinkAlertRules.OverAfter));
        Assert.Equal(new UplinkNews(UplinkTrouble.BackupUnusable, 1, end, Reasons.Answered, Over: true), Assert.Single(Pass(TimeSpan.FromDays(1))));
    }

    [Fact]
    public void Trouble_that_ends_in_time_is_not_told()
    {
        for (var i = 0; i < 100; i++)
        {
            _backup = Down(UplinkName.Backup);
            Assert.Empty(Pass(TimeSpan.FromMinutes(9)));
            _backup = Up(UplinkName.Backup);
            Assert.Empty(Pass(Step));
        }
    }

    [Fact]
    public void Backup_that_flaps_is_not_said_to_work_again()
    {
        _backup = Down(UplinkName.Backup);
        Assert.Single(Pass(TimeSpan.FromMinutes(11)));

        for (var i = 0; i < 200; i++)
        {
            _backup = Up(UplinkName.Backup);
            Assert.Empty(Pass(TimeSpan.FromMinutes(9)));
            _backup = Down(UplinkName.Backup);
            Assert.Empty(Pass(Step));
        }
    }

    [Fact]
    public void Next_trouble_of_a_kind_waits_six_hours_and_is_told_then()
    {
        _backup = Down(UplinkName.Backup);
        Assert.Single(Pass(TimeSpan.FromMinutes(11)));
        _backup = Up(UplinkName.Backup);
        Assert.Single(Pass(TimeSpan.FromMinutes(11)));

        _backup = Down(UplinkName.Backup);
        Assert.Empty(Pass(TimeSpan.FromHours(5)));
        var again = Assert.Single(Pass(TimeSpan.FromHours(2)));

        Assert.Equal((2, false), (again.Episode, again.Over));
    }

    [Fact]
    public void Outage_has_texts_of_its_own_and_what_lasts_beyond_it_is_counted_from_its_end()
    {
        _backup = Down(UplinkName.Backup);
        Pass(TimeSpan.FromMinutes(9));
        (_primary, _outage) = (Down(UplinkName.Primary), true);
        Assert.Empty(Pass(TimeSpan.FromDays(1)));

        (_primary, _outage) = (Up(UplinkName.Primary), false);

        Assert.Empty(Pass(TimeSpan.FromMinutes(10)));
        Assert.Single(Pass(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void What_was_told_before_an_outage_is_not_repeated_after_it()
    {
        _backup = Down(UplinkName.Backup);
        Assert.Single(Pass(TimeSpan.FromMinutes(11)));
        _outage = true;
        Pass(TimeSpan.FromDays(1));
        _outage = false;

        Assert.Empty(Pass(TimeSpan.FromDays(1)));
        _backup = Up(UplinkName.Backup);
        Assert.True(Assert.Single(Pass(TimeSpan.FromHours(1))).Over);
    }

    [Fact]
    public void Fault_of_our_own_is_held_against_no_uplink()
    {
        (_primary, _backup) = (
            Report(UplinkName.Primary, UplinkState.LocalFault, Usable.Unknown, Reasons.BothDark), Report(UplinkName.Backup, UplinkState.LocalFault, Usable.Unknown, Reasons.BothDark));

        Assert.Empty(Pass(TimeSpan.FromDays(1)));
    }

    [Fact]
    public void Primary_that_nobody_watches_by_choice_is_no_trouble()
    {
        _primary = Report(UplinkName.Primary, UplinkState.Unknown, Usable.Unknown, Reasons.NotWatched);

        Assert.Empty(Pass(TimeSpan.FromDays(1)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_happens_each_kind_is_told_once_in_six_hours_at_most_and_ends_only_after_it_began(int seed)
    {
        var random = new Random(seed);
        var told = new Dictionary<UplinkTrouble, Instant>();
        var open = false;
        var count = 0;
        for (var i = 0; i < 1_500; i++)
        {
            _primary = Any(random, UplinkName.Primary);
            _backup = Any(random, UplinkName.Backup);
            _outage = random.Next(8) == 0;
            foreach (var (at, news) in PassTimed(TimeSpan.FromMinutes(random.Next(1, 60)), TimeSpan.FromSeconds(30)))
            {
                count++;
                Assert.False(_outage);
                if (news.Trouble == UplinkTrouble.BackupUnusable)
                {
                    Assert.NotEqual(open, !news.Over);
                    open = !news.Over;
                }

                if (!news.Over)
                {
                    Assert.True(!told.TryGetValue(news.Trouble, out var last) || at - last >= UplinkAlertRules.AtMostEvery);
                    told[news.Trouble] = at;
                }
            }
        }

        Assert.True(count > 20 && told.Count == 4, $"{count} texts of {told.Count} kinds");
    }

    private static UplinkReport Any(Random random, UplinkName name) => random.Next(8) switch
    {
        0 => Down(name),
        1 => Report(name, UplinkState.Unknown, Usable.Unknown, Reasons.NeverUp),
        2 => Report(name, UplinkState.Unknown, Usable.Unknown, Reasons.Silent),
        3 or 4 => Report(name, UplinkState.Degraded, Usable.Yes, Reasons.Slow),
        5 => Report(name, UplinkState.LocalFault, Usable.Unknown, Reasons.BothDark),
        _ => Up(name),
    };

    private static UplinkReport Up(UplinkName name) => Report(name, UplinkState.Up, Usable.Yes, Reasons.Answered);

    private static UplinkReport Down(UplinkName name) => Report(name, UplinkState.Down, Usable.No, Reasons.Dark);

    internal static UplinkReport Report(UplinkName name, UplinkState state, Usable usable, string reason) =>
        new(name, state, usable, reason, default, null, true, default, []);

    private List<UplinkNews> Pass(TimeSpan span) => [.. PassTimed(span, Step).Select(n => n.News)];

    private List<(Instant At, UplinkNews News)> PassTimed(TimeSpan span, TimeSpan step)
    {
        var all = new List<(Instant, UplinkNews)>();
        for (var end = _now + span; _now < end; _now += step)
        {
            (_watches, var news) = UplinkAlertRules.Advance(_watches, new UplinkSight(_now, _primary, _backup, _outage));
            all.AddRange(news.Select(n => (_now, n)));
        }

        return all;
    }
}
