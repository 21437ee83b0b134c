using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Wan;

/// <summary>Verdicts on hard outages and on everything that is none.</summary>
public class UplinkDetectorTests
{
    private const UplinkName P = UplinkName.Primary;
    private const UplinkName B = UplinkName.Backup;

    [Fact]
    public void Answers_at_boot_mean_up()
    {
        var world = new ScriptedWorld().RunTo(60);

        Assert.Equal("Unknown(start) Up(answered)", world.Story());
        Assert.Equal("Unknown(start) Up(answered)", world.Story(B));
        Assert.InRange(world.TimeOf(UplinkState.Up), 0.5, 1.5);
        Assert.True(world.Pair.Primary.EverUp);
    }

    [Fact]
    public void Blackout_is_down_within_the_promise_at_every_phase()
    {
        var delays = new List<double>();
        for (var i = 0; i < 1000; i++)
        {
            var cut = 60 + (i * 0.000_97) + (i % 7);
            var world = new ScriptedWorld(seed: (ulong)i + 1).When(cut, w => w.Cut(P)).RunTo(cut + 30);
            delays.Add(world.TimeOf(UplinkState.Down) - cut);
            Assert.Equal("Unknown(start) Up(answered) Suspect(missed) Down(dark)", world.Story());
        }

        delays.Sort();
        Assert.InRange(delays[500], 6.8, 7.8);
        Assert.InRange(delays[990], 6.8, 8.5);
        Assert.True(delays[^1] <= 7.8);
        Assert.True(delays[0] > 6.7);
    }

    [Theory]
    [InlineData(DetectorPreset.Fast, 4, 5)]
    [InlineData(DetectorPreset.Balanced, 6.8, 7.8)]
    [InlineData(DetectorPreset.Satellite, 14, 15)]
    public void Blackout_waits_for_the_preset(object preset, double least, double most)
    {
        var options = new DetectorOptions { ConfirmAfter = DetectorOptions.ConfirmAfterOf((DetectorPreset)preset) };
        var world = new ScriptedWorld(options).When(61.3, w => w.Cut(P)).RunTo(100);

        Assert.InRange(world.TimeOf(UplinkState.Down) - 61.3, least, most);
    }

    [Fact]
    public void Backup_is_proven_before_the_primary_is_called_down()
    {
        var world = new ScriptedWorld { RecordAsked = true };
        world.When(1000.5, w => w.Cut(P)).RunTo(1020);
        var down = world.TimeOf(UplinkState.Down);

        Assert.Contains(world.Asked, a => a.Uplink == B && a.At > 1000.5 && a.At < down - 3 && a.Request.Full);
        Assert.InRange(ScriptedWorld.Seconds(world.Pair.Backup.LastAnswered!.Value), down, 1020);
        Assert.Equal(Usable.Yes, world.Pair.Backup.Current.Usable);
    }

    [Fact]
    public void Recovery_takes_twenty_seconds_of_good_rounds()
    {
        var world = new ScriptedWorld().When(60, w => w.Cut(P)).When(200.3, w => w.Restore(P)).RunTo(300);

        Assert.EndsWith("Down(dark) Up(recovered)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Up, 1) - 200.3, 20, 21.2);
    }

    [Fact]
    public void Recovery_is_not_delayed_by_a_dead_operator()
    {
        var world = new ScriptedWorld().When(60, w => w.Cut(P))
            .When(200.3, w => { w.Restore(P); w.Loss(P, 1, WitnessName.TlsB); }).RunTo(300);

        Assert.InRange(world.TimeOf(UplinkState.Up, 1) - 200.3, 20, 21.2);
    }

    [Fact]
    public void First_answer_after_a_silence_is_told_long_before_the_verdict()
    {
        var world = new ScriptedWorld().When(50, w => w.Pair.Want(w.Now, true)).When(60, w => w.Cut(B)).When(120.5, w => w.Restore(B)).RunTo(120.4);
        Assert.True(world.Pair.Returned <= ScriptedWorld.At(1));

        world.RunTo(122);
        var returned = world.Pair.Returned!.Value;
        var state = world.Pair.Backup.Current.State;
        world.RunTo(300);

        Assert.InRange(ScriptedWorld.Seconds(returned), 120.5, 121.5);
        Assert.Equal(UplinkState.Down, state);
        Assert.Equal(UplinkState.Up, world.Pair.Backup.Current.State);
        Assert.Equal(returned, world.Pair.Returned);
    }

    [Fact]
    public void Recovery_needs_an_authenticated_success()
    {
        var world = new ScriptedWorld().When(60, w => w.Cut(P))
            .When(200, w => { w.Restore(P); w.Loss(P, 1, WitnessName.TlsA, WitnessName.TlsB); })
            .When(400, w => w.Restore(P)).RunTo(500);

        Assert.EndsWith("Down(dark) Walled(walled) Up(recovered)", world.Story(), StringComparison.Ordinal);
        Assert.True(world.TimeOf(UplinkState.Up, 1) > 400);
        Assert.All(world.Primary.Where(v => v.State == UplinkState.Walled), v => Assert.Equal(Usable.No, v.Usable));
    }

    [Fact]
    public void Recovery_does_not_come_from_a_brownout()
    {
        var world = new ScriptedWorld().When(60, w => w.Cut(P))
            .When(200, w => w.Loss(P, 0.7, [.. DetectorOptions.AllWitnesses])).RunTo(1200);

        Assert.DoesNotContain(world.Primary, v => v.At > ScriptedWorld.At(80) && v.Usable != Usable.No);
    }

    [Fact]
    public void Micro_outages_of_one_to_four_seconds_are_never_down()
    {
        var world = new ScriptedWorld();
        for (var i = 0; i < 1000; i++)
        {
            var at = 60 + (i * 20) + (i * 0.0137);
            world.When(at, w => w.Cut(P)).When(at + 1 + (i % 31 * 0.1), w => w.Restore(P));
        }

        world.RunTo(21_000);

        Assert.DoesNotContain(world.Primary, v => v.Usable != Usable.Yes && v.Reason != Reasons.Start);
        Assert.Contains(world.Primary, v => v.State == UplinkState.Suspect);
    }

    [Theory]
    [InlineData(WitnessName.IspDns)]
    [InlineData(WitnessName.DnsA)]
    [InlineData(WitnessName.TlsA)]
    public void One_dead_operator_is_its_own_fault(object witness)
    {
        var world = new ScriptedWorld().When(60, w => w.Loss(P, 1, (WitnessName)witness)).RunTo(60 + 86_400);

        Assert.DoesNotContain(world.Primary.Skip(1), v => v.Usable != Usable.Yes);
        Assert.True(world.Primary.Count < 8, world.Story());
    }

    [Fact]
    public void Blackout_with_a_dead_operator_is_still_down_in_time()
    {
        var world = new ScriptedWorld().When(60, w => w.Loss(P, 1, WitnessName.DnsA, WitnessName.TlsA))
            .When(900.4, w => w.Cut(P)).RunTo(930);

        Assert.InRange(world.TimeOf(UplinkState.Down) - 900.4, 5.8, 8.5);
    }

    [Fact]
    public void Thirty_percent_loss_is_degraded_and_never_down()
    {
        var world = new ScriptedWorld().When(60, w => w.Loss(P, 0.3, [.. DetectorOptions.AllWitnesses]))
            .When(7260, w => w.Restore(P)).RunTo(8000);

        Assert.DoesNotContain(world.Primary.Skip(1), v => v.Usable != Usable.Yes);
        Assert.InRange(world.TimeOf(UplinkState.Degraded) - 60, 5, 75);
        Assert.Equal(UplinkState.Up, world.Pair.Primary.Current.State);
    }

    [Fact]
    public void Isp_resolver_alone_is_isp_only_and_unusable_after_fifteen_seconds()
    {
        var world = new ScriptedWorld()
            .When(60, w => w.Loss(P, 1, WitnessName.DnsA, WitnessName.DnsB, WitnessName.TlsA, WitnessName.TlsB)).RunTo(400);

        Assert.Equal("Unknown(start) Up(answered) Suspect(missed) IspOnly(isp_only)", world.Story());
        Assert.InRange(world.TimeOf(UplinkState.IspOnly) - 60, 14, 20);
        Assert.Equal(Usable.No, world.Pair.Primary.Current.Usable);
    }

    [Fact]
    public void Portal_is_walled_within_45_seconds_and_usable_again_after_recovery()
    {
        var world = new ScriptedWorld().When(60, w => w.Refute(P, true)).When(900, w => w.Refute(P, false)).RunTo(1000);

        Assert.Equal("Unknown(start) Up(answered) Suspect(missed) Walled(walled) Up(recovered)", world.Story());
        Assert.InRange(world.TimeOf(UplinkState.Walled) - 60, 15, 45);
        Assert.InRange(world.TimeOf(UplinkState.Up, 1) - 900, 20, 22);
    }

    [Fact]
    public void One_operator_refuted_is_not_walled()
    {
        var world = new ScriptedWorld().When(60, w => w.Loss(P, 1, WitnessName.TlsA)).RunTo(4000);

        Assert.DoesNotContain(world.Primary, v => v.State == UplinkState.Walled);
    }

    [Fact]
    public void Walled_link_that_goes_dark_is_down()
    {
        var world = new ScriptedWorld().When(60, w => w.Refute(P, true)).When(300, w => w.Cut(P)).RunTo(400);

        Assert.EndsWith("Walled(walled) Down(dark)", world.Story(), StringComparison.Ordinal);
    }

    [Fact]
    public void Flapping_is_damped()
    {
        var world = new ScriptedWorld();
        for (var t = 100; t < 3700; t += 60)
        {
            world.When(t, w => w.Cut(P)).When(t + 30, w => w.Restore(P));
        }

        world.RunTo(3700);

        Assert.Equal(2, world.Primary.Count(v => v.State == UplinkState.Down));
        Assert.Equal(UplinkState.Down, world.Pair.Primary.Current.State);
    }

    [Fact]
    public void Damping_is_forgiven_after_calm()
    {
        var world = new ScriptedWorld();
        foreach (var cut in new[] { 100, 200, 8000 })
        {
            world.When(cut, w => w.Cut(P)).When(cut + 30, w => w.Restore(P));
        }

        world.RunTo(9000);

        Assert.InRange(world.TimeOf(UplinkState.Up, 1) - 130, 20, 21.2);
        Assert.InRange(world.TimeOf(UplinkState.Up, 2) - 230, 40, 41.2);
        Assert.InRange(world.TimeOf(UplinkState.Up, 3) - 8030, 20, 21.2);
    }

    [Fact]
    public void Quiet_probing_allocates_nothing()
    {
        var world = new ScriptedWorld().RunTo(100);
        world.RunTo(200_000);

        var before = GC.GetAllocatedBytesForCurrentThread();
        world.RunTo(300_000);

        // The list of verdicts and the queue of the world itself have long grown to their size.
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Same_world_gives_the_same_verdicts()
    {
        static string Play() => string.Join("\n", new ScriptedWorld(seed: 7)
            .When(10, w => w.Loss(P, 0.4, [.. DetectorOptions.AllWitnesses])).RunTo(5000).Primary);

        Assert.Equal(Play(), Play());
    }

    [Fact]
    public void Random_labels_only_in_suspicion_and_now_and_then()
    {
        var world = new ScriptedWorld { RecordAsked = true };
        world.RunTo(3600);
        var random = world.Asked.Count(a => a.Uplink == P && a.Request.RandomLabel);

        Assert.InRange(random, 85, 98);
        Assert.All(world.Asked.Where(a => a.Request.RandomLabel), a => Assert.False(a.Request.Witness.IsTls()));
    }

    [Fact]
    public void Backup_at_rest_is_asked_rarely()
    {
        var world = new ScriptedWorld { RecordAsked = true };
        world.RunTo(60).Asked.Clear();
        world.RunTo(60 + 86_400);
        var asked = world.Asked.Where(a => a.Uplink == B).ToList();

        Assert.InRange(asked.Count, 280, 300);
        Assert.InRange(asked.Count(a => a.Request.Full), 15, 30);
    }

    [Fact]
    public void Single_losses_of_the_primary_do_not_wake_the_metered_backup()
    {
        var world = new ScriptedWorld { RecordAsked = true };
        world.When(50, w => w.Loss(P, 0.004, [.. DetectorOptions.AllWitnesses])).RunTo(60).Asked.Clear();
        world.RunTo(60 + 86_400);

        Assert.InRange(world.Asked.Count(a => a.Uplink == B), 280, 310);
    }

    [Fact]
    public void Late_answers_are_slow_not_dark()
    {
        var world = new ScriptedWorld { RecordAsked = true };
        world.RunTo(60);
        var start = ScriptedWorld.At(60);
        for (var i = 0; i < 200; i++)
        {
            var sent = start + TimeSpan.FromSeconds(i * 0.5);
            var request = new ProbeRequest(WitnessName.DnsA, 0, false, false, TimeSpan.FromSeconds(1));
            world.Pair.Result(P, new ProbeResult(request, sent, sent + TimeSpan.FromSeconds(1), ProbeOutcome.Lost));
            world.Pair.Result(P, new ProbeResult(request, sent, sent + TimeSpan.FromSeconds(1.5), ProbeOutcome.Answered, IsLate: true));
        }

        Assert.Equal(Usable.Yes, world.Pair.Primary.Current.Usable);
    }

    [Fact]
    public void Forty_days_with_1200_outages_play_in_seconds_and_none_is_missed()
    {
        var world = new ScriptedWorld();
        for (var i = 0; i < 1200; i++)
        {
            var cut = 100 + (i * 2880) + (i % 97 * 0.01);
            world.When(cut, w => w.Cut(P)).When(cut + 120 + (i % 300), w => w.Restore(P));
        }

        var started = System.Diagnostics.Stopwatch.StartNew();
        world.RunTo(40 * 86_400);

        Assert.Equal(1200, world.Primary.Count(v => v.State == UplinkState.Down));
        Assert.True(world.Probes > 3_000_000);
        Assert.True(started.Elapsed < TimeSpan.FromSeconds(120), started.Elapsed.ToString());
    }

    [Theory]
    [InlineData(DetectorPreset.Balanced, 4)]
    [InlineData(DetectorPreset.Satellite, 0)]
    public void Ten_days_of_micro_outages_that_may_merge_are_rarely_down(object preset, int most)
    {
        var world = new ScriptedWorld(new DetectorOptions { ConfirmAfter = DetectorOptions.ConfirmAfterOf((DetectorPreset)preset) });
        var random = new Random(5);
        var depth = 0;
        for (var at = 60.0; at < 10 * 86_400; at -= Math.Log(1 - random.NextDouble()) * 360)
        {
            world.When(at, w => { depth++; w.Cut(P); });
            world.When(at + 1 + (random.NextDouble() * 3), w =>
            {
                if (--depth == 0)
                {
                    w.Restore(P);
                }
            });
        }

        world.RunTo(10 * 86_400);

        Assert.InRange(world.Primary.Count(v => v.Usable == Usable.No), 0, most);
        Assert.True(world.Primary.Count(v => v.State == UplinkState.Suspect) > 1500);
    }

    [Fact]
    public void Ten_days_of_brownouts_and_dying_operators_are_never_down()
    {
        var world = new ScriptedWorld();
        for (var at = 60.0; at < 10 * 86_400; at += 600)
        {
            world.When(at, w => w.Loss(P, 0.6, [.. DetectorOptions.AllWitnesses])).When(at + 20, w => w.Restore(P));
        }

        for (var day = 0; day < 10; day++)
        {
            var witness = DetectorOptions.AllWitnesses[day % 5];
            world.When((day * 86_400) + 90, w => w.Loss(P, 1, witness)).When((day * 86_400) + 690, w => w.Restore(P));
        }

        world.RunTo(10 * 86_400);

        Assert.DoesNotContain(world.Primary.Skip(1), v => v.Usable != Usable.Yes);
    }
}
