using Bastion.Watch;
using Common.Time;

namespace Bastion.Tests.Watch;

public sealed class WatchMachineTests
{
    private static readonly HostReading Good = new([], 0.5, true);
    private static readonly Instant T0 = new(TimeSpan.FromHours(1).Ticks);

    [Fact]
    public void Good_host_is_silent() => Assert.Empty(Run(Good, Good, Good));

    [Fact]
    public void Drift_is_told_once_and_another_drift_again()
    {
        var one = Good with { Drifted = ["/etc/pam.d/sshd"] };
        var two = Good with { Drifted = ["/etc/pam.d/sshd", "/etc/ssh/sshd_config"] };

        Assert.Equal(["/etc/pam.d/sshd", "/etc/pam.d/sshd, /etc/ssh/sshd_config"], Run(one, one, Good with { Drifted = null }, one, two, two).Select(f => f.Detail));
        Assert.Equal(2, Run(one, one, Good, Good, one, one).Count);
        Assert.Empty(Run(one, Good, two, Good));
    }

    [Fact]
    public void Disk_is_told_once_until_it_is_well_again()
    {
        HostReading Free(double share) => Good with { DiskFree = share };

        Assert.Equal(["9"], Run(Free(0.095), Free(0.12), Free(0.05)).Select(f => f.Detail));
        Assert.Equal(["9", "4"], Run(Free(0.095), Free(0.2), Free(0.04)).Select(f => f.Detail));
    }

    [Fact]
    public void Clock_is_given_its_time_and_then_told_once()
    {
        var bad = Good with { ClockSynchronised = false };

        Assert.Empty(Run([.. Enumerable.Repeat(bad, 15)]));
        Assert.Equal(Trouble.Clock, Assert.Single(Run([.. Enumerable.Repeat(bad, 40)])).Trouble);
        Assert.Empty(Run([.. Enumerable.Repeat(bad, 10), Good, .. Enumerable.Repeat(bad, 10)]));
        Assert.Empty(Run([.. Enumerable.Repeat(Good with { ClockSynchronised = null }, 40)]));
    }

    [Fact]
    public void Baseline_names_the_files_that_changed()
    {
        var folder = Directory.CreateTempSubdirectory("baseline");
        try
        {
            var path = Path.Combine(folder.FullName, "baseline");
            var baseline = new ConfigurationBaseline(path);
            Assert.Empty(baseline.Drifted()!.Value);
            baseline.Write();
            Assert.Empty(baseline.Drifted()!.Value);
            var file = File.ReadAllLines(path)[0].Split("  ")[1];

            File.WriteAllText(path, File.ReadAllText(path).Replace(File.ReadAllText(path)[..64], new string('0', 64), StringComparison.Ordinal));

            Assert.Equal([file], baseline.Drifted()!.Value.ToArray());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A minute between two looks.</summary>
    private static List<TroubleFound> Run(params HostReading[] readings)
    {
        var state = WatchState.Begin;
        var all = new List<TroubleFound>();
        for (var look = 0; look < readings.Length; look++)
        {
            (state, var found) = WatchMachine.Advance(state, readings[look], T0 + TimeSpan.FromMinutes(look));
            all.AddRange(found);
        }

        return all;
    }
}
