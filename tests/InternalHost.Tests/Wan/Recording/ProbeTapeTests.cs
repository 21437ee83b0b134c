using Common.Time;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Recording;
using InternalHost.Wan.Replay;

namespace InternalHost.Tests.Wan.Recording;

/// <summary>What is recorded of a world gives the same verdicts when it is played again.</summary>
public sealed class ProbeTapeTests
{
    private const double Length = 3000;
    private const long StartTicks = 1_763_733_723_456 * TimeSpan.TicksPerMillisecond;
    private static readonly Instant Origin = new(TimeSpan.FromDays(1).Ticks);
    private static readonly WitnessName[] Everyone = [.. DetectorOptions.AllWitnesses];

    [Fact]
    public void Recording_of_any_world_replays_to_the_same_verdicts()
    {
        for (var seed = 1; seed <= 40; seed++)
        {
            var random = new Random(seed);
            var (told, rows) = Record(seed, (world, carrier) => Disturb(world, carrier, random));

            var again = Replay([.. rows, new TraceRow(At(Length), TraceTarget.Http, 0, double.NaN)]);

            Assert.True(told.Select(v => (v.State, v.Usable, v.Reason)).SequenceEqual(again.Select(v => (v.State, v.Usable, v.Reason))), $"seed {seed}: {Story(told)}\nagain: {Story(again)}");
            Assert.True(told.Zip(again).All(p => Math.Abs(p.First.Seconds - p.Second.Seconds) <= 1), $"seed {seed}: {Story(told)}\nagain: {Story(again)}");
        }
    }

    [Fact]
    public void Recording_holds_changes_only_and_a_quiet_day_is_small()
    {
        var (_, rows) = Record(1, (world, _) =>
        {
            foreach (var witness in Everyone)
            {
                world.Primary.Loss(witness, 0.001);
            }

            world.RunBefore(Origin + TimeSpan.FromDays(1));
        });

        Assert.InRange(rows.Count, 100, 2000);
        Assert.True(rows.Zip(rows.Skip(1)).All(p => p.First.T <= p.Second.T));
    }

    [Fact]
    public void Rows_wait_until_nothing_earlier_can_come()
    {
        var tape = new ProbeTape(Origin, StartTicks, DetectorOptions.AllWitnesses);
        tape.OnProbe(UplinkName.Primary, Result(WitnessName.DnsA, sent: 2, took: 0.03, ProbeOutcome.Answered));
        tape.OnProbe(UplinkName.Primary, Result(WitnessName.TlsA, sent: 1, took: 1, ProbeOutcome.Lost));

        Assert.Equal([TraceTarget.Carrier, TraceTarget.TlsA], tape.Take(Origin + ProbeTape.Settled + TimeSpan.FromSeconds(1.5)).Select(r => r.Target));
        Assert.Equal([TraceTarget.DnsA], tape.Take(Instant.Never).Select(r => r.Target));
    }

    /// <summary>A site without its provider's resolver would otherwise look as if only that answered.</summary>
    [Fact]
    public void Witness_that_is_not_asked_is_silent_from_the_first_probe_on()
    {
        var tape = new ProbeTape(Origin, StartTicks, DetectorOptions.AllWitnesses.Remove(WitnessName.IspDns));
        tape.OnProbe(UplinkName.Primary, Result(WitnessName.DnsA, sent: 3, took: 0.03, ProbeOutcome.Answered));

        var rows = tape.Take(Instant.Never).Select(r => (r.T - StartTicks, r.Target, r.Loss)).ToList();

        const long At = 3 * TimeSpan.TicksPerSecond;
        Assert.Equal([(At, TraceTarget.IspDns, 1), (At, TraceTarget.Carrier, 0), (At, TraceTarget.DnsA, 0)], rows);
    }

    [Fact]
    public void Late_answer_is_an_answer_and_not_a_loss()
    {
        var tape = new ProbeTape(Origin, StartTicks, DetectorOptions.AllWitnesses);
        tape.OnProbe(UplinkName.Primary, Result(WitnessName.DnsA, sent: 1, took: 1, ProbeOutcome.Lost));
        tape.OnProbe(UplinkName.Primary, Result(WitnessName.DnsA, sent: 1, took: 1.5, ProbeOutcome.Answered) with { IsLate = true });

        var row = tape.Take(Instant.Never).Single(r => r.Target == TraceTarget.DnsA);

        Assert.Equal((0, 399), (row.Loss, row.RttMs));
    }

    [Fact]
    public void Egress_unknown_is_no_row_and_no_path_is_darkness()
    {
        var tape = new ProbeTape(Origin, StartTicks, DetectorOptions.AllWitnesses);
        tape.OnProbe(UplinkName.Primary, Result(WitnessName.Egress, sent: 1, took: 3, ProbeOutcome.Lost));
        tape.OnProbe(UplinkName.Primary, Result(WitnessName.Egress, sent: 5, took: 0.1, ProbeOutcome.Refuted));
        tape.OnPath(Origin + TimeSpan.FromSeconds(9), PathState.Absent);
        tape.OnProbe(UplinkName.Primary, Result(WitnessName.DnsA, sent: 10, took: 0.03, ProbeOutcome.Answered));
        tape.OnPath(Origin + TimeSpan.FromSeconds(11), PathState.Present);
        tape.OnProbe(UplinkName.Primary, Result(WitnessName.DnsA, sent: 12, took: 0.03, ProbeOutcome.Answered));

        var rows = tape.Take(Instant.Never).Select(r => ((r.T - StartTicks) / TimeSpan.TicksPerSecond, r.Target, r.Loss)).ToList();

        Assert.Equal(
            [(5, TraceTarget.Carrier, 0), (5, TraceTarget.Egress, 1), .. Everyone.Select(w => (9L, Enum.Parse<TraceTarget>(w.ToString()), 1.0)).Order(), (12, TraceTarget.DnsA, 0)],
            rows);
    }

    private static ProbeResult Result(WitnessName witness, double sent, double took, ProbeOutcome outcome) => new(
        new ProbeRequest(witness, 0, Full: true, RandomLabel: false, TimeSpan.FromSeconds(1)),
        Origin + TimeSpan.FromSeconds(sent), Origin + TimeSpan.FromSeconds(sent + took), outcome);

    private static long At(double seconds) => StartTicks + (long)(seconds * TimeSpan.TicksPerSecond);

    private static (List<TraceVerdict> Told, List<TraceRow> Rows) Record(int seed, Action<ReplayWorld, Action<bool>> live)
    {
        var told = new List<TraceVerdict>();
        var tape = new ProbeTape(Origin, StartTicks, DetectorOptions.AllWitnesses);
        var rows = new List<TraceRow>();
        var options = TracePlay.OptionsOf(DetectorPreset.Balanced);
        var world = new ReplayWorld(options, options.AsBackup(), Origin, (ulong)seed, (uplink, v) =>
        {
            if (uplink == UplinkName.Primary)
            {
                told.Add(new TraceVerdict((v.At - Origin).Ticks / (decimal)TimeSpan.TicksPerSecond, v.State, v.Usable, v.Reason));
            }
        })
        {
            Came = (uplink, result) =>
            {
                tape.OnProbe(uplink, result);
                rows.AddRange(tape.Take(result.At));
            },
        };
        live(world, up =>
        {
            world.Primary.Cut = !up;
            world.Pair.Carrier(UplinkName.Primary, world.Now, up);
            tape.OnCarrier(world.Now, up);
        });
        rows.AddRange(tape.Take(Instant.Never));
        return (told, rows);
    }

    private static void Disturb(ReplayWorld world, Action<bool> carrier, Random random)
    {
        for (var t = 20.0; t < Length - 100; t += 5 + (random.NextDouble() * 90))
        {
            world.RunBefore(Origin + TimeSpan.FromSeconds(t));
            var witness = Everyone[random.Next(Everyone.Length)];
            switch (random.Next(8))
            {
                case 0 or 1:
                    Array.ForEach(Everyone, w => world.Primary.Loss(w, 1));
                    break;
                case 2 or 3 or 4:
                    Array.ForEach(Everyone, w => world.Primary.Loss(w, 0));
                    break;
                case 5:
                    world.Primary.Loss(witness, random.NextDouble());
                    break;
                case 6:
                    carrier(random.Next(2) == 0);
                    break;
                default:
                    var loss = random.Next(2);
                    world.Backup.All((link, w) => link.Loss(w, loss));
                    break;
            }
        }

        carrier(true);
        world.RunThrough(Origin + TimeSpan.FromSeconds(Length));
    }

    private static List<TraceVerdict> Replay(List<TraceRow> rows)
    {
        var told = new List<TraceVerdict>();
        var play = new TracePlay(TraceOutline.Of(rows), DetectorPreset.Balanced, seed: 77, v => told.Add(v with { Seconds = v.Seconds - (StartTicks / (decimal)TimeSpan.TicksPerSecond) }));
        rows.ForEach(row => play.Apply(row));
        play.End();
        return told;
    }

    private static string Story(List<TraceVerdict> told) => string.Join(' ', told.Select(v => $"{v.Seconds:F1}:{v.State}({v.Reason})"));
}
