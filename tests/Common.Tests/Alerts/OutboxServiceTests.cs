using Common.Alerts;
using Common.Journal;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Common.Tests.Alerts;

public sealed class OutboxServiceTests
{
    [Fact]
    public async Task Raised_alert_is_sent_at_once_and_confirmed_by_asking()
    {
        using var rig = new OutboxRig();
        rig.Raise("AAAA");

        await rig.TurnAsync();
        Assert.Equal([("AAAA", "+15550100001", "home: something happened #AAAA", "open", Severity.High)], rig.Sms.Sent.Select(m => (m.AlertId, m.Recipient, m.Text, m.Kind, m.Severity)));
        Assert.Equal(1, rig.Snapshot.Pending);

        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(["SM1"], rig.Sms.Queried);
        Assert.Equal(0, rig.Snapshot.Pending);
        Assert.Empty(rig.Sms.Looked);
    }

    [Fact]
    public async Task Raised_twice_is_told_once()
    {
        using var rig = new OutboxRig();

        Assert.True(rig.Outbox.Raise(OutboxRig.Alert("AAAA"), [OutboxRig.Alice]));
        Assert.False(rig.Outbox.Raise(OutboxRig.Alert("AAAA") with { Text = "later words #AAAA" }, [OutboxRig.Alice]));
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        Assert.False(rig.Outbox.Raise(OutboxRig.Alert("AAAA"), [OutboxRig.Alice]));
        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Single(rig.Sms.Sent);
    }

    [Fact]
    public async Task Two_alerts_that_meet_in_one_short_id_are_both_told()
    {
        using var rig = new OutboxRig();

        Assert.True(rig.Outbox.Raise(OutboxRig.Alert("AAAA", kind: "open"), [OutboxRig.Alice]));
        Assert.True(rig.Outbox.Raise(OutboxRig.Alert("AAAA", kind: "closed"), [OutboxRig.Alice]));
        Assert.False(rig.Outbox.Raise(OutboxRig.Alert("AAAA", kind: "closed"), [OutboxRig.Alice]));
        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(2, rig.Sms.Sent.Count);
        var longId = rig.Sms.Sent[1].AlertId;
        Assert.Equal((AlertId.LongLength, $"home: something happened #{longId}"), (longId.Length, rig.Sms.Sent[1].Text));
    }

    [Fact]
    public async Task Alert_of_a_transaction_that_fails_was_never_raised()
    {
        using var rig = new OutboxRig();

        Assert.Throws<SqliteException>(() => rig.Database.Write(transaction =>
        {
            Outbox.Add(transaction, OutboxRig.Alert("AAAA"), [OutboxRig.Alice]);
            transaction.Sql("INSERT INTO nowhere VALUES(1)").Run();
        }));
        rig.Database.Write(transaction =>
        {
            transaction.Sql("INSERT INTO journal VALUES('serving')").Run();
            Outbox.Add(transaction, OutboxRig.Alert("BBBB"), [OutboxRig.Alice]);
        });
        rig.Outbox.Wake();
        await rig.TurnAsync();

        Assert.Equal(["BBBB"], rig.Sms.Sent.Select(m => m.AlertId));
    }

    [Fact]
    public async Task Messages_to_one_person_go_one_at_a_time_in_order_and_another_person_does_not_wait()
    {
        using var rig = new OutboxRig();
        var held = new TaskCompletionSource<SendOutcome>();
        rig.Sms.Next(_ => held.Task);
        rig.Raise("AAAA");
        rig.Raise("BBBB", OutboxRig.Alice, OutboxRig.Bob);
        rig.Raise("CCCC");

        await rig.TurnAsync();
        Assert.Equal([("AAAA", "+15550100001"), ("BBBB", "+15550100002")], rig.Sms.Sent.Select(m => (m.AlertId, m.Recipient)));

        held.SetResult(new SendOutcome.Accepted("SMx"));
        await rig.Service.Asked;
        await rig.TurnAsync();
        Assert.Equal(["BBBB", "CCCC"], rig.Sms.Sent.Skip(2).Select(m => m.AlertId));
    }

    [Fact]
    public async Task Not_now_holds_the_whole_lane_back_and_keeps_the_order()
    {
        using var rig = new OutboxRig();
        rig.Sms.Next(new SendOutcome.NotNow("429", TimeSpan.FromSeconds(30)));
        rig.Raise("AAAA");
        rig.Raise("BBBB");

        await rig.PassAsync(TimeSpan.FromSeconds(29));
        Assert.Equal(["AAAA"], rig.Sms.Sent.Select(m => m.AlertId));

        await rig.PassAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(["AAAA", "AAAA", "BBBB"], rig.Sms.Sent.Select(m => m.AlertId));
    }

    [Fact]
    public async Task Lost_answer_is_looked_for_and_found_so_that_nothing_is_sent_twice()
    {
        using var rig = new OutboxRig();
        rig.Sms.NextIsTakenAndLost();
        rig.Raise("AAAA");

        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Single(rig.Sms.Sent);
        Assert.Single(rig.Sms.Held);
        Assert.Equal(0, rig.Snapshot.Pending);
    }

    [Fact]
    public async Task Lost_request_is_looked_for_twice_and_then_sent_again()
    {
        using var rig = new OutboxRig();
        rig.Sms.Next(new SendOutcome.Unclear("lost"));
        rig.Raise("AAAA");

        await rig.PassAsync(TimeSpan.FromSeconds(9));
        Assert.Equal((1, 1), (rig.Sms.Sent.Count, rig.Sms.Looked.Count));

        await rig.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((2, 2), (rig.Sms.Sent.Count, rig.Sms.Looked.Count));
        Assert.Single(rig.Sms.Held);
    }

    [Fact]
    public async Task A_message_that_is_always_unclear_lets_the_others_by()
    {
        using var rig = new OutboxRig();
        for (var i = 0; i < 50; i++)
        {
            rig.Sms.Next(m => Task.FromResult<SendOutcome>(m.AlertId == "AAAA" ? new SendOutcome.Unclear("500") : new SendOutcome.Accepted(rig.Sms.Keep(m))));
        }

        rig.Raise("AAAA");
        rig.Raise("BBBB");

        await rig.PassAsync(TimeSpan.FromMinutes(2));

        Assert.Contains(rig.Sms.Held.Values, m => m.AlertId == "BBBB");
        Assert.Equal(1, rig.Snapshot.Pending);
        Assert.Equal("500", rig.Snapshot.LastError);
    }

    [Fact]
    public async Task Refused_is_a_dead_letter_with_its_reason_also_after_a_restart()
    {
        using var rig = new OutboxRig();
        rig.Sms.Next(new SendOutcome.Refused("21610", "answered STOP"));
        rig.Raise("AAAA");

        await rig.TurnAsync();
        Assert.Equal((0, 1), (rig.Snapshot.Pending, rig.Snapshot.Dead));

        rig.Crash();
        await rig.TurnAsync();
        var letter = Assert.Single(rig.Snapshot.DeadLetters);
        Assert.Equal(("AAAA", "sms", "21610", "answered STOP"), (letter.AlertId, letter.Channel, letter.Code, letter.Reason));
        Assert.Single(rig.Sms.Sent);
    }

    [Fact]
    public async Task Nobody_to_tell_is_a_dead_letter_not_silence()
    {
        using var rig = new OutboxRig();
        rig.Outbox.Raise(OutboxRig.Alert("AAAA"), []);

        await rig.TurnAsync();

        Assert.Equal((0, 1), (rig.Snapshot.Pending, rig.Snapshot.Dead));
    }

    [Fact]
    public async Task Next_channel_comes_when_the_first_fails_or_is_too_slow_and_not_when_it_confirms()
    {
        var (telegram, sms) = (new FakeChannel("telegram"), new FakeChannel());
        using var rig = new OutboxRig(telegram, sms);
        Route[] routes = [new("telegram", "42", "alice"), OutboxRig.Alice];

        rig.Raise("AAAA", routes);
        await rig.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal((1, 0), (telegram.Sent.Count, sms.Sent.Count));

        telegram.Next(new SendOutcome.Refused("403", "blocked"));
        rig.Raise("BBBB", routes);
        await rig.TurnAsync();
        Assert.Equal((2, 1), (telegram.Sent.Count, sms.Sent.Count));

        telegram.Status = _ => new(DeliveryState.Underway);
        rig.Raise("CCCC", routes);
        await rig.PassAsync(TimeSpan.FromSeconds(59));
        Assert.Equal((3, 1), (telegram.Sent.Count, sms.Sent.Count));
        await rig.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal((3, 2), (telegram.Sent.Count, sms.Sent.Count));
    }

    [Fact]
    public async Task What_waits_for_a_dead_channel_is_dropped_once_another_has_told_the_person()
    {
        var (telegram, sms) = (new FakeChannel("telegram"), new FakeChannel());
        using var rig = new OutboxRig(telegram, sms);
        for (var i = 0; i < 100; i++)
        {
            telegram.Next(new SendOutcome.NotNow("down", null));
        }

        rig.Raise("AAAA", new Route("telegram", "42", "alice"), OutboxRig.Alice);
        await rig.PassAsync(TimeSpan.FromMinutes(5));

        Assert.Single(sms.Sent);
        Assert.Equal((0, 0), (rig.Snapshot.Pending, rig.Snapshot.Dead));
    }

    [Fact]
    public async Task Critical_goes_to_two_channels_at_once()
    {
        var (telegram, sms, mail) = (new FakeChannel("telegram"), new FakeChannel(), new FakeChannel("mail"));
        using var rig = new OutboxRig(telegram, sms, mail);
        rig.Outbox.Raise(OutboxRig.Alert("AAAA", Severity.Critical), [new("telegram", "42", "alice"), OutboxRig.Alice, new("mail", "a@b", "alice")]);

        await rig.TurnAsync();
        await rig.PassAsync(TimeSpan.FromMinutes(5));

        Assert.Equal((1, 1, 0), (telegram.Sent.Count, sms.Sent.Count, mail.Sent.Count));
    }

    [Fact]
    public async Task Filtered_text_is_said_again_plainly()
    {
        using var rig = new OutboxRig();
        rig.Sms.Status = id => id == "SM1" ? new(DeliveryState.Failed, "30007", "filtered", FailureCure.Plainer) : new(DeliveryState.Delivered);
        rig.Outbox.Raise(OutboxRig.Alert("AAAA", plain: "way in open: ssh home #AAAA"), [OutboxRig.Alice]);

        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(["home: something happened #AAAA", "way in open: ssh home #AAAA"], rig.Sms.Sent.Select(m => m.Text));
        Assert.Equal((0, 0), (rig.Snapshot.Pending, rig.Snapshot.Dead));
    }

    [Fact]
    public async Task Wall_clock_off_by_years_delays_nothing()
    {
        using var rig = new OutboxRig();
        rig.Time.StepWallClock(TimeSpan.FromDays(-20_000));
        rig.Sms.Next(new SendOutcome.NotNow("down", null));
        rig.Raise("AAAA");
        await rig.TurnAsync();
        rig.Time.StepWallClock(TimeSpan.FromDays(40_000));

        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(0, rig.Snapshot.Pending);
    }

    [Fact]
    public async Task An_adapter_that_throws_is_a_doubt_and_one_that_never_answers_too()
    {
        using var rig = new OutboxRig();
        rig.Sms.Next(_ => throw new InvalidOperationException("bug"));
        rig.Sms.Next(_ => new TaskCompletionSource<SendOutcome>().Task);
        rig.Raise("AAAA");
        rig.Raise("BBBB", OutboxRig.Bob);
        await rig.TurnAsync();

        rig.Time.Advance(DeliveryPolicy.Default.RequestTimeout);
        await rig.Service.Asked;
        await rig.PassAsync(TimeSpan.FromMinutes(2));

        Assert.Equal(2, rig.Sms.Held.Count);
        Assert.Equal(0, rig.Snapshot.Pending);
    }

    [Fact]
    public async Task Hundreds_of_alerts_at_once_all_arrive_in_order()
    {
        using var rig = new OutboxRig();
        string[] ids = [.. Enumerable.Range(1_000, 300).Select(i => $"A{i}")];
        rig.Database.Write(t => Assert.All(ids, id => Outbox.Add(t, OutboxRig.Alert(id, about: id), [OutboxRig.Alice])));
        rig.Outbox.Wake();

        await rig.TurnAsync();

        Assert.Equal(ids, rig.Sms.Sent.Select(m => m.AlertId));
    }

    [Fact]
    public async Task Oldest_pending_age_counts_what_passed_before_a_restart()
    {
        using var rig = new OutboxRig();
        for (var i = 0; i < 1_000; i++)
        {
            rig.Sms.Next(new SendOutcome.NotNow("down", null));
        }

        rig.Raise("AAAA");
        await rig.PassAsync(TimeSpan.FromMinutes(10));
        rig.Crash();
        await rig.PassAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(TimeSpan.FromMinutes(11), rig.Snapshot.OldestPendingAge);
        Assert.Equal("down", rig.Snapshot.LastError);
    }

    [Fact]
    public async Task Old_settled_alerts_are_forgotten_and_open_ones_never()
    {
        using var rig = new OutboxRig();
        rig.Sms.Next(new SendOutcome.NotNow("down", TimeSpan.FromMinutes(10)));
        rig.Raise("AAAA");
        for (var i = 0; i < 20; i++)
        {
            rig.Raise($"BBB{(char)('A' + i)}", OutboxRig.Bob);
        }

        await rig.PassAsync(TimeSpan.FromMinutes(1));
        rig.Outbox.Prune(keep: 5);

        var left = rig.Database.Read(c => c.Sql("SELECT id FROM alerts ORDER BY seq").List(r => r.GetString(0)));
        Assert.Equal(["AAAA", "BBBP", "BBBQ", "BBBR", "BBBS", "BBBT"], left);
        Assert.Equal(6, rig.Database.Read(c => c.Sql("SELECT alert_id FROM deliveries").List(r => r.GetString(0))).Count);
    }

    [Fact]
    public async Task Alerts_of_a_service_that_runs_for_years_are_bounded()
    {
        using var rig = new OutboxRig();
        using var service = new OutboxService(rig.Outbox, [rig.Sms], rig.Time, NullLogger<OutboxService>.Instance) { Kept = 5 };
        await service.StartAsync(CancellationToken.None);

        RaiseMany('A');
        await UntilAsync(() => service.Snapshot.Pending == 0);
        rig.Time.Advance(TimeSpan.FromHours(1));
        RaiseMany('B');

        await UntilAsync(() => Kept() < 25);
        await service.StopAsync(CancellationToken.None);

        int Kept() => rig.Database.Read(c => c.Sql("SELECT count(*) FROM alerts").List(r => r.GetInt32(0)))[0];

        void RaiseMany(char first)
        {
            for (var i = 0; i < 20; i++)
            {
                rig.Raise($"{first}BB{(char)('A' + i)}");
            }
        }

        async Task UntilAsync(Func<bool> condition)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (!condition())
            {
                // It forgets each hour, which may have begun before all of them were there.
                rig.Time.Advance(TimeSpan.FromMinutes(1));
                await Task.Delay(TimeSpan.FromMilliseconds(10), limit.Token);
            }
        }
    }
}
