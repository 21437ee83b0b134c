using System.CommandLine;
using System.Globalization;
using System.Text;
using Common.Hosting;
using Common.Time;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Replay;

namespace InternalHost.Cli;

/// <summary><c>internalhost replay TRACE.csv [--seed N] [--preset P] [--json]</c>: what would the detector have said?</summary>
internal static class ReplayCommand
{
    private const string Help = """
        Plays a recorded or written world through the real detector, in virtual time, and prints when the primary changes its state.
        Forty days take seconds; the same trace and seed print the same bytes.

        A trace is CSV: from t_s on, probes to target fail with probability loss and take rtt_ms (empty: as before).
          t_s,target,loss,rtt_ms
          0,tls_a,0,25
          60,isp_dns,1,
          60,dns_a,1,
          60,dns_b,1,
          60,tls,1,
          200,backup,0,
        Targets: isp_dns dns_a dns_b tls_a (or tls) tls_b http bastion carrier egress backup. Not named: up, 30 ms; tls_b follows tls_a;
        bastion does not run until named. carrier is down and egress is by the backup at a loss of 0.5 or more. Times never go back;
        the world ends at the last row. Lines with # are comments.

        Examples: internalhost replay night.csv
                  internalhost replay night.csv --preset satellite
                  zcat month.csv.gz | internalhost replay - --json | jq -c 'select(.state == "Down")'

        Exit codes: 0 played, 2 bad trace (every mistake with its line; nothing was played).
        """;

    public static Command Build()
    {
        var trace = new Argument<string>("TRACE.csv") { Description = "The trace; - reads standard input" };
        var seed = new Option<ulong>("--seed") { Description = "For the losses that are left to chance", HelpName = "N", DefaultValueFactory = _ => 1 };
        var preset = new Option<string>("--preset") { Description = "How long the dark must last", HelpName = "P", DefaultValueFactory = _ => "balanced" };
        preset.AcceptOnlyFromAmong("fast", "balanced", "satellite");
        var json = CommandTree.JsonOption("One JSON object per line");
        var command = new Command("replay", Help) { trace, seed, preset, json };
        command.SetAction((parsed, ct) => Task.FromResult(Run(
            parsed.GetValue(trace)!, PresetOf(parsed.GetValue(preset)!), parsed.GetValue(seed), parsed.GetValue(json), parsed.InvocationConfiguration, ct)));
        return command;
    }

    private static DetectorPreset PresetOf(string word) => word switch
    {
        "fast" => DetectorPreset.Fast,
        "satellite" => DetectorPreset.Satellite,
        _ => DetectorPreset.Balanced,
    };

    private static int Run(string path, DetectorPreset preset, ulong seed, bool json, InvocationConfiguration io, CancellationToken ct)
    {
        try
        {
            var trace = TraceFile.Open(path, Console.In, ct);
            Play(trace, preset, seed, json, io, ct);
            return ExitCode.Good;
        }
        catch (TraceException e)
        {
            foreach (var line in e.Message.Split('\n'))
            {
                io.Error.WriteLine($"internalhost: {line}");
            }

            io.Error.WriteLine("Nothing was played. The format: internalhost replay --help");
            return ExitCode.BadInput;
        }
    }

    private static void Play(TraceFile trace, DetectorPreset preset, ulong seed, bool json, InvocationConfiguration io, CancellationToken ct)
    {
        var lines = new StringBuilder();
        var play = new TracePlay(trace.Outline, preset, seed, verdict => lines.Append(json ? Json(verdict) : Text(verdict)).Append('\n'));
        var progress = new ReplayProgress(trace.Outline, io.Error, TimeProvider.System);
        foreach (var row in trace.Rows(ct))
        {
            // In steps, so that a quiet month between two rows can be watched and interrupted.
            while (play.Now + TimeSpan.TicksPerHour < row.T)
            {
                ct.ThrowIfCancellationRequested();
                play.RunBefore(play.Now + TimeSpan.TicksPerHour);
                progress.At(play.Now);
            }

            play.Apply(row);
            Flush(lines, io.Output, atLeast: 16 * 1024);
        }

        play.End();
        Flush(lines, io.Output, atLeast: 1);
    }

    private static void Flush(StringBuilder lines, TextWriter output, int atLeast)
    {
        if (lines.Length >= atLeast)
        {
            output.Write(lines);
            lines.Clear();
        }
    }

    private static string Json(in TraceVerdict v) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"t": {{v.Seconds:0.###}}, "state": "{{v.State}}", "usable": "{{Word(v.Usable)}}", "reason": "{{v.Reason}}"}""");

    private static string Text(in TraceVerdict v) => string.Create(CultureInfo.InvariantCulture,
        $"{v.Seconds,14:F3}  {v.State,-10}  {Word(v.Usable),-7}  {v.Reason}");

    private static string Word(Usable usable) => usable switch
    {
        Usable.Yes => "yes",
        Usable.No => "no",
        _ => "unknown",
    };
}

/// <summary>Says on stderr how far a replay is, from its second second on.</summary>
internal sealed class ReplayProgress(TraceOutline outline, TextWriter errors, TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    private Instant _next = Instant.Now(time) + Every;

    public void At(long ticks)
    {
        var now = Instant.Now(time);
        if (now < _next)
        {
            return;
        }

        _next = now + Every;
        var played = new TimeSpan(ticks - outline.First);
        errors.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"internalhost: played {played.TotalDays:F1} of {outline.Length.TotalDays:F1} days ({100 * (played / outline.Length):F0} %)"));
    }
}
