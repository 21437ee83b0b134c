using Common.Time;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Wan;

/// <summary>Wiring C: the primary as others see it, and their rules of evidence.</summary>
public class ObservedUplinkTests
{
    private const UplinkName P = UplinkName.Primary;
    private const UplinkName B = UplinkName.Backup;
    private const WitnessName Router = WitnessName.Router;
    private const WitnessName Lan = WitnessName.Lan;
    private const WitnessName Outside = WitnessName.Outside;
    private const ProbeOutcome Says_down = ProbeOutcome.Refuted;

    private static DetectorOptions By(params WitnessName[] observers) => new() { Observe = [.. observers] };

    [Fact]
    public void Router_that_says_down_is_down_after_three_readings_over_confirm_after()
    {
        for (var i = 0; i < 100; i++)
        {
            var dies = 100 + (i * 0.137);
            var world = new ScriptedWorld(By(Router), (ulong)i + 1).When(dies, w => w.Answers(P, Says_down, Router))
                .When(dies + 300, w => w.Answers(P, null, Router)).RunTo(dies + 400);

            Assert.Equal("Unknown(start) Up(answered) Suspect(missed) Down(observed) Up(recovered)", world.Story());
            Assert.InRange(world.TimeOf(UplinkState.Down) - dies, 7.8, 13);
            Assert.InRange(world.TimeOf(UplinkState.Up, 1) - dies - 300, 20, 26);
        }
    }

    [Fact]
    public void Backup_is_proven_before_the_observed_primary_is_called_down()
    {
        var world = new ScriptedWorld(By(Router, Lan)).When(1000, w => w.Answers(P, Says_down, Router, Lan)).RunTo(1020);

        Assert.Equal(UplinkState.Down, world.Pair.Primary.Current.State);
        Assert.True(world.Pair.Backup.LastAnswered >= world.Primary[^1].At - TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void Two_readings_down_are_a_suspicion_only()
    {
        var world = new ScriptedWorld(By(Router)).When(100.1, w => w.Answers(P, Says_down, Router)).RunTo(100.1);
        while (world.Pair.Primary.Current.State == UplinkState.Up && world.Now < ScriptedWorld.At(120))
        {
            world.RunTo(ScriptedWorld.Seconds(world.Now) + 0.1);
        }

        world.RunTo(ScriptedWorld.Seconds(world.Now) + 3);
        world.Answers(P, null, Router);
        world.RunTo(300);

        Assert.Equal("Unknown(start) Up(answered) Suspect(missed) Up(answered)", world.Story());
    }

    [Fact]
    public void Silence_is_no_data_never_up_and_never_down()
    {
        var world = new ScriptedWorld(By(Router, Lan)).When(100, w => w.Loss(P, 1, Router, Lan)).RunTo(4000);
        Assert.Equal("Unknown(start) Up(answered) Unknown(silent)", world.Story());

        world.When(4000, w => w.Loss(P, 0, Router)).RunTo(4100);
        Assert.EndsWith("Unknown(silent) Up(answered)", world.Story(), StringComparison.Ordinal);
    }

    [Fact]
    public void Silent_prober_is_unknown()
    {
        var world = new ScriptedWorld(By(Router)).When(100, w => w.ProberSilent = true).When(300, w => w.ProberSilent = false).RunTo(400);

        Assert.Equal("Unknown(start) Up(answered) Unknown(silent) Up(answered)", world.Story());
        Assert.InRange(ScriptedWorld.Seconds(world.Primary[2].At) - 100, 4.5, 11);
    }

    [Fact]
    public void Relay_outranks_a_router_that_calls_a_dead_line_up_but_takes_longer()
    {
        var world = new ScriptedWorld(By(Router, Lan)).When(100, w => w.Answers(P, Says_down, Lan)).RunTo(200);

        Assert.EndsWith("Suspect(missed) Down(observed)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down) - 100, 15, 21);
    }

    [Fact]
    public void Router_that_says_down_while_the_relay_works_has_fallen_over()
    {
        var world = new ScriptedWorld(By(Router, Lan)).When(100, w => w.Answers(P, Says_down, Router)).RunTo(200);

        Assert.EndsWith("Down(observed)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down) - 100, 15, 21);
    }

    [Fact]
    public void Relay_proven_to_leave_by_the_primary_outranks_the_router()
    {
        var world = new ScriptedWorld(By(Router, Lan) with { HasEgress = true }).When(100, w => w.Answers(P, Says_down, Router)).RunTo(3000);

        Assert.DoesNotContain(world.Primary.Skip(1), v => v.Usable != Usable.Yes);
    }

    [Fact]
    public void Relay_seen_leaving_by_the_backup_is_down()
    {
        var world = new ScriptedWorld(By(Lan) with { HasEgress = true }).When(100, w => w.Answers(P, ProbeOutcome.Refuted, WitnessName.Egress))
            .When(1000, w => w.Answers(P, null, WitnessName.Egress)).RunTo(1100);

        Assert.EndsWith("Suspect(egress) Down(egress) Up(recovered)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down) - 100, 0, 75);
    }

    [Fact]
    public void Outside_alone_decides_nothing_in_the_first_life()
    {
        var up = new ScriptedWorld(By(Outside)).RunTo(4000);
        var dark = new ScriptedWorld(By(Outside), before: w => w.Loss(P, 1, Outside)).RunTo(4000);

        Assert.DoesNotContain(up.Primary, v => v.Usable != Usable.Unknown);
        Assert.DoesNotContain(dark.Primary, v => v.Usable != Usable.Unknown);
    }

    [Fact]
    public void Outside_dark_for_a_minute_is_down_where_it_has_been_up_and_nobody_contradicts()
    {
        var world = new ScriptedWorld(By(Router, Outside)).When(100, w => w.Loss(P, 1, Router, Outside)).When(2000, w => w.Restore(P)).RunTo(2100);

        Assert.Equal("Unknown(start) Up(answered) Unknown(silent) Down(observed) Up(recovered)", world.Story());
        Assert.InRange(world.TimeOf(UplinkState.Down) - 100, 60, 190);
    }

    [Fact]
    public void Outside_dark_is_not_down_while_the_router_says_up()
    {
        var world = new ScriptedWorld(By(Router, Outside)).When(100, w => w.Loss(P, 1, Outside)).RunTo(4000);

        Assert.DoesNotContain(world.Primary.Skip(1), v => v.Usable != Usable.Yes);
    }

    [Fact]
    public void Outside_is_the_backups_silence_while_the_backup_is_dark()
    {
        var world = new ScriptedWorld(By(Router, Outside)).When(100, w => { w.Loss(P, 1, Router, Outside); w.Cut(B); }).RunTo(2000);

        Assert.DoesNotContain(world.Primary, v => v.Usable == Usable.No);
    }

    [Fact]
    public void Never_up_cannot_be_down()
    {
        var world = new ScriptedWorld(By(Router), before: w => w.Answers(P, Says_down, Router)).When(1000, w => w.Answers(P, null, Router))
            .When(2000, w => w.Answers(P, Says_down, Router)).RunTo(2100);

        Assert.Equal("Unknown(start) Unknown(never_up) Up(answered) Suspect(missed) Down(observed)", world.Story());
    }

    [Fact]
    public void Known_primary_dead_at_boot_is_down()
    {
        var world = new ScriptedWorld(By(Router) with { WasUpBefore = true }, before: w => w.Answers(P, Says_down, Router)).RunTo(60);

        Assert.Equal("Unknown(start) Down(observed)", world.Story());
    }

    [Fact]
    public void Both_dark_in_the_same_moment_cannot_tell_and_ends_with_the_backup()
    {
        var world = new ScriptedWorld(By(Router)).When(90, w => w.Pair.Want(w.Now, true))
            .When(100, w => { w.Answers(P, Says_down, Router); w.Cut(B); }).When(400, w => w.Restore(B)).RunTo(500);

        Assert.EndsWith("Suspect(missed) LocalFault(both_dark) Down(observed)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down) - 400, 7.8, 14);
    }

    [Fact]
    public void Flapping_is_damped()
    {
        var world = new ScriptedWorld(By(Router));
        for (var t = 100; t < 3700; t += 80)
        {
            world.When(t, w => w.Answers(P, Says_down, Router)).When(t + 40, w => w.Answers(P, null, Router));
        }

        world.RunTo(3700);

        Assert.InRange(world.Primary.Count(v => v.State == UplinkState.Down), 1, 3);
    }

    [Fact]
    public void Metered_outside_is_asked_once_a_minute_while_all_is_well()
    {
        var world = new ScriptedWorld(By(Router, Outside)) { RecordAsked = true };
        world.RunTo(3600);

        Assert.InRange(world.Asked.Count(a => a.Request.Witness == Outside), 55, 65);
        Assert.InRange(world.Asked.Count(a => a.Request.Witness == Router), 700, 740);
    }

    [Fact]
    public void Any_world_of_observers_ends_in_the_truth()
    {
        for (var seed = 1; seed <= 120; seed++)
        {
            var random = new Random(seed);
            var dead = seed % 3 == 0;
            var world = new ScriptedWorld(By(Router, Lan, Outside) with { HasEgress = seed % 2 == 0, WasUpBefore = true }, (ulong)seed);
            for (var t = 5.0; t < 2000; t += random.NextDouble() * 60)
            {
                var who = (WitnessName)random.Next((int)Router, (int)Outside + 1);
                ProbeOutcome? says = random.Next(3) == 0 ? ProbeOutcome.Refuted : null;
                var level = random.NextDouble();
                world.When(t, random.Next(7) switch
                {
                    0 => w => w.Loss(P, level > 0.5 ? 1 : 0, who),
                    1 => w => w.Loss(B, level > 0.5 ? 1 : 0, Enum.GetValues<WitnessName>()),
                    2 => w => w.ProberSilent = level > 0.7,
                    3 => w => w.Pair.Late(w.Now, TimeSpan.FromSeconds(level * 5)),
                    4 => w => w.Answers(P, says, WitnessName.Egress),
                    _ => w => w.Answers(P, says, who),
                });
            }

            world.When(2000, w =>
            {
                w.ProberSilent = false;
                w.Restore(P);
                w.Restore(B);
                w.Answers(P, null, Enum.GetValues<WitnessName>());
                w.Answers(P, dead ? ProbeOutcome.Refuted : null, Router, Lan);
            }).RunTo(3500);

            Assert.True((dead ? Usable.No : Usable.Yes) == world.Pair.Primary.Current.Usable, $"seed {seed}: {world.Story()}");
            Assert.All(world.Primary.Zip(world.Primary.Skip(1)), p => Assert.NotEqual(p.First with { At = default }, p.Second with { At = default }));
        }
    }
}
