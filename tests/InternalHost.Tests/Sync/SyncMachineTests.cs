using System.Net;
using Common.Time;
using InternalHost.Sync;

namespace InternalHost.Tests.Sync;

public sealed class SyncMachineTests
{
    private static readonly IPAddress Vm = IPAddress.Parse("203.0.113.7");
    private static readonly SyncAnswer Taken = new(true, 12, null);

    private Instant _now = new(TimeSpan.FromHours(1).Ticks);
    private SyncState _state = new();

    [Fact]
    public void Each_login_of_the_tunnel_pushes()
    {
        Open();

        Assert.Equal([new SyncEffect.Push(1, Vm)], Send(at => new SyncEvent.Connected(at, Vm)));
        Assert.Empty(Answer(1, Taken));
        Send(at => new SyncEvent.Disconnected(at));
        Assert.Equal([new SyncEffect.Push(2, Vm)], Send(at => new SyncEvent.Connected(at, Vm)));
    }

    [Fact]
    public void Refusal_is_told_once_the_tunnel_is_open_once_and_tried_again_by_the_ladder()
    {
        Open();
        Send(at => new SyncEvent.Connected(at, Vm));
        Assert.Empty(Answer(1, Refused(SyncFailure.Invalid)));
        Assert.True(_state.Answered);

        Assert.Equal([new SyncEffect.Tell(1, Refused(SyncFailure.Invalid).Problem!)], Send(at => new SyncEvent.Verified(at)));
        foreach (var (attempt, wait) in new[] { (2, 30), (3, 60), (4, 120), (5, 240), (6, 300), (7, 300) })
        {
            Assert.Equal(_now + TimeSpan.FromSeconds(wait), SyncMachine.WakeAt(_state));
            _now += TimeSpan.FromSeconds(wait);
            Assert.Equal([new SyncEffect.Push(attempt, Vm)], Send(at => new SyncEvent.Ticked(at)));
            Assert.Empty(Answer(attempt, Refused(SyncFailure.Invalid)));
        }

        Assert.Equal([new SyncEffect.Tell(1, Refused(SyncFailure.NotSigned).Problem!)], Wait(SyncFailure.NotSigned));
    }

    [Fact]
    public void What_may_pass_is_told_when_it_has_not()
    {
        Open();
        Send(at => new SyncEvent.Connected(at, Vm));
        Send(at => new SyncEvent.Verified(at));

        Assert.Empty(Answer(1, Refused(SyncFailure.NoAnswer)));
        Assert.Single(Wait(SyncFailure.NoAnswer));
    }

    [Fact]
    public void Nothing_is_told_before_the_tunnel_is_open()
    {
        Open();
        Send(at => new SyncEvent.Connected(at, Vm));

        Assert.Empty(Answer(1, Refused(SyncFailure.Denied)));
    }

    [Fact]
    public void Reconnect_does_not_ask_again_at_once_what_only_a_person_can_mend()
    {
        Open();
        Send(at => new SyncEvent.Connected(at, Vm));
        Answer(1, Refused(SyncFailure.Denied));
        Send(at => new SyncEvent.Disconnected(at));

        Assert.Empty(Send(at => new SyncEvent.Connected(at, Vm)));
        _now += TimeSpan.FromSeconds(30);
        Assert.Single(Send(at => new SyncEvent.Ticked(at)));
    }

    [Fact]
    public void Reconnect_pushes_at_once_after_a_failure_that_may_pass()
    {
        Open();
        Send(at => new SyncEvent.Connected(at, Vm));
        Answer(1, Refused(SyncFailure.Unreachable));
        Send(at => new SyncEvent.Disconnected(at));

        Assert.Single(Send(at => new SyncEvent.Connected(at, Vm)));
    }

    [Fact]
    public void Change_during_a_push_is_pushed_after_it()
    {
        Open();
        Send(at => new SyncEvent.Connected(at, Vm));

        Assert.Equal([new SyncEffect.Compare()], Send(at => new SyncEvent.Reloaded(at)));
        Assert.Empty(Send(at => new SyncEvent.Changed(at)));
        Assert.Equal([new SyncEffect.Push(2, Vm)], Answer(1, Taken));
    }

    [Fact]
    public void Answer_to_an_earlier_wish_is_nobodys()
    {
        Open();
        Send(at => new SyncEvent.Connected(at, Vm));
        Send(at => new SyncEvent.Closed(at));
        Open(2);

        Assert.Empty(Answer(1, Taken));
        Assert.False(_state.Answered);
        Assert.Null(_state.InForce);
    }

    [Fact]
    public void New_wish_tells_again()
    {
        Open();
        Send(at => new SyncEvent.Connected(at, Vm));
        Send(at => new SyncEvent.Verified(at));
        Assert.Single(Answer(1, Refused(SyncFailure.Denied)));
        Open(2);
        Send(at => new SyncEvent.Connected(at, Vm));
        Send(at => new SyncEvent.Verified(at));

        Assert.Single(Answer(2, Refused(SyncFailure.Denied)));
    }

    [Fact]
    public void Push_without_a_channel_is_taken_and_told()
    {
        Open();
        Send(at => new SyncEvent.Connected(at, Vm));
        Send(at => new SyncEvent.Verified(at));

        Assert.Single(Answer(1, Taken with { Problem = new(SyncFailure.SecretMissing, "sms_secret") }));
        Assert.Equal(12, _state.InForce);
        Assert.Equal(Instant.Never, SyncMachine.WakeAt(_state));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_comes_one_push_is_out_at_a_time_and_each_cause_is_told_once_a_wish(int seed)
    {
        var random = new Random(seed);
        var (outNow, wish, told) = (0, 0, new HashSet<(int, SyncFailure)>());
        for (var i = 0; i < 20_000; i++)
        {
            _now += TimeSpan.FromSeconds(random.Next(40));
            var failure = (SyncFailure)random.Next(1, 17);
            var effects = Send(at => random.Next(9) switch
            {
                0 when random.Next(5) == 0 => new SyncEvent.Opened(at, ++wish),
                1 when random.Next(5) == 0 => new SyncEvent.Closed(at),
                2 => new SyncEvent.Connected(at, Vm),
                3 => new SyncEvent.Disconnected(at),
                4 => new SyncEvent.Verified(at),
                5 => new SyncEvent.Changed(at),
                6 => new SyncEvent.Reloaded(at),
                7 => new SyncEvent.Answered(at, _state.Attempt, random.Next(3) == 0 ? Taken : Refused(failure)),
                _ => new SyncEvent.Ticked(at),
            });
            foreach (var effect in effects)
            {
                if (effect is SyncEffect.Push push)
                {
                    Assert.True(push.Attempt > outNow);
                    Assert.True(_state.Out);
                    outNow = push.Attempt;
                }

                Assert.True(effect is not SyncEffect.Tell tell || told.Add((tell.Wish, tell.Problem.Failure)), $"{effect} twice");
            }

            Assert.True(SyncMachine.WakeAt(_state) == Instant.Never || !_state.Out);
            Assert.False(_state.Problem is not null && _state is { Out: false, NextTry: null, InForce: null, Wish: not null }, "a failure that is never tried again");
        }

        Assert.True(told.Count > 20);
    }

    private List<SyncEffect> Wait(SyncFailure failure)
    {
        _now = SyncMachine.WakeAt(_state);
        var push = Assert.IsType<SyncEffect.Push>(Assert.Single(Send(at => new SyncEvent.Ticked(at))));
        return Answer(push.Attempt, Refused(failure));
    }

    private void Open(int wish = 1) => Send(at => new SyncEvent.Opened(at, wish));

    private List<SyncEffect> Answer(int attempt, SyncAnswer answer) => Send(at => new SyncEvent.Answered(at, attempt, answer));

    private static SyncAnswer Refused(SyncFailure failure) => SyncAnswer.Not(failure, "words");

    private List<SyncEffect> Send(Func<Instant, SyncEvent> ev)
    {
        var step = SyncMachine.Advance(_state, ev(_now));
        _state = step.Next;
        return [.. step.Effects];
    }
}
