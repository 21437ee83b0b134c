using Common.Time;
using InternalHost.Configuration;
using InternalHost.Tests.Configuration;
using InternalHost.Wan;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Wan;

public sealed class WanOptionsTests : IDisposable
{
    private readonly SiteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("A", "  primary: {interface: eth0}\n  backup: {interface: wwan0}")]
    [InlineData("B", "  primary: {interface: eth0, address: 192.168.1.5}\n  backup: {interface: eth0, address: 192.168.1.6}")]
    public void Uplink_of_our_own_is_asked_by_witnesses_egress_and_204(string wiring, string uplinks)
    {
        var (site, options) = Read(uplinks);

        Assert.Equal(wiring, site.Wiring.ToString());
        Assert.All([options.PrimaryDetector, options.BackupDetector], d =>
        {
            Assert.True(d.HasEgress && d.HasHttp);
            Assert.Empty(d.Observe);
            Assert.True(d.Witnesses.Length >= 4);
            Assert.Contains(d.Witnesses, w => w.IsOffNet());
        });
        Assert.True(options.PrimaryDetector.WasUpBefore);
        Assert.False(options.BackupDetector.WasUpBefore);
        Assert.True(options.BackupDetector.Cadence.Quiet > options.PrimaryDetector.Cadence.Quiet);
    }

    [Theory]
    [InlineData("{command: [/bin/x]}", "Router")]
    [InlineData("{command: [/bin/x], lan: 192.168.1.40, outside: learn}", "Router Lan Outside")]
    [InlineData("{lan: 192.168.1.40}", "Lan")]
    public void Observed_primary_is_asked_by_its_observers_and_no_witness(string observe, string expected)
    {
        var (site, options) = Read($"  primary: {{observe: {observe}}}\n  backup: {{interface: eth0}}");

        Assert.Equal(Wiring.C, site.Wiring);
        Assert.Equal(expected, string.Join(' ', options.PrimaryDetector.Observe));
        AssertAsksNobody(options.PrimaryDetector);
        Assert.IsType<ObservedUplink>(new UplinkPair(options.PrimaryDetector, options.BackupDetector, default).Primary);
        Assert.NotEmpty(options.BackupDetector.Witnesses);
    }

    [Fact]
    public void Primary_that_nobody_watches_asks_nobody_and_is_never_usable_nor_unusable_and_its_loop_rests()
    {
        var (site, options) = Read("  backup: {interface: eth0}\n  wiring: D");
        Assert.Equal(Wiring.D, site.Wiring);
        AssertAsksNobody(options.PrimaryDetector);
        Assert.Empty(options.PrimaryDetector.Observe);

        // Whether it was up in another wiring, or the backup lives or dies, makes no difference.
        foreach (var wasUp in (bool[])[false, true])
        {
            Play(new UplinkPair(options.PrimaryDetector with { WasUpBefore = wasUp }, options.BackupDetector, default));
        }
    }

    [Fact]
    public void Observer_that_is_broken_for_good_does_not_keep_the_metered_backup_awake_and_is_believed_once_it_speaks()
    {
        var (_, options) = Read("  primary: {observe: {command: [/bin/x]}}\n  backup: {interface: eth0}");
        var pair = new UplinkPair(options.PrimaryDetector, options.BackupDetector, default);
        var now = default(Instant);

        Observe(pair, ref now, TimeSpan.FromHours(1), ProbeOutcome.Lost);
        Assert.Equal(Reasons.Silent, pair.Primary.Current.Reason);
        Assert.False(pair.Backup.Attentive);

        Observe(pair, ref now, TimeSpan.FromMinutes(2), ProbeOutcome.Refuted);
        Assert.Equal(Usable.No, pair.UsableNow(UplinkName.Primary, now));
        Assert.Equal(Usable.Yes, pair.UsableNow(UplinkName.Backup, now));
    }

    private static void Observe(UplinkPair pair, ref Instant now, TimeSpan span, ProbeOutcome says)
    {
        for (var end = now + span; now < end; now += TimeSpan.FromMilliseconds(100))
        {
            pair.Tick(now);
            while (pair.Primary.TryTakeProbe(out var request))
            {
                pair.Result(UplinkName.Primary, new ProbeResult(request, now, now, says));
            }

            while (pair.Backup.TryTakeProbe(out var request))
            {
                pair.Result(UplinkName.Backup, new ProbeResult(request, now, now, ProbeOutcome.Authenticated));
            }
        }
    }

    /// <summary>Two days, the backup answering on the first: the primary's detector never wakes, and the metered backup is asked rarely.</summary>
    private static void Play(UplinkPair pair)
    {
        var (now, dusk, asked) = (default(Instant), new Instant(TimeSpan.FromHours(24).Ticks), 0);
        while (now < new Instant(TimeSpan.FromHours(48).Ticks))
        {
            Assert.Equal(Instant.Never, pair.Primary.NextWake);
            Assert.False(now < dusk && pair.Backup.Attentive);
            now = Instant.Min(Instant.Max(pair.NextWake, now + TimeSpan.FromMilliseconds(1)), now + TimeSpan.FromMinutes(10));
            pair.Tick(now);
            while (pair.Backup.TryTakeProbe(out var request))
            {
                asked += now < dusk ? 1 : 0;
                pair.Result(UplinkName.Backup, new ProbeResult(request, now, now, now < dusk ? ProbeOutcome.Authenticated : ProbeOutcome.Lost));
            }

            Assert.False(pair.Primary.TryTakeProbe(out _));
            Assert.Equal(Usable.Unknown, pair.UsableNow(UplinkName.Primary, now));
            while (pair.Primary.TryTakeVerdict(out var verdict))
            {
                Assert.Equal(Usable.Unknown, verdict.Usable);
            }
        }

        Assert.InRange(asked, 24, 24 * 60);
    }

    private static void AssertAsksNobody(DetectorOptions detector)
    {
        Assert.Empty(detector.Witnesses);
        Assert.Empty(detector.Families);
        Assert.False(detector.HasEgress || detector.HasHttp);
    }

    private (SiteOptions Site, WanOptions Options) Read(string uplinks)
    {
        var good = _folder.Good;
        var (begin, end) = (good.IndexOf("uplinks:", StringComparison.Ordinal), good.IndexOf("bastion:", StringComparison.Ordinal));
        var site = _folder.Load($"{good[..begin]}uplinks:\n{uplinks}\n{good[end..]}").OptionsOrThrow();
        return (site, WanOptions.From(site, primaryWasUp: true, backupWasUp: false));
    }
}
