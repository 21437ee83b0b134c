using Common.Alerts;
using Common.Time;

namespace Common.Tests.Alerts;

public sealed class DeliveryMachineTests
{
    private static readonly DeliveryPolicy Policy = DeliveryPolicy.Default;
    private static readonly Instant Now = new(TimeSpan.FromHours(5).Ticks);

    /// <summary>Every event that can come, by the name used in the table.</summary>
    private static readonly Dictionary<string, Func<Delivery, DeliveryEvent>> Events = new()
    {
        ["tick"] = _ => new DeliveryEvent.Tick(Now, 0.5, May: true, Told: false),
        ["tick may not"] = _ => new DeliveryEvent.Tick(Now, 0.5, May: false, Told: false),
        ["tick told"] = _ => new DeliveryEvent.Tick(Now, 0.5, May: false, Told: true),
        ["accepted"] = d => new DeliveryEvent.SendAnswered(Now, 0.5, d.Run, new SendOutcome.Accepted("SM2")),
        ["handed"] = d => new DeliveryEvent.SendAnswered(Now, 0.5, d.Run, new SendOutcome.Handed("8")),
        ["refused"] = d => new DeliveryEvent.SendAnswered(Now, 0.5, d.Run, new SendOutcome.Refused("21610", "stop")),
        ["not now"] = d => new DeliveryEvent.SendAnswered(Now, 0.5, d.Run, new SendOutcome.NotNow("429", TimeSpan.FromSeconds(7))),
        ["unclear"] = d => new DeliveryEvent.SendAnswered(Now, 0.5, d.Run, new SendOutcome.Unclear("lost")),
        ["looked: there"] = d => new DeliveryEvent.Looked(Now, 0.5, d.Run, "SM2"),
        ["looked: not there"] = d => new DeliveryEvent.Looked(Now, 0.5, d.Run, null),
        ["look failed"] = d => new DeliveryEvent.LookFailed(Now, 0.5, d.Run, "no way"),
        ["delivered"] = d => new DeliveryEvent.StatusSeen(Now, 0.5, d.Run, new(DeliveryState.Delivered)),
        ["underway"] = d => new DeliveryEvent.StatusSeen(Now, 0.5, d.Run, new(DeliveryState.Underway)),
        ["failed"] = d => new DeliveryEvent.StatusSeen(Now, 0.5, d.Run, new(DeliveryState.Failed, "30005", "no such number")),
        ["failed: later"] = d => new DeliveryEvent.StatusSeen(Now, 0.5, d.Run, new(DeliveryState.Failed, "30003", "phone off", FailureCure.Later)),
        ["failed: plainer"] = d => new DeliveryEvent.StatusSeen(Now, 0.5, d.Run, new(DeliveryState.Failed, "30007", "filtered", FailureCure.Plainer)),
        ["query failed"] = d => new DeliveryEvent.QueryFailed(Now, 0.5, d.Run, "no way"),
        ["restored"] = _ => new DeliveryEvent.Restored(Now, 0.5),
        ["turn came"] = _ => new DeliveryEvent.TurnCame(Now, 0.5),
        ["lane refused"] = _ => new DeliveryEvent.LaneRefused(Now, 0.5, "20003", "key refused"),
        ["folded"] = _ => new DeliveryEvent.Folded(Now, 0.5, "9ZZZ"),
        ["channel missing"] = _ => new DeliveryEvent.ChannelMissing(Now, 0.5),
    };

    /// <summary>state: event=next state[/action], ...; what is not named changes nothing. Sending, and asking ones, wait for an answer.</summary>
    private static readonly Dictionary<string, string> Table = new()
    {
        ["Held"] = "folded=NotNeeded, turn came=Pending, tick told=NotNeeded, restored=Held, channel missing=Dead",
        ["Pending"] = "tick=Sending/Send, tick told=NotNeeded, restored=Doubtful, lane refused=Dead, folded=NotNeeded, channel missing=Dead",
        ["Pending, unasked"] = "tick=Sending/Send, tick told=NotNeeded, restored=Pending, lane refused=Dead, folded=NotNeeded, channel missing=Dead",
        ["Sending, unasked"] = "accepted=Sent, handed=Confirmed, refused=Dead, not now=Pending, unclear=Doubtful, restored=Doubtful, channel missing=Dead",
        ["Sending, unasked, for 12 h"] = "accepted=Sent, handed=Confirmed, refused=Dead, not now=Pending, unclear=Dead, restored=Doubtful, channel missing=Dead",
        ["Doubtful, unasked"] = "tick=Sending/Send, tick told=NotNeeded, restored=Doubtful, channel missing=Dead, looked: there=Sent, looked: not there=Doubtful, look failed=Doubtful",
        ["Sending"] = "accepted=Sent, handed=Confirmed, refused=Dead, not now=Pending, unclear=Doubtful, restored=Doubtful, channel missing=Dead",
        ["Doubtful"] = "tick=Doubtful/Look, looked: there=Sent, looked: not there=Doubtful, look failed=Doubtful, restored=Doubtful, channel missing=Dead",
        ["Doubtful, missed once"] = "tick=Doubtful/Look, looked: there=Sent, looked: not there=Pending, look failed=Doubtful, restored=Doubtful, channel missing=Dead",
        ["Sent"] = "tick=Sent/Query, delivered=Confirmed, underway=Sent, failed=Dead, failed: later=Pending, failed: plainer=Pending, query failed=Sent, restored=Sent, channel missing=Dead",
        ["Sent, 3 min ago"] = "tick=Sent/Query, delivered=Confirmed, underway=Unconfirmed, failed=Dead, failed: later=Pending, failed: plainer=Pending, query failed=Unconfirmed, restored=Sent, channel missing=Dead",
        ["Unconfirmed"] = "tick=Unconfirmed/Query, delivered=Confirmed, underway=Unconfirmed, failed=Dead, failed: later=Pending, failed: plainer=Pending, query failed=Unconfirmed, restored=Unconfirmed, channel missing=Dead",
        ["Unconfirmed, 12 h ago"] = "tick=Unconfirmed/Query, delivered=Confirmed, underway=Dead, failed=Dead, failed: later=Pending, failed: plainer=Pending, query failed=Dead, restored=Unconfirmed, channel missing=Dead",
        ["Confirmed"] = "",
        ["Dead"] = "",
        ["NotNeeded"] = "",
    };

    public static TheoryData<string, string> Pairs
    {
        get
        {
            var pairs = new TheoryData<string, string>();
            foreach (var state in Table.Keys)
            {
                foreach (var ev in Events.Keys)
                {
                    pairs.Add(state, ev);
                }
            }

            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Every_event_in_every_state_does_what_the_table_says(string state, string ev)
    {
        var delivery = In(state);
        var (next, action) = Expected(state, ev);

        var step = DeliveryMachine.Advance(delivery, Events[ev](delivery), Policy);

        Assert.Equal((next, action), (step.Next.Phase, step.Action));
        if (!Table[state].Split(", ").Any(cell => cell.Split('=')[0] == ev))
        {
            Assert.Equal(delivery, step.Next);
        }
    }

    [Fact]
    public void The_table_names_only_what_exists()
    {
        var named = Table.Values.SelectMany(row => row.Split(", ", StringSplitOptions.RemoveEmptyEntries)).Select(cell => cell.Split('=')[0]);

        Assert.All(named, ev => Assert.Contains(ev, Events.Keys));
        Assert.All(Enum.GetNames<DeliveryPhase>().Where(n => n != "Unknown"), phase => Assert.Contains(phase, Table.Keys));
    }

    [Fact]
    public void Late_answer_of_an_earlier_question_changes_nothing()
    {
        foreach (var state in new[] { "Sending", "Doubtful", "Sent", "Unconfirmed" })
        {
            var delivery = In(state);
            Assert.All(Events.Values, make =>
            {
                if (make(delivery) is DeliveryEvent.SendAnswered or DeliveryEvent.Looked or DeliveryEvent.LookFailed or DeliveryEvent.StatusSeen or DeliveryEvent.QueryFailed)
                {
                    Assert.Equal(delivery, DeliveryMachine.Advance(delivery, make(delivery with { Run = delivery.Run - 1 }), Policy).Next);
                }
            });
        }
    }

    [Fact]
    public void Retry_after_is_honoured_and_a_silly_one_is_cut()
    {
        Assert.InRange(After(TimeSpan.FromSeconds(40)), TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(41));
        Assert.InRange(After(TimeSpan.FromDays(3)), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));
        Assert.InRange(After(TimeSpan.FromDays(-3)), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1));

        static TimeSpan After(TimeSpan retryAfter)
        {
            var d = In("Sending");
            var next = DeliveryMachine.Advance(d, new DeliveryEvent.SendAnswered(Now, 0.5, d.Run, new SendOutcome.NotNow("slow down", retryAfter)), Policy).Next;
            return next.Due - Now;
        }
    }

    [Fact]
    public void Not_now_backs_off_with_full_jitter_and_never_beyond_a_minute()
    {
        for (var failures = 0; failures < 40; failures++)
        {
            var d = In("Sending") with { Failures = failures };
            var due = DeliveryMachine.Advance(d, new DeliveryEvent.SendAnswered(Now, 0.999, d.Run, new SendOutcome.NotNow("down", null)), Policy).Next.Due;

            Assert.InRange(due - Now, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(60));
        }
    }

    [Fact]
    public void Accepted_message_is_asked_after_2_5_10_20_30_30_seconds_and_after_3_minutes_counts_as_unconfirmed()
    {
        var d = DeliveryMachine.Advance(In("Sending"), Events["accepted"](In("Sending")), Policy).Next;
        var gaps = new List<double>();
        var at = Now;
        while (d.Phase == DeliveryPhase.Sent)
        {
            gaps.Add((d.Due - at).TotalSeconds);
            at = d.Due;
            d = DeliveryMachine.Advance(d, new DeliveryEvent.Tick(at, 0, true, false), Policy).Next;
            d = DeliveryMachine.Advance(d, new DeliveryEvent.StatusSeen(at, 0, d.Run, new(DeliveryState.Underway)), Policy).Next;
        }

        Assert.Equal([2, 5, 10, 20, 30, 30, 30, 30, 30], gaps);
        Assert.Equal(DeliveryPhase.Unconfirmed, d.Phase);
        Assert.Equal(Policy.SlowPoll, d.Due - at);
    }

    [Fact]
    public void Failed_with_the_phone_off_is_sent_again_thrice_and_then_dead()
    {
        var d = In("Sent");
        var gaps = new List<double>();
        while (true)
        {
            d = DeliveryMachine.Advance(d, Events["failed: later"](d), Policy).Next;
            if (d.Phase == DeliveryPhase.Dead)
            {
                break;
            }

            gaps.Add((d.Due - Now).TotalMinutes);
            d = d with { Phase = DeliveryPhase.Sent, Due = Instant.Never };
        }

        Assert.Equal([1, 5, 15], gaps);
        Assert.Equal(("30003", "phone off"), (d.Code, d.Reason));
    }

    [Fact]
    public void Filtered_message_is_said_plainer_once()
    {
        var once = DeliveryMachine.Advance(In("Sent"), Events["failed: plainer"](In("Sent")), Policy).Next;
        var twice = DeliveryMachine.Advance(once with { Phase = DeliveryPhase.Sent }, Events["failed: plainer"](once), Policy).Next;
        var nothingPlainer = In("Sent") with { HasPlain = false };

        Assert.Equal((DeliveryPhase.Pending, true, Now), (once.Phase, once.SaidPlain, once.Due));
        Assert.Equal(DeliveryPhase.Dead, twice.Phase);
        Assert.Equal(DeliveryPhase.Dead, DeliveryMachine.Advance(nothingPlainer, Events["failed: plainer"](nothingPlainer), Policy).Next.Phase);
    }

    [Theory]
    [InlineData(Repetition.Seen, new[] { 60.0, 600, 3600, 3600 })]
    [InlineData(Repetition.Unseen, new[] { 1.0, 2, 4, 8 })]
    public void Unclear_sending_of_a_channel_that_nobody_can_ask_is_said_again_at_a_pace_that_is_no_flood(Repetition repetition, double[] gaps)
    {
        var d = In("Sending") with { Repetition = repetition, Doubts = 1 };
        var seen = new List<double>();
        var at = Now;
        foreach (var _ in gaps)
        {
            d = DeliveryMachine.Advance(d, new DeliveryEvent.SendAnswered(at, 0.5, d.Run, new SendOutcome.Unclear("HTTP 500")), Policy).Next;
            Assert.Equal(DeliveryPhase.Doubtful, d.Phase);
            seen.Add((d.Due - at).TotalSeconds);
            at = d.Due;
            var step = DeliveryMachine.Advance(d, new DeliveryEvent.Tick(at, 0.5, May: true, Told: false), Policy);
            Assert.Equal(DeliveryAction.Send, step.Action);
            d = step.Next;
        }

        Assert.Equal(gaps, seen);
    }

    [Fact]
    public void Look_that_finds_only_the_message_known_to_have_failed_has_found_nothing()
    {
        var d = In("Doubtful, missed once") with { ProviderId = "SM2", Due = Instant.Never };

        Assert.Equal(DeliveryPhase.Pending, DeliveryMachine.Advance(d, Events["looked: there"](d), Policy).Next.Phase);
    }

    [Fact]
    public void Critical_is_sent_although_the_person_was_told()
    {
        var d = In("Pending") with { Always = true };

        Assert.Equal(DeliveryAction.Send, DeliveryMachine.Advance(d, new DeliveryEvent.Tick(Now, 0, true, Told: true), Policy).Action);
    }

    [Fact]
    public void Whatever_happens_nothing_is_resent_without_a_look_and_nothing_is_lost()
    {
        for (var seed = 0; seed < 3_000; seed++)
        {
            Live(new Random(seed), seed);
        }
    }

    /// <summary>A gateway that loses requests and answers, a process that dies: one delivery until it is settled.</summary>
    private static void Live(Random random, int seed)
    {
        var d = In("Pending") with { HasPlain = random.Next(2) == 0 };
        var at = Now;
        var mayBeThere = false;   // a sending was unclear and no look has found nothing since
        for (var i = 0; i < 400 && !d.IsSettled; i++)
        {
            at += TimeSpan.FromSeconds(random.Next(0, 40));
            var before = d;
            var ev = Next(random, d, at);
            var step = DeliveryMachine.Advance(d, ev, Policy);
            d = step.Next;
            mayBeThere = ev switch
            {
                DeliveryEvent.Restored when before.Phase == DeliveryPhase.Sending => true,
                DeliveryEvent.SendAnswered { Outcome: SendOutcome.Unclear } a when a.Run == before.Run && before.Phase == DeliveryPhase.Sending => true,
                DeliveryEvent.Looked l when l.Run == before.Run && before.Phase == DeliveryPhase.Doubtful => false,
                _ => mayBeThere,
            };

            Assert.False(step.Action == DeliveryAction.Send && mayBeThere, $"seed {seed}: sent again without a look");
            Assert.True(step.Action != DeliveryAction.Look || d.Phase == DeliveryPhase.Doubtful);
            Assert.True(d.IsSettled || d.IsAsking || d.Due < at + TimeSpan.FromMinutes(16), $"seed {seed}: nothing will happen any more");
            Assert.True(!d.IsAsking || step.Action != DeliveryAction.None || before.IsAsking, $"seed {seed}: waits for an answer to nothing");
        }
    }

    private static DeliveryEvent Next(Random random, Delivery d, Instant at)
    {
        var jitter = random.NextDouble();
        if (random.Next(25) == 0)
        {
            return new DeliveryEvent.Restored(at, jitter);
        }

        var run = random.Next(15) == 0 ? d.Run - 1 : d.Run;
        return (d.IsAsking, d.Phase) switch
        {
            (true, DeliveryPhase.Sending) => new DeliveryEvent.SendAnswered(at, jitter, run, random.Next(5) switch
            {
                0 => new SendOutcome.Accepted($"SM{random.Next()}"),
                1 => new SendOutcome.NotNow("slow", random.Next(2) == 0 ? null : TimeSpan.FromSeconds(random.Next(0, 100_000))),
                2 when random.Next(10) == 0 => new SendOutcome.Refused("21610", "stop"),
                _ => new SendOutcome.Unclear("lost"),
            }),
            (true, DeliveryPhase.Doubtful) => random.Next(3) switch
            {
                0 => new DeliveryEvent.Looked(at, jitter, run, "SMfound"),
                1 => new DeliveryEvent.Looked(at, jitter, run, null),
                _ => new DeliveryEvent.LookFailed(at, jitter, run, "no way"),
            },
            (true, _) => random.Next(6) switch
            {
                0 => new DeliveryEvent.StatusSeen(at, jitter, run, new(DeliveryState.Failed, "30003", "off", (FailureCure)random.Next(1, 4))),
                1 => new DeliveryEvent.QueryFailed(at, jitter, run, "no way"),
                2 when random.Next(8) == 0 => new DeliveryEvent.StatusSeen(at, jitter, run, new(DeliveryState.Delivered)),
                _ => new DeliveryEvent.StatusSeen(at, jitter, run, new(DeliveryState.Underway)),
            },
            _ => new DeliveryEvent.Tick(at, jitter, May: random.Next(4) > 0, Told: false),
        };
    }

    private static Delivery In(string state)
    {
        var phase = Enum.Parse<DeliveryPhase>(state.Split(',')[0]);
        var d = new Delivery(new("7F3K", "sms", "+15551230001"), "alice", 0, Always: false, HasPlain: true)
        {
            Phase = phase,
            Due = phase == DeliveryPhase.Sending ? Instant.Never : Now,
            Since = Now,
            AcceptedAt = Now,
            Run = 4,
            ProviderId = phase is DeliveryPhase.Sent or DeliveryPhase.Unconfirmed ? "SM1" : null,
        };
        return state switch
        {
            _ when state.Contains("unasked", StringComparison.Ordinal) => d with
            {
                Repetition = Repetition.Seen,
                Since = state.EndsWith("12 h", StringComparison.Ordinal) ? Now - TimeSpan.FromHours(12) : Now,
            },
            "Doubtful, missed once" => d with { Misses = 1 },
            "Sent, 3 min ago" => d with { AcceptedAt = Now - TimeSpan.FromMinutes(3) },
            "Unconfirmed, 12 h ago" => d with { AcceptedAt = Now - TimeSpan.FromHours(12) },
            _ => d,
        };
    }

    private static (DeliveryPhase Next, DeliveryAction Action) Expected(string state, string ev)
    {
        var cell = Table[state].Split(", ").FirstOrDefault(c => c.Split('=')[0] == ev)?.Split('=')[1].Split('/');
        return cell is null
            ? (In(state).Phase, DeliveryAction.None)
            : (Enum.Parse<DeliveryPhase>(cell[0]), cell.Length > 1 ? Enum.Parse<DeliveryAction>(cell[1]) : DeliveryAction.None);
    }
}
