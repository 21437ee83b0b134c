using System.Globalization;
using Common.Processes;
using InternalHost.Cloud.Local;
using InternalHost.Control;
using Lab.Demo;
using Lab.World;

namespace Bench;

/// <summary>
/// From "the VM's sshd listens" to "the tunnel is verified", with the whole daemon, on a VM whose ports refuse, drop or stay silent while
/// it boots, or whose sshd restarts once when it is first used. The rival is what is done by hand: the same ssh in a loop with
/// RestartSec=5, against the same VM, at the same time.
/// </summary>
internal sealed class StartToTunnel : IBenchmark
{
    private const int PromisedRuns = 100;

    private const double ShortestBoot = 2;
    private const double LongestBoot = 6;

    private static readonly (string Name, string Modes)[] Modes =
    [
        ("refuses", "\"boot_port\": \"refuse\", \"restart_once\": \"no\""),
        ("drops", "\"boot_port\": \"drop\", \"restart_once\": \"no\""),
        ("silent", "\"boot_port\": \"silent\", \"restart_once\": \"no\""),
        ("restarts after banner", "\"boot_port\": \"refuse\", \"restart_once\": \"after_banner\""),
        ("restarts after login", "\"boot_port\": \"refuse\", \"restart_once\": \"after_login\""),
    ];

    private static readonly DemoTimes Times = new(
        Pending: TimeSpan.FromSeconds(0.3),
        Boot: TimeSpan.FromSeconds(2),
        Stop: TimeSpan.FromSeconds(0.2),
        TellAfter: TimeSpan.FromMinutes(5),
        StopAfter: TimeSpan.Zero);

    public string Name => "start-to-tunnel";

    public string What => "VM's sshd listens -> verified tunnel, on VMs that refuse, drop, stay silent or restart; rival: ssh in a loop";

    public async Task<BenchmarkResult> RunAsync(int? runs, CancellationToken ct)
    {
        var count = runs ?? PromisedRuns;
        var random = new Random(1);
        var time = TimeProvider.System;
        var launcher = new SystemProcessLauncher(time);
        using var folder = RunFolder.Make(keep: false);
        await using var world = await LoopbackDemoWorld.StartAsync([], launcher, time);
        await using var stage = await TunnelStage.SetAsync(world, folder, Times, launcher, time, ct);
        var ours = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        var rivals = new Dictionary<string, (List<double> Samples, int Missed)>(StringComparer.Ordinal);
        for (var run = 0; run < count; run++)
        {
            var (name, modes) = Modes[run % Modes.Length];
            // A VM does not boot in step with anybody's timers.
            var boot = random.NextDouble() * (LongestBoot - ShortestBoot) + ShortestBoot;
            var result = await stage.PlayAsync(string.Create(CultureInfo.InvariantCulture, $"{{{modes}, \"boot_seconds\": {boot:F3}}}"), ct);
            (ours.TryGetValue(name, out var list) ? list : ours[name] = []).Add(result.Ours);
            foreach (var (rival, reached) in result.Rivals)
            {
                var (samples, missed) = rivals.GetValueOrDefault(rival, ([], 0));
                if (reached is { } seconds)
                {
                    samples.Add(seconds);
                }

                rivals[rival] = (samples, missed + (reached is null ? 1 : 0));
            }

            await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"{run + 1,4}/{count} {name,-22} ours {result.Ours:F2} s   {string.Join("   ", result.Rivals.Select(r => $"{r.Key} {r.Value?.ToString("F2", CultureInfo.InvariantCulture) ?? "not in time"}"))}"));
        }

        return new BenchmarkResult(
            Name,
            new Promise("max", "<=", 2, "s"),
            Series.Of([.. ours.Values.SelectMany(v => v)], stage.OurVersion),
            rivals.ToDictionary(r => r.Key, r => Series.Of(r.Value.Samples, stage.SshVersion, r.Value.Missed), StringComparer.Ordinal),
            count)
        {
            Parts = ours.ToDictionary(o => o.Key, o => Series.Of(o.Value, ""), StringComparer.Ordinal),
        };
    }
}
