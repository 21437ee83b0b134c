using System.Net.Sockets;
using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Wan;

/// <summary>What is wrong with an uplink that still works: told, and no outage.</summary>
public class ShortcomingsTests
{
    private const UplinkName P = UplinkName.Primary;

    private static readonly DetectorOptions DualStack = new()
    {
        Families = [.. DetectorOptions.AllWitnesses.SelectMany(w => (WitnessFamily[])[new(w, AddressFamily.InterNetwork), new(w, AddressFamily.InterNetworkV6)])],
    };

    [Theory]
    [InlineData(600)]
    [InlineData(900)]
    public void Round_trips_far_above_the_usual_are_degraded_after_a_minute_and_clear_after_two(double slow)
    {
        var world = new ScriptedWorld().When(1000, w => w.Rtt(P, slow)).When(2000, w => w.Rtt(P, 30)).RunTo(3000);
        var degraded = world.Primary.Single(v => v.State == UplinkState.Degraded);
        var end = world.Primary[^1];

        Assert.Equal((Usable.Yes, Reasons.Slow), (degraded.Usable, degraded.Reason));
        Assert.InRange(ScriptedWorld.Seconds(degraded.At) - 1000, 55, 75);
        Assert.Equal((UplinkState.Up, Reasons.Recovered), (end.State, end.Reason));
        Assert.InRange(ScriptedWorld.Seconds(end.At) - 2000, 120, 185);
        Assert.DoesNotContain(world.Primary.Skip(1), v => v.Usable != Usable.Yes);
    }

    [Fact]
    public void Slow_is_what_is_slow_for_this_uplink()
    {
        var world = new ScriptedWorld();
        world.Rtt(P, 650);
        world.When(5000, w => w.Rtt(P, 900)).RunTo(6000);

        Assert.DoesNotContain(world.Primary, v => v.State == UplinkState.Degraded);
    }

    [Fact]
    public void Half_a_minute_of_bufferbloat_is_not_told()
    {
        var world = new ScriptedWorld().When(1000, w => w.Rtt(P, 700)).When(1035, w => w.Rtt(P, 30)).RunTo(2000);

        Assert.DoesNotContain(world.Primary, v => v.State == UplinkState.Degraded);
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public void Family_lost(AddressFamily family)
    {
        for (var i = 0; i < 50; i++)
        {
            var lost = 300 + (i * 0.237);
            var world = new ScriptedWorld(DualStack, (ulong)i + 1).When(lost, w => w.LoseFamily(P, family))
                .When(1000, w => w.LoseFamily(P, AddressFamily.Unspecified)).RunTo(2000);

            Assert.Equal("Unknown(start) Up(answered) Suspect(missed) Degraded(family_lost) Up(recovered)", world.Story());
            Assert.InRange(world.TimeOf(UplinkState.Degraded) - lost, 7, 15);
            Assert.InRange(world.TimeOf(UplinkState.Up, 1) - 1000, 0, 45);
        }
    }

    [Fact]
    public void Both_families_lost_is_down_in_time()
    {
        for (var i = 0; i < 100; i++)
        {
            var cut = 100 + (i * 0.137);
            var world = new ScriptedWorld(DualStack, (ulong)i + 1).When(cut, w => w.Cut(P)).When(200, w => w.Restore(P)).RunTo(240);

            Assert.Equal("Unknown(start) Up(answered) Suspect(missed) Down(dark) Up(recovered)", world.Story());
            Assert.InRange(world.TimeOf(UplinkState.Down) - cut, 6.7, 8.5);
            Assert.InRange(world.TimeOf(UplinkState.Up, 1) - 200, 20, 21.5);
        }
    }

    [Fact]
    public void The_other_family_lost_too_is_down_in_time()
    {
        var world = new ScriptedWorld(DualStack).When(100, w => w.LoseFamily(P, AddressFamily.InterNetworkV6)).When(400.3, w => w.Cut(P)).RunTo(420);

        Assert.EndsWith("Degraded(family_lost) Down(dark)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(world.TimeOf(UplinkState.Down) - 400.3, 6.7, 8.5);
    }

    [Fact]
    public void Only_one_family_comes_back()
    {
        var world = new ScriptedWorld(DualStack).When(100, w => w.Cut(P))
            .When(200, w => { w.Restore(P); w.LoseFamily(P, AddressFamily.InterNetworkV6); }).RunTo(300);

        Assert.EndsWith("Down(dark) Degraded(family_lost)", world.Story(), StringComparison.Ordinal);
        Assert.InRange(ScriptedWorld.Seconds(world.Primary[^1].At) - 200, 20, 40);
    }

    [Fact]
    public void Family_that_never_worked_is_not_missed()
    {
        var world = new ScriptedWorld(DualStack, before: w => w.LoseFamily(P, AddressFamily.InterNetworkV6)).RunTo(20_000);

        Assert.Equal("Unknown(start) Up(answered)", world.Story());
    }

    [Fact]
    public void Families_are_asked_in_turn_only_where_there_are_two()
    {
        static IEnumerable<AddressFamily> Families(DetectorOptions options)
        {
            var world = new ScriptedWorld(options) { RecordAsked = true };
            return world.RunTo(100).Asked.Where(a => a.Uplink == P).Select(a => a.Request.Family).Distinct().Order();
        }

        Assert.Equal([AddressFamily.Unspecified], Families(new DetectorOptions()));
        Assert.Equal([AddressFamily.Unspecified], Families(new DetectorOptions { Families = [new(WitnessName.DnsA, AddressFamily.InterNetwork)] }));
        Assert.Equal([AddressFamily.InterNetwork, AddressFamily.InterNetworkV6], Families(DualStack));
    }

    [Fact]
    public void Bytes_from_the_bastion_end_the_dark_and_prove_a_name()
    {
        var world = new ScriptedWorld().When(100.2, w => w.Cut(P));
        for (var t = 100.0; t < 200; t += 3)
        {
            world.When(t, w => w.Pair.Passive(P, w.Now));
        }

        world.RunTo(215);

        Assert.InRange(world.TimeOf(UplinkState.Down), 199 + 7.5, 199 + 8.5);
    }

    [Fact]
    public void Live_tunnel_relaxes_the_quiet_rotation_only()
    {
        var world = new ScriptedWorld { RecordAsked = true };
        for (var t = 100.0; t < 500; t += 10)
        {
            world.When(t, w => w.Pair.Passive(P, w.Now));
        }

        world.RunTo(110).Asked.Clear();
        world.RunTo(410);
        var relaxed = world.Asked.Count(a => a.Uplink == P);
        world.When(490.1, w => w.Cut(P)).RunTo(600);

        Assert.InRange(relaxed, 55, 65);
        Assert.InRange(world.TimeOf(UplinkState.Down), 490 + 7, 490 + 15);
    }

    [Fact]
    public void Bastion_is_asked_while_it_runs_at_most_each_half_minute_and_never_in_suspicion()
    {
        var world = new ScriptedWorld { RecordAsked = true };
        world.When(1000, w => w.Pair.SetBastion(w.Now, runs: true)).When(4600.2, w => w.Cut(P)).When(4700, w => w.Restore(P))
            .When(5000, w => w.Pair.SetBastion(w.Now, runs: false)).RunTo(10_000);
        var asked = world.Asked.Where(a => a.Uplink == P && a.Request.Witness == WitnessName.Bastion).Select(a => a.At).ToList();

        Assert.InRange(asked.Count, 120, 135);
        Assert.All(asked, t => Assert.True(t is >= 1000 and < 5000 && t is not (> 4602 and < 4720), $"{t}"));
        Assert.All(asked.Zip(asked.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 29.9));
    }

    [Fact]
    public void Silent_bastion_says_nothing_and_one_that_proves_itself_outranks_dead_tls()
    {
        var silent = new ScriptedWorld();
        silent.Loss(P, 1, WitnessName.Bastion);
        silent.When(100, w => w.Pair.SetBastion(w.Now, runs: true)).RunTo(20_000);
        var proven = new ScriptedWorld().When(50, w => w.Pair.SetBastion(w.Now, runs: true))
            .When(100, w => w.Loss(P, 1, WitnessName.TlsA, WitnessName.TlsB));
        for (var t = 90.0; t < 2000; t += 10)
        {
            proven.When(t, w => w.Pair.Passive(P, w.Now));
        }

        Assert.Equal("Unknown(start) Up(answered)", silent.Story());
        Assert.DoesNotContain(proven.RunTo(2000).Primary.Skip(1), v => v.Usable != Usable.Yes);
    }
}
