using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Wan;

/// <summary>Portals, hijacked names, and a provider without the world behind it.</summary>
public class LiarsTests
{
    private const UplinkName P = UplinkName.Primary;
    private static readonly DetectorOptions Asking = new() { HasEgress = true, HasHttp = true };

    [Theory]
    [InlineData("page", "portal")]
    [InlineData("names", "portal")]
    [InlineData("no_204_asked", "walled")]
    [InlineData("everything_false", "portal")]
    public void Portal_is_never_usable_again(string kind, string reason)
    {
        for (var i = 0; i < 200; i++)
        {
            var begins = 100 + (i * 0.6091);
            var world = new ScriptedWorld(Asking with { HasHttp = kind != "no_204_asked" }, (ulong)i + 1)
                .When(begins, w => Portal(w, kind)).RunTo(begins + 45);
            var flagged = world.Primary[^1];
            world.RunTo(begins + 1200);

            Assert.Equal((UplinkState.Walled, Usable.No), (flagged.State, flagged.Usable));
            Assert.Equal(reason, flagged.Reason);
            Assert.Equal(flagged, world.Primary[^1]);

            world.When(begins + 1200, w => Portal(w, "none")).RunTo(begins + 1230);
            Assert.Equal((UplinkState.Up, Reasons.Recovered), (world.Primary[^1].State, world.Primary[^1].Reason));
        }
    }

    [Fact]
    public void Page_instead_of_the_204_while_names_are_proven_is_only_told()
    {
        var world = new ScriptedWorld(Asking).When(100, w => w.Answers(P, ProbeOutcome.Refuted, WitnessName.Http))
            .When(1000, w => w.Answers(P, null, WitnessName.Http)).RunTo(1100);

        Assert.Equal("Unknown(start) Up(answered) Suspect(portal) Up(answered) Degraded(portal) Up(recovered)", world.Story());
        Assert.InRange(world.TimeOf(UplinkState.Degraded) - 100, 0, 70);
        Assert.DoesNotContain(world.Primary.Skip(1), v => v.Usable != Usable.Yes);
    }

    [Fact]
    public void Silent_204_says_nothing()
    {
        var world = new ScriptedWorld(Asking).When(100, w => w.Loss(P, 1, WitnessName.Http)).RunTo(20_000);

        Assert.Equal("Unknown(start) Up(answered)", world.Story());
    }

    [Fact]
    public void Classifier_is_asked_each_minute_and_at_once_in_suspicion()
    {
        var world = new ScriptedWorld(Asking) { RecordAsked = true };
        world.RunTo(3600);
        var calm = world.Asked.Count(a => a.Uplink == P && a.Request.Witness == WitnessName.Http);
        world.Asked.Clear();
        world.When(3610.2, w => w.Cut(P)).RunTo(3612);

        Assert.InRange(calm, 59, 62);
        Assert.Contains(world.Asked, a => a.Uplink == P && a.Request.Witness == WitnessName.Http);
    }

    [Fact]
    public void Hijack()
    {
        for (var i = 0; i < 100; i++)
        {
            var begins = 100 + (i * 0.6091);
            var world = new ScriptedWorld(Asking, (ulong)i + 1).When(begins, w => w.Hijack(P, true)).When(begins + 600, w => w.Hijack(P, false))
                .RunTo(begins + 45);
            var flagged = world.Primary[^1];
            world.RunTo(begins + 700);

            // The world is there by address, names are not to be trusted: told, and no outage.
            Assert.Equal((UplinkState.Degraded, Usable.Yes, Reasons.Hijack), (flagged.State, flagged.Usable, flagged.Reason));
            Assert.Equal("Unknown(start) Up(answered) Suspect(missed) Degraded(hijack) Up(recovered)", world.Story());
        }
    }

    [Fact]
    public void Hijack_with_nobody_who_proves_his_name_is_walled()
    {
        for (var i = 0; i < 100; i++)
        {
            var begins = 100 + (i * 0.6091);
            var world = new ScriptedWorld(Asking, (ulong)i + 1)
                .When(begins, w => { w.Hijack(P, true); w.Loss(P, 1, WitnessName.TlsA, WitnessName.TlsB, WitnessName.Http); }).RunTo(begins + 45);
            var flagged = world.Primary[^1];
            world.RunTo(begins + 1200);

            Assert.Equal((UplinkState.Walled, Usable.No, Reasons.Hijack), (flagged.State, flagged.Usable, flagged.Reason));
            Assert.Equal(flagged, world.Primary[^1]);
        }
    }

    [Theory]
    [InlineData(WitnessName.IspDns)]
    [InlineData(WitnessName.DnsA)]
    public void One_resolver_that_lies_is_that_operators_doing(object witness)
    {
        var world = new ScriptedWorld(Asking).RunTo(60);
        world.Refuses = (WitnessName)witness;
        world.RunTo(86_400);

        Assert.DoesNotContain(world.Primary.Skip(1), v => v.Usable != Usable.Yes || v.State == UplinkState.Degraded);
        Assert.True(world.Primary.Count < 6, world.Story());
    }

    [Fact]
    public void Isp_only()
    {
        for (var i = 0; i < 100; i++)
        {
            var begins = 100 + (i * 0.0917);
            var world = new ScriptedWorld(Asking, (ulong)i + 1)
                .When(begins, w => { w.Cut(P); w.Loss(P, 0, WitnessName.IspDns); }).RunTo(begins + 45);
            var flagged = world.Primary[^1];
            world.RunTo(begins + 1200);

            Assert.Equal((UplinkState.IspOnly, Usable.No, Reasons.IspOnly), (flagged.State, flagged.Usable, flagged.Reason));
            Assert.Equal(flagged, world.Primary[^1]);
        }
    }

    private static void Portal(ScriptedWorld world, string kind)
    {
        WitnessName[] strong = [WitnessName.TlsA, WitnessName.TlsB];
        ProbeOutcome? refuted = kind == "none" ? null : ProbeOutcome.Refuted;
        world.Hijack(P, kind is "names" or "everything_false");
        world.Answers(P, refuted, WitnessName.Http);
        world.Loss(P, kind == "names" ? 1 : 0, strong);
        world.Refute(P, kind is "page" or "no_204_asked" or "everything_false");
        world.Answers(P, kind == "everything_false" ? refuted : null, [.. DetectorOptions.AllWitnesses]);
        world.Loss(P, kind == "none" ? 0 : 1, WitnessName.Egress);
    }
}
