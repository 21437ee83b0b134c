using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Wan;

/// <summary>A router that falls over by itself answers everything; only the public address tells (invariant I9).</summary>
public class EgressTests
{
    private const UplinkName P = UplinkName.Primary;
    private const UplinkName B = UplinkName.Backup;
    private static readonly DetectorOptions Proving = new() { HasEgress = true };

    [Fact]
    public void Router_falls_over_within_2_s()
    {
        for (var i = 0; i < 200; i++)
        {
            var dies = 100 + (i * 0.4037);
            var over = dies + (i % 21 * 0.1);
            var world = new ScriptedWorld(Proving, (ulong)i + 1).When(dies, w => w.Cut(P)).When(over, w => w.FallOver(P, true)).RunTo(dies + 200);

            Assert.EndsWith("Down(egress)", world.Story(), StringComparison.Ordinal);
            Assert.InRange(world.TimeOf(UplinkState.Down) - over, 0, 75);
            Assert.Equal(Usable.Yes, world.Pair.Backup.Current.Usable);
        }
    }

    [Fact]
    public void Router_that_falls_over_without_a_miss_is_noticed_by_the_minute()
    {
        var world = new ScriptedWorld(Proving).When(100, w => w.FallOver(P, true)).RunTo(300);

        Assert.Equal("Unknown(start) Up(answered) Suspect(egress) Down(egress)", world.Story());
        Assert.InRange(world.TimeOf(UplinkState.Down) - 100, 1, 63);
    }

    [Fact]
    public void Router_that_falls_back_is_up_after_the_usual_recovery()
    {
        var world = new ScriptedWorld(Proving).When(100, w => w.FallOver(P, true)).When(1000, w => w.FallOver(P, false)).RunTo(1100);

        Assert.EndsWith("Down(egress) Up(recovered)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Up, 1) - 1000, 20, 27);
    }

    [Fact]
    public void Fallen_over_primary_is_hardly_asked_because_the_metered_backup_pays()
    {
        var world = new ScriptedWorld(Proving) { RecordAsked = true };
        world.When(100, w => w.FallOver(P, true)).RunTo(300).Asked.Clear();
        world.RunTo(900);

        Assert.All(world.Asked.Where(a => a.Uplink == P), a => Assert.Equal(WitnessName.Egress, a.Request.Witness));
        Assert.InRange(world.Asked.Count(a => a.Uplink == P), 100, 125);
    }

    [Fact]
    public void Dark_fallen_over_router_stays_down_for_the_same_reason()
    {
        var world = new ScriptedWorld(Proving).When(100, w => w.FallOver(P, true)).When(400, w => w.Cut(B)).When(500, w => w.Restore(B)).RunTo(700);

        Assert.EndsWith("Down(egress)", world.Story(), StringComparison.Ordinal);
        Assert.Equal(Usable.Yes, world.Pair.Backup.Current.Usable);
    }

    [Fact]
    public void One_refusal_is_not_believed_and_never_up_either()
    {
        var world = new ScriptedWorld(Proving).RunTo(90);
        world.Answers(P, ProbeOutcome.Refuted, WitnessName.Egress);
        for (var t = 90.0; t < 170 && world.Pair.Primary.Current.State == UplinkState.Up; t += 0.05)
        {
            world.RunTo(t);
        }

        world.Answers(P, null, WitnessName.Egress);
        world.RunTo(400);

        Assert.Equal("Unknown(start) Up(answered) Suspect(egress) Up(answered)", world.Story());
    }

    [Fact]
    public void Silent_stun_delays_a_return_by_four_seconds_at_most()
    {
        var world = new ScriptedWorld(Proving);
        world.Loss(P, 1, WitnessName.Egress);
        world.Loss(B, 1, WitnessName.Egress);
        world.When(100, w => w.Cut(P)).When(200, w => { w.Restore(P); w.Loss(P, 1, WitnessName.Egress); })
            .When(300, w => w.Cut(P)).When(303, w => { w.Restore(P); w.Loss(P, 1, WitnessName.Egress); }).RunTo(400);

        Assert.Equal("Unknown(start) Up(answered) Suspect(missed) Down(dark) Up(recovered) Suspect(missed) Up(answered)", world.Story());
        Assert.InRange(world.TimeOf(UplinkState.Up), 4, 5.5);
        Assert.InRange(world.TimeOf(UplinkState.Up, 1) - 200, 20, 25.5);
        Assert.InRange(world.TimeOf(UplinkState.Up, 2) - 303, 4, 6);
    }

    [Fact]
    public void Refused_while_coming_back_is_down_for_that_reason_and_not_up()
    {
        var world = new ScriptedWorld(Proving).When(100, w => w.Cut(P)).When(200, w => w.FallOver(P, true)).RunTo(400);

        Assert.EndsWith("Down(dark) Down(egress)", world.Story(), StringComparison.Ordinal);
    }

    [Fact]
    public void Boot_with_a_fallen_over_router_is_down_if_it_was_up_before_else_unknown()
    {
        var known = new ScriptedWorld(Proving with { WasUpBefore = true });
        known.FallOver(P, true);
        var never = new ScriptedWorld(Proving);
        never.FallOver(P, true);

        Assert.Equal("Unknown(start) Down(egress)", known.RunTo(100).Story());
        Assert.Equal("Unknown(start) Unknown(egress)", never.RunTo(100).Story());
        Assert.Equal(Usable.Unknown, never.Pair.Primary.Current.Usable);
    }

    [Fact]
    public void New_address_is_proven_at_once()
    {
        var world = new ScriptedWorld(Proving) { RecordAsked = true };
        world.RunTo(80).Asked.Clear();
        world.When(80, w => w.Pair.AddressChanged(P, w.Now)).RunTo(80.1);

        Assert.Contains(world.Asked, a => a.Uplink == P && a.Request.Witness == WitnessName.Egress);
    }

    [Fact]
    public void Backup_is_proven_when_it_matters_and_once_an_hour()
    {
        var world = new ScriptedWorld(Proving) { RecordAsked = true };
        world.RunTo(3600 * 24);
        var resting = world.Asked.Count(a => a.Uplink == B && a.Request.Witness == WitnessName.Egress);
        world.Asked.Clear();
        world.When(3600 * 24, w => w.Pair.Want(w.Now, true)).RunTo((3600 * 24) + 1);

        Assert.InRange(resting, 24, 26);
        Assert.Contains(world.Asked, a => a.Uplink == B && a.Request.Witness == WitnessName.Egress);
    }

    [Fact]
    public void Backup_that_leaves_by_the_primary_is_down()
    {
        var world = new ScriptedWorld(Proving).When(100, w => { w.FallOver(B, true); w.Pair.AddressChanged(B, w.Now); }).RunTo(300);

        Assert.EndsWith("Down(egress)", world.Story(B), StringComparison.Ordinal);
        Assert.Equal("Unknown(start) Up(answered)", world.Story());
    }

    [Fact]
    public void Both_refused_means_the_primary_because_each_cannot_leave_by_the_other()
    {
        var world = new ScriptedWorld(Proving).When(100, w =>
        {
            w.Answers(P, ProbeOutcome.Refuted, WitnessName.Egress);
            w.Answers(B, ProbeOutcome.Refuted, WitnessName.Egress);
            w.Pair.AddressChanged(B, w.Now);
        }).RunTo(400);

        Assert.EndsWith("Down(egress)", world.Story(), StringComparison.Ordinal);
        Assert.Equal(Usable.Yes, world.Pair.Backup.Current.Usable);
    }

    [Fact]
    public void Egress_has_no_vote_and_no_part_in_the_loss_figure()
    {
        var world = new ScriptedWorld(Proving).When(100, w => w.Loss(P, 1, WitnessName.Egress)).RunTo(86_400);

        Assert.Equal("Unknown(start) Up(answered)", world.Story());
    }

    [Fact]
    public void Answered_egress_does_not_keep_a_dark_uplink_up()
    {
        var world = new ScriptedWorld(Proving).When(100.4, w => w.Loss(P, 1, [.. DetectorOptions.AllWitnesses])).RunTo(120);

        Assert.InRange(world.TimeOf(UplinkState.Down) - 100.4, 6.7, 8.5);
    }

    /// <summary>Two good rounds ended the suspicion but for the proof; while it was waited for, all went dark, and all witnesses came to rest.</summary>
    [Fact]
    public void Blackout_while_the_proof_is_waited_for_is_told()
    {
        for (var i = 0; i < 40; i++)
        {
            var cut = 102 + (i * 0.1);
            var world = new ScriptedWorld(Proving, (ulong)i + 1)
                .When(100, w => w.Loss(P, 1, WitnessName.Egress, WitnessName.DnsA))
                .When(cut, w => w.Cut(P)).RunTo(cut + 60);

            Assert.EndsWith("Down(dark)", world.Story(), StringComparison.Ordinal);
            Assert.InRange(world.TimeOf(UplinkState.Down) - cut, 6, 9);
        }
    }
}
