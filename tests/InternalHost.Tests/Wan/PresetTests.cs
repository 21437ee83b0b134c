using InternalHost.Wan.Detection;

namespace InternalHost.Tests.Wan;

/// <summary>A few days of the scenarios of research/wan.md, section 3; the benchmark plays all of them for longer.</summary>
public class PresetTests
{
    private const UplinkName P = UplinkName.Primary;
    private const double Day = 86_400;

    [Theory]
    [InlineData(DetectorPreset.Balanced, 2)]
    [InlineData(DetectorPreset.Satellite, 0)]
    public void Micro_outages_ten_an_hour(object preset, int most)
    {
        var world = World((DetectorPreset)preset);
        var random = new Random(5);
        for (var t = 60.0; t < 6 * Day; t += -Math.Log(1 - random.NextDouble()) * 360)
        {
            var length = 1 + (random.NextDouble() * 3);
            world.When(t, w => w.Cut(P)).When(t + length, w => w.Restore(P));
        }

        Assert.InRange(world.RunTo(6 * Day).Primary.Count(v => v.State == UplinkState.Down), 0, most);
    }

    [Theory]
    [InlineData(DetectorPreset.Balanced)]
    [InlineData(DetectorPreset.Satellite)]
    public void Thirty_percent_loss_six_times_a_day_is_never_down(object preset)
    {
        var world = World((DetectorPreset)preset);
        for (var t = 600.0; t < 3 * Day; t += Day / 6)
        {
            world.When(t, w => w.Loss(P, 0.3, Enum.GetValues<WitnessName>())).When(t + 600, w => w.Restore(P));
        }

        Assert.DoesNotContain(world.RunTo(3 * Day).Primary.Skip(1), v => v.Usable != Usable.Yes);
    }

    [Fact]
    public void Lone_losses_all_day_are_never_down()
    {
        var world = World(DetectorPreset.Balanced);
        world.Loss(P, 0.004, Enum.GetValues<WitnessName>());

        Assert.DoesNotContain(world.RunTo(3 * Day).Primary.Skip(1), v => v.Usable != Usable.Yes);
    }

    [Theory]
    [InlineData(15)]
    [InlineData(30)]
    public void Flap_changes_the_verdict_twice_after_the_first_down_and_then_no_more(int half)
    {
        var world = World(DetectorPreset.Balanced);
        for (var t = 100.0; t < 4000; t += 2 * half)
        {
            world.When(t, w => w.Cut(P)).When(t + half, w => w.Restore(P));
        }

        var changes = world.RunTo(4000).Primary.Select(v => v.Usable).Where(u => u != Usable.Unknown).ToList();
        var transitions = changes.Zip(changes.Skip(1)).Count(p => p.First != p.Second);

        Assert.InRange(transitions, 1, 3);
    }

    private static ScriptedWorld World(DetectorPreset preset) =>
        new(new DetectorOptions { ConfirmAfter = DetectorOptions.ConfirmAfterOf(preset), HasEgress = true, HasHttp = true });
}
