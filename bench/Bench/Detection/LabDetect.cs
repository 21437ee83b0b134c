using System.Globalization;
using Common.Processes;
using Common.Time;
using InternalHost.Wan.Detection;
using Lab.Net;

namespace Bench.Detection;

/// <summary>
/// The detector in the real lab, measured from outside the program: the whole daemon in a network namespace, real faults, and our own clock
/// from the end of the fault's command (its last action is the fault) to the moment when the daemon's status says so. A fresh daemon for each fault, so that no damping of
/// the last one counts; several worlds side by side.
/// </summary>
internal sealed class LabDetect : IBenchmark
{
    private readonly char _wiring;
    private readonly bool _fallsOver;
    private readonly int _promisedRuns;
    private readonly int _worlds;
    private readonly Promise _promise;
    private readonly Func<DetectionWorld, Random, CancellationToken, Task<double?>> _trial;

    private LabDetect(
        string kind, string what, char wiring, bool fallsOver, int promisedRuns, int worlds, Promise promise,
        Func<DetectionWorld, Random, CancellationToken, Task<double?>> trial)
    {
        (Name, What) = ("lab-detect-" + kind, what);
        (_wiring, _fallsOver, _promisedRuns, _worlds, _promise, _trial) = (wiring, fallsOver, promisedRuns, worlds, promise, trial);
    }

    public static IReadOnlyList<IBenchmark> All { get; } =
    [
        new LabDetect(
            "blackout", "the daemon in namespaces: the primary becomes a black hole -> Down", 'A', false, 100, 6, new Promise("p99", "<=", 8.5, "s"),
            (world, random, ct) => OneAsync(world, random, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(60), Reasons.Dark, ct, "primary-down")),
        new LabDetect(
            "carrier", "the same: the modem's cable falls out -> Down", 'A', false, 100, 6, new Promise("p99", "<=", 2.0, "s"),
            (world, random, ct) => OneAsync(world, random, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(60), null, ct, "primary-carrier")),
        new LabDetect(
            "fall-over", "the same: the router sends the primary by the backup within 2 s -> Down (egress)", 'B', true, 20, 10, new Promise("max", "<=", 75, "s"),
            (world, random, ct) => OneAsync(world, random, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(150), Reasons.Egress, ct, "primary-down")),
        new LabDetect(
            "power-cut", "the same: everything is off, then the backup comes back -> Down", 'B', false, 20, 5, new Promise("max", "<=", 30, "s"), PowerCutAsync),
    ];

    public string Name { get; }

    public string What { get; }

    public async Task<BenchmarkResult> RunAsync(int? runs, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new CannotRunException("network namespaces need root");
        }

        // Who asks for a short run wants a fifth of what is rare as well.
        var count = runs is { } asked ? Math.Max(1, asked * _promisedRuns / 100) : _promisedRuns;
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        var left = count;
        var samples = new List<double>();
        var missed = 0;
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Math.Min(_worlds, count)).Select(WorkAsync));
        }
        catch (LabNetException e)
        {
            throw new CannotRunException(e.Message);
        }

        return new BenchmarkResult(Name, _promise, Series.Of(samples, DetectionWorld.Version, missed), new Dictionary<string, Series>(), count);

        async Task WorkAsync(int number)
        {
            var random = new Random(number);
            await using var world = await DetectionWorld.StartAsync(_wiring, _fallsOver, launcher, TimeProvider.System, ct);
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await world.StartDaemonAsync(ct);
                var seconds = await _trial(world, random, ct);
                await world.EndDaemonAsync(ct);
                lock (samples)
                {
                    samples.AddRange(seconds is { } s ? [s] : []);
                    missed += seconds is null ? 1 : 0;
                }

                await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                    $"{samples.Count + missed,4}/{count} {Name} {(seconds is { } t ? $"{t:F2} s" : "MISSED")}   {world.Seen}"));
            }
        }
    }

    /// <summary>One fault at a moment that is in step with nobody's timers.</summary>
    /// <returns>Seconds; null: not within the limit.</returns>
    private static async Task<double?> OneAsync(
        DetectionWorld world, Random random, TimeSpan phase, TimeSpan limit, string? reason, CancellationToken ct, params string[] fault)
    {
        await Task.Delay(TimeSpan.FromSeconds(1) + (phase * random.NextDouble()), ct);
        await world.FaultAsync(ct, fault);
        var from = Instant.Now(TimeProvider.System);
        return await world.UntilAsync(s => s.Uplinks.Primary.State == UplinkState.Down && s.Uplinks.Primary.Reason == (reason ?? s.Uplinks.Primary.Reason), limit, ct) is { } at
            ? (at - from).TotalSeconds
            : null;
    }

    /// <summary>Dark for 4-10 s; then the wire and the backup are back, and the primary is not.</summary>
    private static async Task<double?> PowerCutAsync(DetectionWorld world, Random random, CancellationToken ct)
    {
        await Task.Delay(TimeSpan.FromSeconds(1 + (2 * random.NextDouble())), ct);
        await world.FaultAsync(ct, "power-cut");
        await Task.Delay(TimeSpan.FromSeconds(4 + (6 * random.NextDouble())), ct);
        await world.FaultAsync(ct, "power-cut", "returned");
        var from = Instant.Now(TimeProvider.System);
        return await world.UntilAsync(
            s => s.Uplinks is { Primary: { State: UplinkState.Down, Usable: Usable.No }, Backup.Usable: Usable.Yes }, TimeSpan.FromSeconds(120), ct) is { } at
            ? (at - from).TotalSeconds
            : null;
    }
}
