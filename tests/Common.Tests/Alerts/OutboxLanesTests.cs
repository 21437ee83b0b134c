using Common.Alerts;
using Testing;

namespace Common.Tests.Alerts;

/// <summary>Several channels: who is told by which, what happens to one that is out of order, to quiet hours, and after a long silence.</summary>
public sealed class OutboxLanesTests
{
    private static readonly Route AlicesChat = new("telegram", "42", "alice", 0);
    private static readonly Route AlicesPhone = new("sms", "+15550100001", "alice", 1);
    private static readonly Route BobsPhone = new("sms", "+15550100002", "bob", 1);
    private static readonly Route Common = new("telegram", "-7", Route.Everybody, 0);
    private static readonly SendOutcome BadKey = new SendOutcome.Refused("401", "token refused", RefusalScope.Channel);

    private readonly FakeChannel _telegram = new("telegram") { Repetition = Repetition.Seen };
    private readonly FakeChannel _sms = new();

    [Fact]
    public async Task Handed_over_is_told_and_nobody_is_asked_again()
    {
        using var rig = Rig();
        _telegram.Next(new SendOutcome.Handed("8"));
        rig.Raise("AAAA", AlicesChat, AlicesPhone);

        await rig.PassAsync(TimeSpan.FromHours(1));

        Assert.Equal((1, 0, 0), (_telegram.Sent.Count, _telegram.Queried.Count, _sms.Sent.Count));
        Assert.Equal((0, 0), (rig.Snapshot.Pending, rig.Snapshot.Dead));
    }

    [Fact]
    public async Task Unclear_sending_by_a_channel_that_cannot_be_asked_is_sent_again_with_the_same_id_and_never_looked_for()
    {
        using var rig = Rig();
        _telegram.Next(new SendOutcome.Unclear("HTTP 500")).Next(new SendOutcome.Unclear("HTTP 500")).Next(new SendOutcome.Handed("8"));
        rig.Raise("AAAA", AlicesChat);

        await rig.PassAsync(TimeSpan.FromHours(2));

        Assert.Equal(["AAAA", "AAAA", "AAAA"], _telegram.Sent.Select(m => m.AlertId));
        Assert.Empty(_telegram.Looked);
        Assert.Equal(0, rig.Snapshot.Pending);
    }

    [Fact]
    public async Task A_gateway_that_takes_all_and_answers_nonsense_makes_no_flood()
    {
        using var rig = Rig();
        for (var i = 0; i < 1000; i++)
        {
            _telegram.Next(new SendOutcome.Unclear("HTTP 500"));
        }

        rig.Raise("AAAA", AlicesChat, AlicesPhone);
        await rig.PassAsync(TimeSpan.FromMinutes(3));
        Assert.Single(_sms.Sent);
        rig.Raise("BBBB", AlicesChat);
        await rig.PassAsync(TimeSpan.FromHours(24));

        Assert.InRange(_telegram.Sent.Count(m => m.AlertId == "AAAA"), 1, 3);
        Assert.InRange(_telegram.Sent.Count(m => m.AlertId == "BBBB"), 5, 20);
        Assert.Equal(1, rig.Snapshot.Dead);
    }

    [Fact]
    public async Task Killed_while_sending_by_a_channel_that_cannot_be_asked_sends_once_more()
    {
        using var rig = Rig();
        _telegram.Next(_ => new TaskCompletionSource<SendOutcome>().Task).Next(new SendOutcome.Handed("8"));
        rig.Raise("AAAA", AlicesChat);
        await rig.TurnAsync();

        rig.Crash();
        await rig.PassAsync(TimeSpan.FromMinutes(5));

        Assert.Equal(["AAAA", "AAAA"], _telegram.Sent.Select(m => m.AlertId));
        Assert.Equal(0, rig.Snapshot.Pending);
    }

    [Fact]
    public async Task Critical_goes_by_two_channels_at_once_and_the_third_is_kept_back()
    {
        var mail = new FakeChannel("mail") { Repetition = Repetition.Unseen };
        using var rig = new OutboxRig(_telegram, _sms, mail);
        _telegram.Next(new SendOutcome.Handed("8"));
        rig.Outbox.Raise(OutboxRig.Alert("AAAA", Severity.Critical), [AlicesChat, AlicesPhone, new Route("mail", "alice@example.net", "alice", 2)]);

        await rig.PassAsync(TimeSpan.FromMinutes(10));

        Assert.Equal((1, 1, 0), (_telegram.Sent.Count, _sms.Sent.Count, mail.Sent.Count));
    }

    [Fact]
    public async Task A_common_chat_tells_everybody()
    {
        using var rig = Rig();
        _telegram.Next(new SendOutcome.Handed("8"));
        rig.Raise("AAAA", AlicesPhone, BobsPhone, Common);

        await rig.PassAsync(TimeSpan.FromMinutes(10));

        Assert.Equal((1, 0), (_telegram.Sent.Count, _sms.Sent.Count));
        Assert.Equal(0, rig.Snapshot.Pending);
    }

    [Fact]
    public async Task A_common_chat_that_fails_lets_each_person_be_told_by_their_own()
    {
        using var rig = Rig();
        _telegram.Next(BadKey);
        rig.Raise("AAAA", AlicesPhone, BobsPhone, Common);

        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal([AlicesPhone.Recipient, BobsPhone.Recipient], _sms.Sent.Where(m => m.AlertId == "AAAA").Select(m => m.Recipient).Order());
    }

    [Fact]
    public async Task A_common_channel_comes_last_when_somebody_was_not_reached()
    {
        using var rig = Rig();
        _sms.Status = id => id == "SM1" ? new(DeliveryState.Delivered) : new(DeliveryState.Underway);
        _telegram.Next(new SendOutcome.Handed("8"));
        rig.Raise("AAAA", AlicesPhone with { Rank = 0 }, BobsPhone with { Rank = 0 }, Common with { Rank = 1 });

        await rig.PassAsync(TimeSpan.FromSeconds(59));
        Assert.Empty(_telegram.Sent);
        await rig.PassAsync(TimeSpan.FromSeconds(10));

        Assert.Single(_telegram.Sent);
    }

    [Fact]
    public async Task A_channel_that_is_refused_is_told_by_another_marked_and_not_tried_for_each_alert()
    {
        using var rig = Rig();
        _telegram.Next(BadKey);
        rig.Raise("AAAA", AlicesChat, AlicesPhone);
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        rig.Raise("BBBB", AlicesChat, AlicesPhone);
        rig.Raise("CCCC", AlicesChat, AlicesPhone);
        await rig.PassAsync(TimeSpan.FromMinutes(30));

        Assert.Single(_telegram.Sent);
        Assert.Equal(4, _sms.Sent.Count);
        var told = Assert.Single(_sms.Sent, m => m.Kind == "channel");
        Assert.StartsWith("home: telegram does not work: token refused. Then: alerts test. #", told.Text, StringComparison.Ordinal);
        Assert.Equal(("telegram", null, "401"), (rig.Snapshot.Refused[0].Channel, rig.Snapshot.Refused[0].Recipient, rig.Snapshot.Refused[0].Code));
    }

    [Fact]
    public async Task A_refused_channel_is_tried_hourly_and_is_good_again_when_it_delivers()
    {
        using var rig = Rig();
        _telegram.Next(BadKey).Next(BadKey).Next(new SendOutcome.Handed("8")).Next(new SendOutcome.Handed("9"));
        rig.Raise("AAAA", AlicesChat, AlicesPhone);
        await rig.PassAsync(TimeSpan.FromMinutes(61));
        rig.Raise("BBBB", AlicesChat, AlicesPhone);
        await rig.PassAsync(TimeSpan.FromMinutes(61));
        rig.Raise("CCCC", AlicesChat, AlicesPhone);
        rig.Raise("DDDD", AlicesChat, AlicesPhone);
        await rig.PassAsync(TimeSpan.FromMinutes(5));

        Assert.Equal(["AAAA", "BBBB", "CCCC"], _telegram.Sent.Take(3).Select(m => m.AlertId));
        Assert.Empty(rig.Snapshot.Refused);
        Assert.Single(_sms.Sent, m => m.Kind == "channel");
    }

    [Fact]
    public async Task A_tested_channel_is_tried_at_once()
    {
        using var rig = Rig();
        _telegram.Next(BadKey).Next(new SendOutcome.Handed("8"));
        rig.Raise("AAAA", AlicesChat, AlicesPhone);
        await rig.PassAsync(TimeSpan.FromMinutes(1));

        rig.Service.Reopen("telegram");
        rig.Raise("BBBB", AlicesChat, AlicesPhone);
        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(["AAAA", "BBBB"], _telegram.Sent.Select(m => m.AlertId));
    }

    [Fact]
    public async Task The_only_channel_is_tried_for_every_alert_whatever_it_has_said()
    {
        using var rig = Rig();
        _sms.Next(new SendOutcome.Refused("20003", "key refused", RefusalScope.Channel));
        rig.Raise("AAAA", AlicesPhone);
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        rig.Raise("BBBB", AlicesPhone);
        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(["AAAA", "BBBB"], _sms.Sent.Select(m => m.AlertId));
        Assert.Empty(rig.Snapshot.Refused);
    }

    [Fact]
    public async Task Stop_from_one_phone_bars_that_phone_and_no_other()
    {
        using var rig = Rig();
        _sms.Next(new SendOutcome.Refused("21610", "recipient has answered STOP", RefusalScope.Recipient));
        _telegram.Next(new SendOutcome.Handed("1")).Next(new SendOutcome.Handed("2")).Next(new SendOutcome.Handed("3"));
        rig.Raise("AAAA", AlicesPhone with { Rank = 0 }, AlicesChat with { Rank = 1 }, BobsPhone with { Rank = 0 });
        await rig.PassAsync(TimeSpan.FromMinutes(2));
        rig.Raise("BBBB", AlicesPhone with { Rank = 0 }, AlicesChat with { Rank = 1 }, BobsPhone with { Rank = 0 });
        await rig.PassAsync(TimeSpan.FromMinutes(2));

        Assert.Equal([AlicesPhone.Recipient, BobsPhone.Recipient, BobsPhone.Recipient], _sms.Sent.Where(m => m.Kind != "channel").Select(m => m.Recipient));
        Assert.Equal(2, _telegram.Sent.Count(m => m.Kind != "channel"));
    }

    [Fact]
    public async Task Start_after_stop_is_noticed_within_the_hour()
    {
        using var rig = Rig();
        _sms.Next(new SendOutcome.Refused("21610", "recipient has answered STOP", RefusalScope.Recipient));
        _telegram.Next(new SendOutcome.Handed("1")).Next(new SendOutcome.Handed("2")).Next(new SendOutcome.Handed("3")).Next(new SendOutcome.Handed("4"));
        rig.Raise("AAAA", AlicesPhone with { Rank = 0 }, AlicesChat with { Rank = 1 });
        await rig.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal("21610", Assert.Single(rig.Snapshot.Refused).Code);

        await rig.PassAsync(TimeSpan.FromHours(1));
        rig.Raise("BBBB", AlicesPhone with { Rank = 0 }, AlicesChat with { Rank = 1 });
        await rig.PassAsync(TimeSpan.FromMinutes(2));

        Assert.Equal(["AAAA", "BBBB"], _sms.Sent.Select(m => m.AlertId));
        Assert.Empty(rig.Snapshot.Refused);
    }

    [Fact]
    public async Task A_sender_that_is_not_registered_shows_in_the_status_of_its_messages_and_counts_as_refused()
    {
        using var rig = Rig();
        _sms.Status = _ => new(DeliveryState.Failed, "30034", "number is not registered for 10DLC", FailureCure.None, RefusalScope.Channel);
        _telegram.Next(new SendOutcome.Handed("1"));
        rig.Raise("AAAA", AlicesPhone with { Rank = 0 }, AlicesChat with { Rank = 1 });

        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal("30034", rig.Snapshot.Refused[0].Code);
        Assert.Contains(_telegram.Sent, m => m.AlertId == "AAAA");
        Assert.Contains(_telegram.Sent, m => m.Kind == "channel");
    }

    [Fact]
    public async Task Queued_for_ever_lets_the_next_channel_have_its_turn_and_twenty_minutes_later_is_still_confirmed()
    {
        using var rig = Rig();
        var delivered = false;
        _sms.Status = _ => new(delivered ? DeliveryState.Delivered : DeliveryState.Underway);
        _telegram.Next(new SendOutcome.NotNow("down", null)).Next(new SendOutcome.Handed("1"));
        rig.Raise("AAAA", AlicesPhone with { Rank = 0 }, AlicesChat with { Rank = 1 });

        await rig.PassAsync(TimeSpan.FromSeconds(61));
        Assert.NotEmpty(_telegram.Sent);
        await rig.PassAsync(TimeSpan.FromMinutes(20));
        delivered = true;
        await rig.PassAsync(TimeSpan.FromMinutes(6));

        Assert.Equal((1, 0, 0), (_sms.Sent.Count, rig.Snapshot.Unconfirmed, rig.Snapshot.Dead));
    }

    [Fact]
    public async Task Quiet_hours_keep_a_digest_and_nothing_behind_it()
    {
        using var rig = Rig(alert => new QuietHours(TimeSpan.FromHours(23), TimeSpan.FromHours(7)).Hold(alert, FakeTime.Epoch + TimeSpan.FromHours(1)));
        rig.Outbox.Raise(OutboxRig.Alert("AAAA", Severity.Normal, "digest"), [AlicesPhone with { Rank = 0 }, AlicesChat with { Rank = 1 }]);
        rig.Outbox.Raise(OutboxRig.Alert("BBBB", Severity.Normal, "closed"), [AlicesPhone with { Rank = 0 }]);

        await rig.PassAsync(TimeSpan.FromHours(5));
        Assert.Equal(["BBBB"], _sms.Sent.Select(m => m.AlertId));
        Assert.Equal((0, 0), (rig.Snapshot.Pending, rig.Snapshot.Unconfirmed));

        await rig.PassAsync(TimeSpan.FromHours(2));
        Assert.Equal(["BBBB", "AAAA"], _sms.Sent.Select(m => m.AlertId));
        Assert.Empty(_telegram.Sent);
    }

    [Fact]
    public async Task What_rests_is_sent_when_the_machine_is_about_to_go()
    {
        using var rig = Rig(_ => TimeSpan.FromHours(6));
        rig.Raise("AAAA", AlicesPhone);
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Empty(_sms.Sent);

        rig.Service.EndQuiet();
        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Single(_sms.Sent);
    }

    [Fact]
    public async Task All_down_for_a_day_then_up_the_first_then_the_newest_in_order_and_one_message_for_the_rest()
    {
        using var rig = Rig();
        var up = false;
        for (var i = 0; i < 1_000; i++)
        {
            _sms.Next(message => Task.FromResult<SendOutcome>(up ? new SendOutcome.Accepted(_sms.Keep(message)) : new SendOutcome.NotNow("gateway cannot be reached", TimeSpan.FromMinutes(10))));
        }

        for (var hour = 0; hour < 24; hour++)
        {
            rig.Outbox.Raise(OutboxRig.Alert($"L{hour:00}A", kind: "login", about: $"l{hour}"), [AlicesPhone]);
            rig.Outbox.Raise(OutboxRig.Alert($"C{hour:00}A", hour % 6 == 0 ? Severity.Critical : Severity.Normal, "closed", $"c{hour}"), [AlicesPhone]);
            await rig.PassAsync(TimeSpan.FromHours(1));
        }

        up = true;
        var before = _sms.Sent.Count;
        await rig.PassAsync(TimeSpan.FromHours(1));

        var sent = _sms.Sent.Skip(before).ToList();
        Assert.Equal(["L00A", "C12A", "C18A", "L23A", "C23A"], sent.Select(m => m.AlertId).Where(id => id.EndsWith('A') && id.Length == 4 && id[0] is 'L' or 'C').ToList());
        var digest = Assert.Single(sent, m => m.Kind == "digest");
        Assert.StartsWith("home: 43 messages could not be sent when they were due (22 login, 21 closed)", digest.Text, StringComparison.Ordinal);
        Assert.Equal(6, sent.Count);
        Assert.Equal((0, 0), (rig.Snapshot.Pending, rig.Snapshot.Dead));
    }

    [Fact]
    public async Task Few_old_messages_are_sent_one_by_one()
    {
        using var rig = Rig();
        var up = false;
        for (var i = 0; i < 100; i++)
        {
            _sms.Next(message => Task.FromResult<SendOutcome>(up ? new SendOutcome.Accepted(_sms.Keep(message)) : new SendOutcome.NotNow("gateway cannot be reached", TimeSpan.FromMinutes(10))));
        }

        foreach (var id in new[] { "AAAA", "BBBB", "CCCC", "DDDD", "EEEE", "FFFF" })
        {
            rig.Outbox.Raise(OutboxRig.Alert(id, about: id), [AlicesPhone]);
        }

        await rig.PassAsync(TimeSpan.FromHours(2));
        up = true;
        var before = _sms.Sent.Count;
        await rig.PassAsync(TimeSpan.FromHours(1));

        Assert.Equal(["AAAA", "BBBB", "CCCC", "DDDD", "EEEE", "FFFF"], _sms.Sent.Skip(before).Select(m => m.AlertId));
    }

    [Theory]
    [InlineData("digest", Severity.Normal, 2, 5)]
    [InlineData("all-well", Severity.Low, 23.5, 7.5)]
    [InlineData("digest", Severity.Normal, 7, 0)]
    [InlineData("digest", Severity.Normal, 12, 0)]
    [InlineData("digest", Severity.High, 2, 0)]
    [InlineData("login", Severity.Normal, 2, 0)]
    [InlineData("closed", Severity.Normal, 2, 0)]
    [InlineData("broken", Severity.Normal, 2, 0)]
    [InlineData("login", Severity.Critical, 2, 0)]
    public void Quiet_hours_hold_digests_only(string kind, Severity severity, double hour, double held)
    {
        var quiet = QuietHours.Parse("23:00-07:00").Value!;

        Assert.Equal(TimeSpan.FromHours(held), quiet.Hold(OutboxRig.Alert("AAAA", severity, kind), FakeTime.Epoch + TimeSpan.FromHours(hour)));
    }

    [Theory]
    [InlineData("23:00")]
    [InlineData("23:00-24:00")]
    [InlineData("23:00-23:00")]
    [InlineData("night")]
    [InlineData("1:2:3-4:5")]
    public void Quiet_hours_that_are_none_are_told(string text) => Assert.NotNull(QuietHours.Parse(text).Problem);

    private OutboxRig Rig(Func<Alert, TimeSpan>? hold = null) => new(_telegram, _sms) { Hold = hold ?? (_ => TimeSpan.Zero) };
}
