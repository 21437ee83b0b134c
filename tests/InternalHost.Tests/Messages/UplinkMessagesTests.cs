using System.Reflection;
using Common.Text;
using InternalHost.Messages;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Messages;

public sealed class UplinkMessagesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 3, 3, 2, 0, TimeSpan.FromHours(1));
    private static readonly UplinkFacts Home = new("home", Now, Now.AddMinutes(-48), Observed: false);

    [Theory]
    [InlineData(UplinkTrouble.BackupUnusable, Reasons.Dark, "home: backup is down since 02:14. If the primary dies now, no way in. Restart its modem; I keep trying.")]
    [InlineData(UplinkTrouble.BackupUnusable, Reasons.Walled, "home: backup answers but lets nothing out since 02:14. If the primary dies now, no way in. Is its data plan used up?")]
    [InlineData(UplinkTrouble.BackupUnusable, Reasons.Egress, "home: backup leaves by the primary's line since 02:14. If the primary dies now, no way in. What is wrong: internalhost doctor.")]
    [InlineData(UplinkTrouble.PrimaryNeverUp, Reasons.NeverUp, "home: primary was never seen up as it is wired now, so an outage cannot be seen. What is wrong: internalhost doctor.")]
    [InlineData(UplinkTrouble.PrimaryNeverUp, Reasons.Egress, "home: what should leave by the primary leaves by the backup, so an outage cannot be seen. For the rules: internalhost doctor.")]
    [InlineData(UplinkTrouble.PrimarySilent, Reasons.Silent, "home: nothing tells me of the primary since 02:14, so an outage cannot be seen. Why: journalctl -u internalhost.")]
    [InlineData(UplinkTrouble.PrimaryDegraded, Reasons.Degraded, "home: primary loses packets since 02:14. It counts as up. For a way in all the same: start the VM in the cloud app.")]
    [InlineData(UplinkTrouble.PrimaryDegraded, Reasons.FamilyLost, "home: primary has lost IPv4 or IPv6 since 02:14. It counts as up. For a way in all the same: start the VM in the cloud app.")]
    internal void Trouble_reads_as_promised(UplinkTrouble trouble, string reason, string text)
    {
        var alert = UplinkMessages.Of(News(trouble, reason), Home);

        Assert.Equal($"{text} #{alert.Id}", alert.Text);
    }

    [Fact]
    public void End_reads_as_promised()
    {
        var alert = UplinkMessages.Of(News(UplinkTrouble.BackupUnusable, Reasons.Recovered) with { Over = true }, Home);

        Assert.Equal($"home: backup works again 02:14. The way in is ready for an outage. #{alert.Id}", alert.Text);
    }

    [Fact]
    public void Who_is_watched_for_is_sent_to_those_who_watch()
    {
        var alert = UplinkMessages.Of(News(UplinkTrouble.PrimarySilent, Reasons.Silent), Home with { Observed = true, Since = null });

        Assert.Equal($"home: nothing tells me of the primary, so an outage cannot be seen. Who should: internalhost doctor. #{alert.Id}", alert.Text);
    }

    [Fact]
    public void Every_trouble_by_every_reason_is_one_segment_with_its_advice_whole()
    {
        var reasons = typeof(Reasons).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetValue(null)!).ToList();
        Assert.NotEmpty(reasons);
        foreach (var (trouble, reason) in Enum.GetValues<UplinkTrouble>().Where(t => t != UplinkTrouble.Unknown).SelectMany(t => reasons.Select(r => (t, r))))
        {
            var alert = UplinkMessages.Of(News(trouble, reason), Home with { Site = "twelve-chars" });

            Assert.InRange(SmsText.Septets(alert.Text), 60, SmsText.OneSegment);
            Assert.StartsWith("twelve-chars: ", alert.Text, StringComparison.Ordinal);
            Assert.Matches(@"(cannot be seen|no way in|counts as up)\. .+[.?] #\w{4}$", alert.Text);
        }
    }

    [Fact]
    public void Each_episode_and_its_end_have_ids_of_their_own_and_raised_again_it_is_the_same()
    {
        var first = News(UplinkTrouble.BackupUnusable, Reasons.Dark);

        Assert.Equal(UplinkMessages.Of(first, Home).Id, UplinkMessages.Of(first with { Reason = Reasons.Walled }, Home with { Since = null }).Id);
        Assert.NotEqual(UplinkMessages.Of(first, Home).Id, UplinkMessages.Of(first with { Episode = 2 }, Home).Id);
        Assert.NotEqual(UplinkMessages.Of(first, Home).Id, UplinkMessages.Of(first with { Over = true }, Home).Id);
    }

    private static UplinkNews News(UplinkTrouble trouble, string reason) => new(trouble, 1, default, reason, Over: false);
}
