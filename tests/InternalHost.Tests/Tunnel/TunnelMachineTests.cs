using System.Net;
using Common.Time;
using InternalHost.Tunnel;
using static InternalHost.Tunnel.TunnelEffect;
using static InternalHost.Tunnel.TunnelEvent;
using static InternalHost.Tunnel.TunnelState;

namespace InternalHost.Tests.Tunnel;

public sealed class TunnelMachineTests
{
    private static readonly TunnelPolicy Policy = TunnelPolicy.Default;
    private static readonly IPAddress Here = IPAddress.Parse("203.0.113.7");
    private static readonly IPAddress There = IPAddress.Parse("203.0.113.8");
    private static readonly TunnelFailure Closed = new(TunnelReason.Closed, "closed");
    private static readonly TunnelFailure Denied = new(TunnelReason.Denied, "denied");
    private static readonly TunnelFailure Dark = new(TunnelReason.Timeout, "dark");

    [Fact]
    public void Wish_leads_to_a_verified_tunnel()
    {
        var course = new Course().Wanted();

        Assert.Equal("Dial 1", course.Said);
        Assert.Equal("Connect 1", course.Then(new DialWon(course.At, 1)).Said);
        Assert.Equal("AddForwards 1", course.Then(new Connected(course.At, 1)).Said);
        Assert.Equal("Probe 1", course.Then(new LoopForwarded(course.At, 1, null, 0)).Said);
        Assert.Equal("Tell Verified", course.Then(new ProbeAnswered(course.At, 1)).Said);
        Assert.IsType<Up>(course.State);
    }

    [Fact]
    public void Up_is_proven_again_every_fifteen_seconds()
    {
        var course = new Course().Up();
        var first = ((Up)course.State).Proven;

        Assert.Equal("", course.After(14.9).Tick().Said);
        Assert.Equal("Probe 1", course.After(0.1).Tick().Said);
        Assert.Equal("", course.After(1).Then(new ProbeAnswered(course.At, 1)).Said);
        Assert.Equal(TimeSpan.FromSeconds(16), ((Up)course.State).Proven - first);
    }

    [Fact]
    public void Two_misses_on_an_idle_link_are_death_and_end_the_probing()
    {
        var course = new Course().Up().After(15).Tick().After(3);

        Assert.Equal("", course.Then(new ProbeMissed(course.At, 1, Moved: 1000, 0)).Said);
        Assert.Equal("Probe 1", course.After(2).Tick().Said);
        Assert.Equal("Close 1, Tell Lost LoopProbeFailed", course.After(3).Then(new ProbeMissed(course.At, 1, Moved: 1300, 0)).Said);
        Assert.IsType<BackingOff>(course.State);
    }

    [Fact]
    public void Bytes_between_two_misses_make_the_second_the_first()
    {
        var course = new Course().Up().After(15).Tick().After(3).Then(c => new ProbeMissed(c.At, 1, Moved: 1000, 0)).After(2).Tick().After(3);

        course.Then(new ProbeMissed(course.At, 1, Moved: 1000 + LoopVerdict.BusyBytes, 0));

        Assert.Equal(1, Assert.IsType<Up>(course.State).Watch.Misses);
        Assert.Equal("Probe 1", course.After(2).Tick().Said);
    }

    [Fact]
    public void Late_echo_with_bytes_from_the_bastion_counts_as_proof_and_is_busy()
    {
        var course = new Course().Up().After(15).Tick().After(3).Then(c => new ProbeDelayed(c.At, 1, Received: true));

        var up = Assert.IsType<Up>(course.State);
        Assert.True(up.Watch.Busy);
        Assert.Equal(course.At, up.Proven);
        Assert.Equal(up.Proven, Assert.IsType<Up>(course.After(3).Then(c => new ProbeDelayed(c.At, 1, Received: false)).State).Proven);
    }

    [Fact]
    public void End_of_a_stable_run_is_retried_at_once()
    {
        var course = new Course().Up().After(30).Then(c => new Failed(c.At, 1, Closed, Jitter: 0.99));

        Assert.Equal("Close 1, Tell Lost Closed", course.Said);
        Assert.Equal("Dial 2", course.Tick().Said);
    }

    [Fact]
    public void Failures_after_a_short_run_wait_longer_up_to_the_cap()
    {
        var course = new Course().Up();
        var waits = new List<double>();
        for (var i = 0; i < 10; i++)
        {
            course.Then(c => new Failed(c.At, c.State.Run, Dark, Jitter: 0.999999));
            var off = Assert.IsType<BackingOff>(course.State);
            waits.Add(Math.Round((off.Until - off.Since).TotalSeconds, 1));
            course.Go(off.Until).Tick();
        }

        Assert.Equal([0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30], waits);
    }

    [Fact]
    public void Nudge_cuts_the_wait_short_but_not_below_the_floor()
    {
        var course = new Course().Up().Fail(Dark, times: 6);

        Assert.Equal("", course.Then(c => new Nudged(c.At)).Said);
        Assert.Equal("Dial 7", course.After(0.25).Tick().Said);
        Assert.Equal("Dial 8", course.Then(c => new Failed(c.At, 7, Dark, 0.9)).After(1).Then(c => new Nudged(c.At)).Said);
    }

    [Fact]
    public void Nudge_while_dialling_lets_the_next_round_follow_at_once()
    {
        var course = new Course().Up().Fail(Dark, times: 6).Go(Instant.Never - TimeSpan.FromDays(1)).Tick();
        Assert.IsType<Dialling>(course.State);

        course.Then(c => new Nudged(c.At)).Then(c => new Failed(c.At, 7, Dark, 0.9));

        Assert.Equal(course.At, Assert.IsType<BackingOff>(course.State).Until);
    }

    [Fact]
    public void Nudge_ends_a_login_that_began_on_the_old_link()
    {
        var young = new Course().Wanted().Then(c => new DialWon(c.At, 1)).After(2.9).Then(c => new Nudged(c.At));
        var old = new Course().Wanted().Then(c => new DialWon(c.At, 1)).After(3).Then(c => new Nudged(c.At));

        Assert.Equal("", young.Said);
        Assert.Equal("Close 1, Dial 2", old.Said);
    }

    [Fact]
    public void Nudge_makes_an_up_tunnel_prove_itself_now() =>
        Assert.Equal("Probe 1", new Course().Up().After(1).Then(c => new Nudged(c.At)).Said);

    [Fact]
    public void While_the_vm_boots_dials_follow_each_other_and_other_failures_wait_a_second_at_most()
    {
        var course = new Course().Wanted();
        for (var i = 0; i < 20; i++)
        {
            course.After(8).Then(c => new Failed(c.At, c.State.Run, Dark, Jitter: 0.99));
            Assert.Equal(course.At, Assert.IsType<BackingOff>(course.State).Until);
            course.Tick().Then(c => new DialWon(c.At, c.State.Run)).Then(c => new Failed(c.At, c.State.Run, Closed, Jitter: 0.99));
            Assert.InRange((Assert.IsType<BackingOff>(course.State).Until - course.At).TotalSeconds, 0, 1);
            course.After(1).Tick();
        }
    }

    [Fact]
    public void Boot_that_lasts_too_long_is_no_boot_any_more()
    {
        var course = new Course().Wanted().After(Policy.BootWindow.TotalSeconds);

        course.Fail(Dark, times: 6);

        Assert.InRange((Assert.IsType<BackingOff>(course.State).Until - course.At).TotalSeconds, 10, 30);
    }

    [Fact]
    public void Refusals_climb_their_own_ladder_and_the_third_in_five_minutes_is_told()
    {
        var course = new Course().Wanted();
        var (waits, told) = (new List<double>(), new List<int>());
        for (var i = 1; i <= 6; i++)
        {
            course.Then(c => new DialWon(c.At, c.State.Run)).Then(c => new Failed(c.At, c.State.Run, Denied, 0.5));
            if (course.Said.Contains("Trouble Denied", StringComparison.Ordinal))
            {
                told.Add(i);
            }

            waits.Add((Assert.IsType<BackingOff>(course.State).Until - course.At).TotalSeconds);
            course.After(waits[^1]).Tick();
        }

        Assert.Equal([30, 60, 120, 240, 300, 300], waits);
        Assert.Equal([3], told);
    }

    [Fact]
    public void Nudge_does_not_press_a_server_that_refuses()
    {
        var course = new Course().Wanted().Then(c => new DialWon(c.At, 1)).Then(c => new Failed(c.At, 1, Denied, 0));

        Assert.Equal("", course.After(1).Then(c => new Nudged(c.At)).Said);
        Assert.Equal("Dial 2", course.After(14).Tick().Said);
    }

    [Fact]
    public void Other_host_key_is_told_and_tried_again_after_a_minute_or_at_another_address()
    {
        var course = new Course().Wanted().Then(c => new DialWon(c.At, 1)).Then(c => new Failed(c.At, 1, new(TunnelReason.HostKeyChanged, "other"), 0));

        Assert.Equal("Close 1, Tell HostKeyChanged", course.Said);
        Assert.Equal("", course.After(59.9).Tick().Said);
        Assert.Equal("Dial 2", course.After(0.1).Tick().Said);
        course.Then(c => new DialWon(c.At, 2)).Then(c => new Failed(c.At, 2, new(TunnelReason.HostKeyChanged, "other"), 0));
        Assert.Equal("Dial 3", course.Then(c => new Wanted(c.At, 1, [There])).Said);
    }

    [Fact]
    public void Taken_loop_port_is_probed_once_and_given_thirty_seconds()
    {
        var course = new Course().Connected();

        Assert.Equal("Probe 1", course.Then(c => new LoopForwarded(c.At, 1, TunnelReason.ForwardBusy, 0)).Said);
        Assert.Equal("", course.Then(c => new ProbeMissed(c.At, 1, 0, 0)).Said);
        Assert.Equal("", course.After(20).Then(c => new LoopForwarded(c.At, 1, TunnelReason.ForwardBusy, 0)).Said);
        Assert.Equal("Close 1", course.After(10).Tick().Said);
        Assert.Equal(TunnelReason.ForwardBusy, Assert.IsType<BackingOff>(course.State).Memory.Last?.Reason);
    }

    [Fact]
    public void Taken_loop_port_that_becomes_free_is_used()
    {
        var course = new Course().Connected().Then(c => new LoopForwarded(c.At, 1, TunnelReason.ForwardBusy, 0));

        Assert.Equal("Probe 1", course.After(5).Then(c => new LoopForwarded(c.At, 1, null, 0)).Said);
        Assert.IsType<Verifying>(course.State);
    }

    [Fact]
    public void Stranger_on_the_loop_port_fails_the_run_before_and_after_the_forward()
    {
        var before = new Course().Connected().Then(c => new LoopForwarded(c.At, 1, TunnelReason.ForwardBusy, 0)).Then(c => new ProbeForeign(c.At, 1, 0));
        var after = new Course().Connected().Then(c => new LoopForwarded(c.At, 1, null, 0)).Then(c => new ProbeForeign(c.At, 1, 0));

        Assert.All([before, after], course => Assert.Equal(TunnelReason.ForeignListener, Assert.IsType<BackingOff>(course.State).Memory.Last?.Reason));
    }

    /// <summary>At once, and as two hosts take turns when both keep the pace.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(31)]
    public void Eviction_again_and_again_is_told_and_paced(int up)
    {
        var course = new Course().Up();
        var said = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            course.After(up).Then(c => new Failed(c.At, c.State.Run, Closed, 0));
            said.Add(course.Said);
            var wait = Assert.IsType<BackingOff>(course.State).Until - course.At;
            Assert.True(i < 2 ? wait < TimeSpan.FromSeconds(5) : wait == TimeSpan.FromSeconds(30), $"{i}: {wait}");
            course.After(30).Tick().ToUp();
        }

        Assert.All(said[..2], s => Assert.DoesNotContain("Trouble", s, StringComparison.Ordinal));
        Assert.Contains("Trouble Evicted", said[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Who_is_left_alone_by_the_other_is_back_at_the_usual_pace()
    {
        var course = new Course().Up();
        for (var i = 0; i < 4; i++)
        {
            course.After(31).Then(c => new Failed(c.At, c.State.Run, Closed, 0)).After(30).Tick().ToUp();
        }

        course.After(61).Then(c => new Failed(c.At, c.State.Run, Closed, 0));

        var off = Assert.IsType<BackingOff>(course.State);
        Assert.Equal((TunnelReason.Closed, 0, TimeSpan.Zero), (off.Memory.Last!.Reason, off.Memory.Evictions, off.Until - course.At));
    }

    [Fact]
    public void Repeated_wish_is_answered_by_a_fresh_proof()
    {
        var course = new Course().Up().After(1);

        Assert.Equal("Probe 1", course.Then(c => new Wanted(c.At, 9, [There])).Said);
        Assert.Equal("Tell Verified", course.Then(c => new ProbeAnswered(c.At, 1)).Said);
        Assert.Equal(9, Assert.IsType<Up>(course.State).Memory.Wish);
        Assert.Equal("Dial 2", course.After(30).Then(c => new Failed(c.At, 1, Closed, 0)).Tick().Said);
        Assert.Equal(There, Assert.Single(Assert.IsType<Dialling>(course.State).Memory.Addresses));
    }

    [Fact]
    public void New_address_ends_every_attempt_at_the_old_one()
    {
        var dialling = new Course().Wanted().Then(c => new Wanted(c.At, 1, [There, Here]));
        var same = new Course().Wanted().Then(c => new Wanted(c.At, 1, [Here]));

        Assert.Equal("Close 1, Dial 2", dialling.Said);
        Assert.Equal("", same.Said);
    }

    [Fact]
    public void Unwanted_ends_everything_and_a_new_wish_starts_afresh()
    {
        var course = new Course().Up().Then(c => new Unwanted(c.At));

        Assert.Equal("Close 1", course.Said);
        Assert.Equal("Dial 2", course.Wanted().Said);
        Assert.False(Assert.IsType<Dialling>(course.State).Memory.EverVerified);
    }

    /// <summary>One tunnel's life, event by event.</summary>
    internal sealed class Course
    {
        public TunnelState State { get; private set; } = TunnelMachine.Start;

        public Instant At { get; private set; } = new(TimeSpan.FromHours(1).Ticks);

        public string Said { get; private set; } = "";

        public Course Then(TunnelEvent ev)
        {
            var step = TunnelMachine.Advance(State, ev, Policy);
            (State, Said) = (step.Next, string.Join(", ", step.Effects.Select(Name)));
            return this;
        }

        public Course Then(Func<Course, TunnelEvent> next) => Then(next(this));

        public Course After(double seconds) => Go(At + TimeSpan.FromSeconds(seconds));

        public Course Go(Instant at)
        {
            At = at;
            return this;
        }

        public Course Tick() => Then(new Ticked(At));

        public Course Wanted() => Then(new Wanted(At, 1, [Here]));

        public Course Connected() => Wanted().Then(new DialWon(At, 1)).Then(new Connected(At, 1));

        public Course Up() => Wanted().ToUp();

        public Course ToUp() => Then(new DialWon(At, State.Run)).Then(new Connected(At, State.Run)).Then(new LoopForwarded(At, State.Run, null, 0)).Then(new ProbeAnswered(At, State.Run));

        public Course Fail(TunnelFailure failure, int times)
        {
            for (var i = 1; i <= times; i++)
            {
                Then(new Failed(At, State.Run, failure, 0.99));
                if (i < times)
                {
                    Go(((BackingOff)State).Until).Tick();
                }
            }

            return this;
        }

        private static string Name(TunnelEffect effect) => effect switch
        {
            Dial e => $"Dial {e.Run}",
            Connect e => $"Connect {e.Run}",
            AddForwards e => $"AddForwards {e.Run}",
            Probe e => $"Probe {e.Run}",
            Close e => $"Close {e.Run}",
            Tell { News: TunnelNews.Lost lost } => $"Tell Lost {lost.Failure.Reason}",
            Tell { News: TunnelNews.Trouble trouble } => $"Tell Trouble {trouble.Failure.Reason}",
            Tell e => $"Tell {e.News.GetType().Name}",
            _ => throw new InvalidOperationException($"{effect}"),
        };
    }
}
