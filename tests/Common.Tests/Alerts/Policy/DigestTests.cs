using Common.Alerts.Policy;
using Common.Time;

namespace Common.Tests.Alerts.Policy;

public sealed class DigestTests
{
    private static readonly Instant Start = new(TimeSpan.FromHours(3).Ticks);
    private static readonly DateTimeOffset Wall = new(2026, 7, 1, 14, 2, 0, TimeSpan.Zero);

    [Fact]
    public void Storm_of_a_day_is_about_thirty_digests()
    {
        var (digest, told) = (Digest.Open(Start, Digest.Window, Wall), 0);
        for (var second = 0; second < 86_400; second++)
        {
            var now = Start + TimeSpan.FromSeconds(second);
            if (now >= digest.Ends)
            {
                digest = digest.Next(now)!.Value;
                told++;
            }

            digest = digest.Add(Wall.AddSeconds(second));
        }

        Assert.Equal(26, told);
        Assert.Equal(TimeSpan.FromHours(1), digest.Length);
    }

    [Fact]
    public void Window_without_a_repeat_is_forgotten() => Assert.Null(Digest.Open(Start, Digest.Window, Wall).Next(Start + Digest.Window));

    [Fact]
    public void Window_of_a_day_stays_a_day() =>
        Assert.Equal(Digest.AllowedWindow, Digest.Open(Start, Digest.AllowedWindow, Wall).Add(Wall).Next(Start + Digest.AllowedWindow)!.Value.Length);

    /// <summary>The clock of the wall says when, and decides nothing.</summary>
    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(-20_000)]
    public void Step_of_the_wall_clock_moves_no_window(int days)
    {
        var digest = Digest.Open(Start, Digest.Window, Wall).Add(Wall.AddDays(days)).Add(Wall.AddDays(2 * days));

        Assert.Equal((Start + Digest.Window, 2), (digest.Ends, digest.Repeats));
    }
}
