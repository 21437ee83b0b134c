using System.Text.Json;
using Common.Alerts;
using Common.Alerts.Test;
using Testing;

namespace Common.Tests.Alerts;

/// <summary><c>alerts test</c>: a real message by each channel, through the outbox, and its progress.</summary>
public sealed class ChannelTestsTests
{
    private static readonly Route[] Routes = [new("sms", "+15550100001", "alice", 1), new("sms", "+15550100002", "bob", 1), new("telegram", "42", Route.Everybody, 0)];

    private readonly FakeChannel _sms = new();
    private readonly FakeChannel _telegram = new("telegram") { Repetition = Repetition.Seen };

    [Fact]
    public async Task Each_recipient_of_each_channel_gets_one_message_and_each_is_confirmed()
    {
        using var rig = new OutboxRig(_sms, _telegram);
        _telegram.Next(new SendOutcome.Handed("8"));
        var tests = Tests(rig);

        var started = tests.Start(null);
        await rig.PassAsync(TimeSpan.FromSeconds(10));

        Assert.Null(started.Problem);
        Assert.Equal(["sms", "sms", "telegram"], started.Tests.Select(t => t.Channel));
        Assert.Equal(["+15550100001", "+15550100002"], _sms.Sent.Select(m => m.Recipient));
        Assert.Equal($"home: test by telegram. Nothing has happened. #{started.Tests[2].Id}", Assert.Single(_telegram.Sent).Text);
        Assert.All(tests.Look([.. started.Tests.Select(t => t.Id)]), t => Assert.True(t.IsConfirmed));
    }

    [Fact]
    public async Task One_channel_is_tested_alone_and_what_stood_against_it_is_forgotten()
    {
        using var rig = new OutboxRig(_sms, _telegram);
        _telegram.Next(new SendOutcome.Refused("401", "token refused", RefusalScope.Channel)).Next(new SendOutcome.Refused("401", "token refused", RefusalScope.Channel));
        rig.Raise("AAAA", Routes);
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        var sent = _sms.Sent.Count;
        var tests = Tests(rig);

        var started = tests.Start("telegram");
        await rig.PassAsync(TimeSpan.FromSeconds(10));

        Assert.Equal((2, sent), (_telegram.Sent.Count, _sms.Sent.Count));
        Assert.Equal(new ChannelTest(started.Tests[0].Id, "telegram", "dead", "401", "token refused"), Assert.Single(tests.Look([started.Tests[0].Id])));
    }

    [Fact]
    public void What_cannot_be_tested_is_told()
    {
        using var rig = new OutboxRig(_sms, _telegram);

        Assert.Equal("mail is not configured; configured: sms, telegram", Tests(rig).Start("mail").Problem);
        Assert.Equal("no channel is configured", new ChannelTests(rig.Outbox, rig.Service, "home", () => [], rig.Time).Start(null).Problem);
    }

    [Fact]
    public void Tests_that_follow_each_other_at_once_run_up_no_bill()
    {
        using var rig = new OutboxRig(_sms, _telegram);
        var tests = Tests(rig);
        Assert.Null(tests.Start("sms").Problem);

        Assert.Equal("the last test was just now: wait 30 s", tests.Start("sms").Problem);
        rig.Time.Advance(TimeSpan.FromSeconds(30));

        Assert.Null(tests.Start("sms").Problem);
    }

    [Theory]
    [InlineData("confirmed", 0)]
    [InlineData("dead", 1)]
    [InlineData("sent", 1)]
    public async Task Progress_is_shown_until_the_end_and_the_exit_code_says_whether_all_arrived(string last, int code)
    {
        var time = new FakeTime();
        var output = new StringWriter();
        var asked = 0;
        var progress = new TestProgress((_, _) => Task.FromResult<IReadOnlyList<ChannelTest>?>([new("AAAA", "sms", ++asked < 3 ? "sent" : last, last == "dead" ? "30005" : null)]), output, json: true, time);

        var following = progress.FollowAsync([new("AAAA", "sms", "pending")], TimeSpan.FromMinutes(10), CancellationToken.None);
        while (!following.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Delay(1);   // the clock must not run away from whoever is to hear it
        }

        Assert.Equal(code, await following);
        var phases = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("phase").GetString());
        Assert.Equal(last == "sent" ? ["pending", "sent"] : ["pending", "sent", last], phases);
    }

    private static ChannelTests Tests(OutboxRig rig) => new(rig.Outbox, rig.Service, "home", () => Routes, rig.Time);
}
