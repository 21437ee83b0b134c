using System.Net.Sockets;
using InternalHost.Wan.Detection;

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
            var options = new DetectorOptions
            {
                WasUpBefore = wasUpBefore,
                CarrierIsModem = seed % 2 == 0,
                HasEgress = seed % 4 < 2,
                HasHttp = seed % 5 < 3,
                Families = seed % 7 < 3 ? [.. Everyone.SelectMany(w => (WitnessFamily[])[new(w, (AddressFamily)2), new(w, (AddressFamily)23)])] : [],
            };
            var world = new ScriptedWorld(options, (ulong)seed) { RecordAsked = true };
            Disturb(world, new Random(seed));
            var dead = seed % 3 == 0;
            world.When(2000, w => Settle(w, dead)).RunTo(3500);

            Check(world, wasUpBefore, seed);
            var everUp = wasUpBefore || world.Primary.Any(v => v.State is UplinkState.Up or UplinkState.Degraded);
            var expected = !dead ? Usable.Yes : everUp ? Usable.No : Usable.Unknown;
            Assert.True(expected == world.Pair.Primary.Current.Usable, $"seed {seed}: {world.Story()}");
            Assert.True(world.Pair.Backup.Current.Usable == Usable.Yes, $"seed {seed}: {world.Story(B)}");
        }
    }

    [Fact]
    public void While_one_server_proves_its_name_over_its_own_egress_it_is_never_out()
    {
        for (var seed = 1; seed <= 60; seed++)
        {
            var random = new Random(seed);
            var world = new ScriptedWorld(new DetectorOptions { HasEgress = true, HasHttp = true }, (ulong)seed).RunTo(30);
            for (var t = 30.0; t < 3000; t += random.NextDouble() * 40)
            {
                var witness = Everyone[random.Next(Everyone.Length)];
                var level = random.NextDouble();
                world.When(t, w =>
                {
                    switch (random.Next(5))
                    {
                        case 0: w.Loss(P, witness == WitnessName.TlsA ? 0 : level, witness); break;
                        case 1: w.Hijack(P, level > 0.5); break;
                        case 2: w.Answers(P, level > 0.5 ? ProbeOutcome.Refuted : null, WitnessName.Http); break;
                        case 3: w.Loss(P, level > 0.5 ? 1 : 0, WitnessName.Egress); break;
                        default: w.Loss(P, 1, [.. Everyone.Where(e => e != WitnessName.TlsA)]); break;
                    }
                });
            }

            world.RunTo(3000);

            Assert.True(world.Primary.Skip(1).All(v => v.Usable == Usable.Yes), $"seed {seed}: {world.Story()}");
        }
    }

    private static void Disturb(ScriptedWorld world, Random random)
    {
        for (var t = 5.0; t < 2000; t += random.NextDouble() * 60)
        {
            var uplink = random.Next(3) == 0 ? B : P;
            var witness = Everyone[random.Next(Everyone.Length)];
            var level = random.NextDouble();
            world.When(t, random.Next(19) switch
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
                11 => w => w.FallOver(uplink, level > 0.5),
                12 => w => w.Hijack(uplink, level > 0.5),
                13 => w => w.Answers(uplink, level > 0.5 ? ProbeOutcome.Refuted : null, level > 0.7 ? WitnessName.Http : WitnessName.Egress),
                14 => w => w.LoseFamily(uplink, (AddressFamily)(level > 0.6 ? 2 : level > 0.3 ? 23 : 0)),
                15 => w => w.Pair.Passive(uplink, w.Now),
                16 => w => w.Pair.SetBastion(w.Now, level > 0.5),
                17 => w => w.Pair.AddressChanged(uplink, w.Now),
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
            world.FallOver(uplink, false);
            world.Hijack(uplink, false);
            world.LoseFamily(uplink, AddressFamily.Unspecified);
            world.Answers(uplink, null, Enum.GetValues<WitnessName>());
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
        Assert.All(world.Primary.Zip(world.Primary.Skip(1)), p => Assert.NotEqual(p.First with { At = default }, p.Second with { At = default }));
        Assert.True(world.MostTurnsAtOnce < 40, $"seed {seed}: it spins, {world.MostTurnsAtOnce} turns in one moment");
        Assert.True(world.UpWhileRefuted is null, $"seed {seed}: up though it leaves by the other uplink: {world.UpWhileRefuted}");
        foreach (var verdict in world.Primary)
        {
            everUp |= verdict.State is UplinkState.Up or UplinkState.Degraded;
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
