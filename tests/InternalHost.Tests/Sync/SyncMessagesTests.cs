using Common.Text;
using InternalHost.Messages;
using InternalHost.Sync;

namespace InternalHost.Tests.Sync;

public sealed class SyncMessagesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 3, 3, 2, 0, TimeSpan.FromHours(1));

    [Theory]
    [InlineData(SyncFailure.Denied, "home: the bastion has old keys of people, or none: it refuses our login for that. The tunnel holds. Upgrade bastion there.")]
    [InlineData(SyncFailure.Failed, "home: the bastion has old keys of people, or none: it failed there. The tunnel holds. I keep trying.")]
    [InlineData(SyncFailure.SecretMissing, "home: the bastion was told without a channel; cannot read words. See: internalhost check-config.")]
    internal void Trouble_reads_as_promised(SyncFailure failure, string text)
    {
        var alert = SyncMessages.Of(new(failure, "words"), "home", "outage-3", Now);

        Assert.Equal($"{text} #{alert.Id}", alert.Text);
    }

    [Fact]
    public void Every_trouble_is_one_segment_with_its_advice_whole()
    {
        foreach (var failure in Enum.GetValues<SyncFailure>())
        {
            var alert = SyncMessages.Of(new(failure, "port 22 is outside the block of site twelve-chars"), "twelve-chars", "outage-3", Now);

            Assert.InRange(SmsText.Septets(alert.Text), 60, SmsText.OneSegment);
            Assert.Matches(@"(\. The tunnel holds|cannot read .+)\. .+[.?] #\w{4}$", alert.Text);
        }
    }

    [Fact]
    public void Shared_account_reads_as_promised()
    {
        var alert = SharedAccountMessage.Of("twelve-chars", "outage-3", Now);

        Assert.Equal($"twelve-chars: another machine uses this site's account at the bastion: each ends the other's tunnel, every 30 s. Stop one of them. #{alert.Id}", alert.Text);
    }

    [Fact]
    public void Same_cause_in_the_same_outage_is_the_same_alert()
    {
        string Id(SyncFailure failure, string occasion) => SyncMessages.Of(new(failure, "words"), "home", occasion, Now).Id;

        Assert.Equal(Id(SyncFailure.Denied, "outage-3"), Id(SyncFailure.Denied, "outage-3"));
        Assert.Distinct([Id(SyncFailure.Denied, "outage-3"), Id(SyncFailure.Old, "outage-3"), Id(SyncFailure.Denied, "outage-4")]);
    }
}
