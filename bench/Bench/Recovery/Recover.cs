using System.Globalization;
using Common.Processes;
using Lab.Net;

namespace Bench.Recovery;

/// <summary>
/// The backup's link comes back: how long until a line goes to the bastion's port and comes back from home, over a listener that the dead connection
/// still holds there? The whole daemon, autossh as Debian starts it and autossh as it is recommended hold a tunnel over one link, to one sshd; the
/// same question is asked of all three, from outside of the programs.
/// </summary>
internal sealed class Recover : IBenchmark
{
    public const string Ours = "ours";
    private const int PromisedRuns = 100;
    private const double Promised = 2;
    private const int Worlds = 4;
    private const string Forgets = "nat-rebind";

    /// <summary>Rivals need minutes for a trial that takes us seconds: they are in the first trials of each kind only.</summary>
    private const int RivalTrials = 3;

    private static readonly TimeSpan OurLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RivalLimit = TimeSpan.FromSeconds(150);

    private static readonly Kind[] Kinds =
    [
        new("blackhole 60 s", TimeSpan.FromSeconds(60), (w, ct) => w.FaultAsync(ct, "backup-down"), "backup-down"),
        new("NAT rebinding", TimeSpan.FromSeconds(20), ForgetAsync, "backup-down"),
        new("carrier 20 s", TimeSpan.FromSeconds(20), (w, ct) => w.FaultAsync(ct, "backup-carrier"), "backup-carrier"),
    ];

    public string Name => "recover";

    public string What => "the backup's link is restored -> a line goes round through the tunnel, over a stale listener; rivals: autossh by default and as recommended";

    public async Task<BenchmarkResult> RunAsync(int? runs, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists(Autossh.Program))
        {
            throw new CannotRunException("needs root (network namespaces) and autossh: apt-get install autossh");
        }

        var count = runs ?? PromisedRuns;
        var launcher = new SystemProcessLauncher(TimeProvider.System);
        var trials = new List<Trial>();
        var next = -1;
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Math.Min(Worlds, count)).Select(WorkAsync));
        }
        catch (LabNetException e)
        {
            ct.ThrowIfCancellationRequested();
            throw new CannotRunException(e.Message);
        }

        var version = (await launcher.RunAsync(new ProcessSpec(Autossh.Program, ["-V"]), ct)).Output.Trim();
        return new BenchmarkResult(
            // 99 of 100: the slowest one of a hundred may be slower.
            Name, new Promise("p99", "<=", Promised, "s"), Of(Ours, trials, RecoveryWorld.Version), Autossh.All.ToDictionary(a => a.Name, a => Of(a.Name, trials, version), StringComparer.Ordinal), count)
        {
            Parts = Kinds.Where(k => trials.Exists(t => t.Kind == k)).ToDictionary(k => k.Name, k => Of(Ours, trials.Where(t => t.Kind == k), ""), StringComparer.Ordinal),
            Table = Compare(trials),
        };

        async Task WorkAsync(int number)
        {
            var random = new Random(number);
            await using var world = await RecoveryWorld.StartAsync(launcher, TimeProvider.System, ct);
            while (Interlocked.Increment(ref next) is var trial && trial < count)
            {
                var kind = Kinds[trial % Kinds.Length];
                var result = new Trial(kind, await OnceAsync(world, kind, trial < RivalTrials * Kinds.Length, random, ct));
                lock (trials)
                {
                    trials.Add(result);
                }

                await Console.Error.WriteLineAsync($"{trials.Count,4}/{count} {result}");
                if (result.Seconds[Ours] is null or > Promised)
                {
                    await Console.Error.WriteLineAsync(world.Words);
                }
            }
        }
    }

    private static async Task<IReadOnlyDictionary<string, double?>> OnceAsync(RecoveryWorld world, Kind kind, bool withRivals, Random random, CancellationToken ct)
    {
        await world.ReadyAsync(withRivals, ct);
        // In step with nobody's timers.
        await Task.Delay(TimeSpan.FromSeconds(1 + (5 * random.NextDouble())) + (withRivals ? Autossh.GateTime : TimeSpan.Zero), ct);
        await kind.Break(world, ct);
        await Task.Delay(kind.Dark, ct);
        var result = await world.MeasureAsync(token => world.ClearAsync(kind.Mended, token), withRivals ? RivalLimit : OurLimit, ct);
        await world.ClearAsync(Forgets, ct);
        return result;
    }

    /// <summary>What the carrier's translator knew of us is gone, and it says nothing of it.</summary>
    private static async Task ForgetAsync(RecoveryWorld world, CancellationToken ct)
    {
        await world.FaultAsync(ct, "backup-down");
        await world.FaultAsync(ct, Forgets, "silent");
    }

    private static Series Of(string who, IEnumerable<Trial> trials, string version)
    {
        var seconds = trials.Where(t => t.Seconds.ContainsKey(who)).Select(t => t.Seconds[who]).ToList();
        return Series.Of([.. seconds.OfType<double>()], version, seconds.Count(s => s is null));
    }

    private static Table Compare(List<Trial> trials)
    {
        return new Table(
            $"from the link's return to a tunnel that works (s); not within {RivalLimit.TotalSeconds:0} s: ∞", [.. Kinds.Select(k => k.Name)],
            [
                new($"{Ours}: at most {Promised:0} s (share of trials, %)", Each(Ours, s => 100.0 * s.Count(t => t <= Promised) / s.Count)),
                .. Autossh.All.Select(a => a.Name).Prepend(Ours).SelectMany(who => (TableRow[])
                [
                    new($"{who}: median", Each(who, s => s[(s.Count - 1) / 2])),
                    new($"{who}: slowest", Each(who, s => s[^1])),
                ]),
            ]);

        double[] Each(string who, Func<List<double>, double> figure) => [.. Kinds.Select(kind =>
        {
            var sorted = trials.Where(t => t.Kind == kind && t.Seconds.ContainsKey(who)).Select(t => t.Seconds[who] ?? double.PositiveInfinity).Order().ToList();
            return sorted.Count == 0 ? double.NaN : figure(sorted);
        })];
    }

    /// <param name="Mended">The fault whose end is the link's return.</param>
    private sealed record Kind(string Name, TimeSpan Dark, Func<RecoveryWorld, CancellationToken, Task> Break, string Mended);

    /// <param name="Seconds">By contender; null: not within the limit.</param>
    private sealed record Trial(Kind Kind, IReadOnlyDictionary<string, double?> Seconds)
    {
        public override string ToString() =>
            $"{Kind.Name,-15} {string.Join("   ", Seconds.Select(s => $"{s.Key} {s.Value?.ToString("F2", CultureInfo.InvariantCulture) ?? "not in time"}"))}";
    }
}
