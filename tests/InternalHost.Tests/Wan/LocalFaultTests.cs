using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Wan;

/// <summary>When the fault may be ours, or is not known yet; each of these ends (invariant I5).</summary>
public class LocalFaultTests
{
    private const UplinkName P = UplinkName.Primary;
    private const UplinkName B = UplinkName.Backup;

    private static readonly DetectorOptions KnownUp = new() { WasUpBefore = true };

    [Fact]
    public void Both_dark_in_the_same_second_is_a_local_fault()
    {
        var world = new ScriptedWorld().When(400, w => { w.Cut(P); w.Cut(B); }).RunTo(500);

        Assert.EndsWith("Suspect(missed) LocalFault(both_dark)", world.Story(), StringComparison.Ordinal);
        Assert.Equal(Usable.Unknown, world.Pair.Primary.Current.Usable);
        Assert.NotEqual(Usable.Yes, world.Pair.Backup.Current.Usable);
    }

    [Fact]
    public void Power_cut_both_then_backup_first()
    {
        var world = new ScriptedWorld().When(400, w => { w.Cut(P); w.Cut(B); }).When(460, w => w.Restore(B)).RunTo(4000);

        Assert.EndsWith("LocalFault(both_dark) Down(dark)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down) - 460, 7.8, 12);
        Assert.Equal(Usable.Yes, world.Pair.Backup.Current.Usable);
    }

    [Fact]
    public void Uplink_without_a_path_is_down_once_the_backup_is_proven_after_both_went_dark_together()
    {
        var world = new ScriptedWorld()
            .When(400, w => { w.Cut(P); w.Cut(B); })
            .When(400.2, w => w.Pair.Path(P, w.Now, PathState.Absent))
            .When(460, w => w.Restore(B)).RunTo(4000);

        Assert.EndsWith("LocalFault(both_dark) Down(no_path)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down) - 460, 7, 12);
    }

    [Fact]
    public void Power_cut_both_then_primary_first_is_up()
    {
        var world = new ScriptedWorld().When(400, w => { w.Cut(P); w.Cut(B); }).When(700, w => w.Restore(P)).RunTo(800);

        Assert.EndsWith("LocalFault(both_dark) Up(answered)", world.Story(), StringComparison.Ordinal);
        Assert.Equal(Usable.No, world.Pair.Backup.Current.Usable);
    }

    [Fact]
    public void Primary_is_down_when_the_backup_had_died_long_before()
    {
        var world = new ScriptedWorld().When(400, w => w.Cut(B)).When(2000, w => w.Cut(P)).RunTo(2100);

        Assert.EndsWith("Down(dark)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down) - 2000, 6.8, 8.5);
    }

    [Fact]
    public void Boot_with_primary_dead()
    {
        var world = new ScriptedWorld(KnownUp);
        world.Cut(P);
        world.RunTo(60);

        Assert.Equal("Unknown(start) Down(dark)", world.Story());
        Assert.InRange(world.TimeOf(UplinkState.Down), 7.8, 10);
    }

    [Fact]
    public void Boot_with_primary_never_up_cannot_be_down()
    {
        var world = new ScriptedWorld();
        world.Cut(P);
        world.RunTo(7200);

        Assert.Equal("Unknown(start) Unknown(never_up)", world.Story());
        Assert.Equal(Usable.Unknown, world.Pair.Primary.Current.Usable);
        Assert.False(world.Pair.Backup.Attentive);
    }

    [Fact]
    public void Never_up_ends_when_answers_come()
    {
        var world = new ScriptedWorld();
        world.Cut(P);
        world.When(600, w => w.Restore(P)).When(900, w => w.Cut(P)).RunTo(1000);

        Assert.Equal("Unknown(start) Unknown(never_up) Up(answered) Suspect(missed) Down(dark)", world.Story());
    }

    [Fact]
    public void Boot_with_both_dead_waits_for_the_backup_then_is_down()
    {
        var world = new ScriptedWorld(KnownUp);
        world.Cut(P);
        world.Cut(B);
        world.When(3600, w => w.Restore(B)).RunTo(3700);

        Assert.Equal("Unknown(start) Down(dark)", world.Story());
        Assert.InRange(world.TimeOf(UplinkState.Down), 3600, 3612);
    }

    [Fact]
    public void Late_loop_in_suspicion_is_doubt_of_ourselves_and_ends_in_down()
    {
        var world = new ScriptedWorld().When(100, w => w.Cut(P)).When(102.2, w => w.Pair.Late(w.Now, TimeSpan.FromSeconds(1))).RunTo(200);

        Assert.EndsWith("Suspect(missed) LocalFault(late) Down(dark)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down), 109.9, 113);
    }

    [Fact]
    public void Late_loop_while_the_other_uplink_answers_does_not_absolve_this_one()
    {
        var world = new ScriptedWorld().When(100, w => w.Cut(P));
        for (var t = 105.0; t < 200; t += 2)
        {
            world.When(t, w => w.Pair.Late(w.Now, TimeSpan.FromMilliseconds(600)));
        }

        world.RunTo(200);

        Assert.Equal(UplinkState.Down, world.Pair.Primary.Current.State);
        Assert.InRange(world.TimeOf(UplinkState.Down), 107, 112);
    }

    [Fact]
    public void A_loop_that_is_late_all_the_time_still_comes_to_a_verdict()
    {
        var world = new ScriptedWorld().When(100, w => w.Cut(P));
        for (var t = 100.9; t < 300; t += 3)
        {
            world.When(t, w => w.Pair.Late(w.Now, TimeSpan.FromMilliseconds(600)));
        }

        world.RunTo(300);

        Assert.Equal(UplinkState.Down, world.Pair.Primary.Current.State);
    }

    [Fact]
    public void Late_loop_while_all_is_well_is_not_told()
    {
        var world = new ScriptedWorld().When(100.5, w => w.Pair.Late(w.Now, TimeSpan.FromSeconds(30))).RunTo(200);

        Assert.Equal("Unknown(start) Up(answered)", world.Story());
    }

    [Fact]
    public void Misses_from_before_the_stall_count_for_nothing()
    {
        var world = new ScriptedWorld().When(100.2, w => w.Cut(P)).When(101, w => { w.Pair.Late(w.Now, TimeSpan.FromSeconds(20)); w.Restore(P); })
            .RunTo(200);

        Assert.DoesNotContain(world.Primary, v => v.Usable == Usable.No);
    }

    [Fact]
    public void Silent_prober_is_unknown_never_up()
    {
        var world = new ScriptedWorld().When(100, w => w.ProberSilent = true).When(300, w => w.ProberSilent = false).RunTo(400);

        Assert.Equal("Unknown(start) Up(answered) Unknown(silent) Up(answered)", world.Story());
        Assert.InRange(ScriptedWorld.Seconds(world.Primary[2].At) - 100, 4, 6.1);
    }

    [Fact]
    public void Silent_prober_then_dark_is_down()
    {
        var world = new ScriptedWorld().When(100, w => w.ProberSilent = true)
            .When(300, w => { w.ProberSilent = false; w.Cut(P); }).RunTo(400);

        Assert.EndsWith("Unknown(silent) Down(dark)", world.Story(), StringComparison.Ordinal);
    }

    [Fact]
    public void Carrier_lost_on_the_modem_is_down_at_once()
    {
        var world = new ScriptedWorld(new DetectorOptions { CarrierIsModem = true })
            .When(100.3, w => { w.Cut(P); w.Pair.Carrier(P, w.Now, up: false); }).RunTo(150);

        Assert.EndsWith("Down(carrier)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down) - 100.3, 1.5, 2.0);
    }

    [Fact]
    public void Carrier_that_comes_back_within_the_grace_is_nothing()
    {
        var world = new ScriptedWorld(new DetectorOptions { CarrierIsModem = true })
            .When(100.3, w => w.Pair.Carrier(P, w.Now, up: false)).When(101.7, w => w.Pair.Carrier(P, w.Now, up: true)).RunTo(150);

        Assert.Equal("Unknown(start) Up(answered)", world.Story());
    }

    [Fact]
    public void Carrier_of_a_lan_switch_proves_nothing()
    {
        var world = new ScriptedWorld().When(100, w => w.Pair.Carrier(P, w.Now, up: false)).RunTo(200);

        Assert.Equal("Unknown(start) Up(answered)", world.Story());
    }

    [Fact]
    public void Pppoe_interface_gone()
    {
        var world = new ScriptedWorld().When(100.3, w => { w.Pair.Path(P, w.Now, PathState.Absent); w.Cut(P); }).RunTo(200);

        Assert.EndsWith("Suspect(no_path) Down(no_path)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down) - 100.3, 6.7, 8.5);
    }

    [Fact]
    public void Lease_expired_carrier_on()
    {
        // Answers that still arrive came by the other uplink (T9 of research/pitfalls.md) and count for nothing.
        var world = new ScriptedWorld(new DetectorOptions { CarrierIsModem = true, HasEgress = true, HasHttp = true })
            .When(100.3, w => w.Pair.Path(P, w.Now, PathState.Absent)).When(150, w => w.Pair.Path(P, w.Now, PathState.Present)).RunTo(200);

        Assert.EndsWith("Suspect(no_path) Down(no_path) Up(recovered)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down) - 100.3, 6.7, 8.5);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Clock_jump_forward_and_back(bool whileDark)
    {
        var pulse = new OwnPulse(TimeSpan.Zero);
        var world = new ScriptedWorld();
        foreach (var (at, offset) in new[] { (102.0, TimeSpan.FromDays(20_000)), (104.0, TimeSpan.Zero), (105.0, TimeSpan.FromHours(-1)) })
        {
            world.When(at, w => w.Pair.Late(w.Now, pulse.Missed(w.Now, w.Now, offset) ?? throw new InvalidOperationException("the jump was not seen")));
        }

        if (whileDark)
        {
            world.When(100.3, w => w.Cut(P));
        }

        world.RunTo(200);

        // While all is well it is nothing; in the dark we doubt ourselves, and that ends.
        Assert.Equal(whileDark ? UplinkState.Down : UplinkState.Up, world.Pair.Primary.Current.State);
        Assert.Equal(whileDark, world.Primary.Count > 2);
        Assert.InRange(world.Primary[^1].At.Ticks, 0, ScriptedWorld.At(116).Ticks);
    }

    [Fact]
    public void Nothing_is_asked_without_a_path()
    {
        var world = new ScriptedWorld { RecordAsked = true };
        world.When(100, w => w.Pair.Path(P, w.Now, PathState.Absent)).RunTo(101).Asked.Clear();
        world.RunTo(500);

        Assert.DoesNotContain(world.Asked, a => a.Uplink == P);
        Assert.Equal(UplinkState.Down, world.Pair.Primary.Current.State);
    }

    [Fact]
    public void Path_that_returns_before_the_verdict_is_up_again()
    {
        var world = new ScriptedWorld().When(100, w => w.Pair.Path(P, w.Now, PathState.Absent))
            .When(104, w => w.Pair.Path(P, w.Now, PathState.Present)).RunTo(150);

        Assert.EndsWith("Suspect(no_path) Up(answered)", world.Story(), StringComparison.Ordinal);
    }

    [Fact]
    public void Path_that_returns_after_the_verdict_recovers_as_usual()
    {
        var world = new ScriptedWorld().When(100, w => w.Pair.Path(P, w.Now, PathState.Absent))
            .When(200, w => w.Pair.Path(P, w.Now, PathState.Present)).RunTo(250);

        Assert.EndsWith("Down(no_path) Up(recovered)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Up, 1) - 200, 20, 21.2);
    }

    [Fact]
    public void Boot_without_a_path_is_decided_like_boot_with_a_dead_primary()
    {
        var known = new ScriptedWorld(KnownUp);
        known.Pair.Path(P, known.Now, PathState.Absent);
        var never = new ScriptedWorld();
        never.Pair.Path(P, never.Now, PathState.Absent);

        Assert.Equal("Unknown(start) Down(no_path)", known.RunTo(60).Story());
        Assert.Equal("Unknown(start) Unknown(never_up)", never.RunTo(60).Story());
    }

    [Fact]
    public void Backup_that_died_unseen_loses_its_yes_when_it_matters()
    {
        var world = new ScriptedWorld().When(100, w => w.Cut(B)).RunTo(130);
        Assert.Equal(Usable.Yes, world.Pair.UsableNow(B, world.Now));

        world.When(130, w => w.Pair.Want(w.Now, true)).RunTo(133);
        Assert.Equal(Usable.Unknown, world.Pair.UsableNow(B, world.Now));

        world.When(134, w => w.Restore(B)).RunTo(137);
        Assert.Equal(Usable.Yes, world.Pair.UsableNow(B, world.Now));
    }

    [Fact]
    public void Backup_that_carries_the_tunnel_keeps_its_yes_though_it_is_asked_less()
    {
        var world = new ScriptedWorld().When(60, w => w.Pair.Want(w.Now, true));
        for (var t = 60.0; t < 200; t += 15)
        {
            world.When(t, w => w.Pair.Passive(B, w.Now));
        }

        for (var t = 61.0; t < 200; t += 0.5)
        {
            Assert.Equal(Usable.Yes, world.RunTo(t).Pair.UsableNow(B, world.Now));
        }
    }

    [Fact]
    public void Wanted_backup_is_asked_each_second_and_comes_back_at_once()
    {
        var world = new ScriptedWorld { RecordAsked = true };
        world.When(100, w => w.Pair.Want(w.Now, true)).When(130, w => w.Cut(B)).When(170, w => w.Restore(B)).RunTo(180);

        Assert.InRange(world.Asked.Count(a => a.Uplink == B && a.At is >= 100 and < 130), 30, 33);
        Assert.Equal("Unknown(start) Up(answered) Suspect(missed) Down(dark) Up(recovered)", world.Story(B));
        Assert.InRange(ScriptedWorld.Seconds(world.Backup[^1].At) - 170, 3, 5.2);
    }

    [Fact]
    public void Pulse_is_missed_when_events_are_read_late_or_the_clocks_part()
    {
        var pulse = new OwnPulse(TimeSpan.Zero);
        var at = ScriptedWorld.At(10);

        Assert.Null(pulse.Missed(at, at + TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(1)));
        Assert.Null(pulse.Missed(at, at, TimeSpan.FromSeconds(2.5)));
        Assert.Equal(TimeSpan.FromMilliseconds(600), pulse.Missed(at, at + TimeSpan.FromMilliseconds(600), TimeSpan.FromSeconds(2.5)));
        Assert.Equal(TimeSpan.Zero, pulse.Missed(at, at, TimeSpan.FromHours(1)));
        Assert.Null(pulse.Missed(at, at, TimeSpan.FromHours(1)));
        Assert.Equal(TimeSpan.Zero, pulse.Missed(at, at, TimeSpan.Zero));
    }
}
