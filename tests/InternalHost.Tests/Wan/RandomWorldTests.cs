using InternalHost.Wan;

namespace InternalHost.Tests.Wan;

/// <summary>Random worlds: whatever happens, the verdicts keep their promises and nothing unsure lasts for ever.</summary>
public class RandomWorldTests
{
    private const UplinkName P = UplinkName.Primary;
    private const UplinkName B = UplinkName.Backup;
    private static readonly WitnessName[] Everyone = [.. DetectorOptions.AllWitnesses];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Any_world_keeps_the_promises_and_ends_in_the_truth(bool wasUpBefore)
    {
        for (var seed = 1; seed <= 120; seed++)
        {
            var options = new DetectorOptions { WasUpBefore = wasUpBefore, CarrierIsModem = seed % 2 == 0 };
            var world = new ScriptedWorld(options, (ulong)seed) { RecordAsked = true };
            Disturb(world, new Random(seed));
            var dead = seed % 3 == 0;
            world.When(2000, w => Settle(w, dead)).RunTo(3500);

            Check(world, wasUpBefore, seed);
            var everUp = wasUpBefore || world.Primary.Any(v => v.State == UplinkState.Up);
            var expected = !dead ? Usable.Yes : everUp ? Usable.No : Usable.Unknown;
            Assert.True(expected == world.Pair.Primary.Current.Usable, $"seed {seed}: {world.Story()}");
            Assert.True(world.Pair.Backup.Current.Usable == Usable.Yes, $"seed {seed}: {world.Story(B)}");
        }
    }

    private static void Disturb(ScriptedWorld world, Random random)
    {
        for (var t = 5.0; t < 2000; t += random.NextDouble() * 60)
        {
            var uplink = random.Next(3) == 0 ? B : P;
            var witness = Everyone[random.Next(Everyone.Length)];
            var level = random.NextDouble();
            world.When(t, random.Next(12) switch
            {
                0 or 1 => w => w.Cut(uplink),
                2 or 3 => w => w.Restore(uplink),
                4 => w => w.Loss(uplink, level, Everyone),
                5 => w => w.Loss(uplink, 1, witness),
                6 => w => w.Refute(uplink, level > 0.5),
                7 => w => w.Pair.Path(uplink, w.Now, level > 0.3 ? PathState.Present : PathState.Absent),
                8 => w => w.Pair.Carrier(uplink, w.Now, level > 0.3),
                9 => w => w.Pair.Late(w.Now, TimeSpan.FromSeconds(level * 5)),
                10 => w => w.ProberSilent = level > 0.7,
                _ => w => w.Rtt(uplink, level * 1200),
            });
        }
    }

    private static void Settle(ScriptedWorld world, bool primaryDead)
    {
        world.ProberSilent = false;
        foreach (var uplink in new[] { P, B })
        {
            world.Restore(uplink);
            world.Refute(uplink, false);
            world.Rtt(uplink, 30);
            world.Pair.Path(uplink, world.Now, PathState.Present);
            world.Pair.Carrier(uplink, world.Now, up: true);
        }

        if (primaryDead)
        {
            world.Cut(P);
        }
    }

    private static void Check(ScriptedWorld world, bool wasUpBefore, int seed)
    {
        var everUp = wasUpBefore;
        foreach (var verdict in world.Primary)
        {
            everUp |= verdict.State is UplinkState.Up;
            var usable = verdict.State switch
            {
                UplinkState.Up or UplinkState.Suspect or UplinkState.Degraded => Usable.Yes,
                UplinkState.Down or UplinkState.Walled or UplinkState.IspOnly => Usable.No,
                _ => Usable.Unknown,
            };
            Assert.True(usable == verdict.Usable, $"seed {seed}: {verdict}");
            Assert.True(everUp || verdict.Usable != Usable.No, $"seed {seed}: out without ever having been up: {verdict}");
        }
    }
}
