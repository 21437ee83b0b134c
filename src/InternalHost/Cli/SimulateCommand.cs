using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Common.Hosting;
using InternalHost.Simulation;

namespace InternalHost.Cli;

/// <summary><c>internalhost simulate</c>: years of outages in a seeded world with virtual time; every invariant after every step.</summary>
internal static class SimulateCommand
{
    private const double MostYears = 100_000;

    public static Command Build()
    {
        var seed = new Option<ulong>("--seed") { Description = "The world's fate; the same seed gives the same life", HelpName = "S", DefaultValueFactory = _ => 1 };
        var years = new Option<double>("--years") { Description = "How long to live; at least 50 outages a year", HelpName = "Y", DefaultValueFactory = _ => 10 };
        var crash = new Option<bool>("--crash") { Description = "Kill the daemon now and then, between any two steps" };
        var goOn = new Option<bool>("--go-on") { Description = "Do not end at the first violation: live all years, and tell of every one" };
        var until = new Option<double?>("--until") { Description = "Replay to this second only, and show what happened last", HelpName = "T" };
        var trace = new Option<string?>("--trace") { Description = "Write what led to a violation (with --until: to that second) into this folder", HelpName = "DIR" };
        var json = CommandTree.JsonOption("One JSON object");
        years.Validators.Add(r =>
        {
            if (r.GetValueOrDefault<double>() is var y && !(y > 0 && y <= MostYears))
            {
                r.AddError($"--years: {y.ToString(CultureInfo.InvariantCulture)} is not between 0 and {MostYears:F0}");
            }
        });
        until.Validators.Add(r =>
        {
            if (r.GetValueOrDefault<double?>() is { } t && !(t >= 0 && t <= MostYears * 365 * 86_400))
            {
                r.AddError($"--until: {t.ToString(CultureInfo.InvariantCulture)} is no second of a run");
            }
        });
        var command = new Command("simulate", """
            Lives years of outages in minutes: the real controller, detectors, outbox and messages in a seeded world with
            virtual time, where lines, provider, gateway, disk, clock and people fail in every way that is known. Checks
            the invariants after every step. Exit 1 on a violation, with the seed and second to replay it.
            Ctrl-C ends it early and still reports the years that were lived.
            Examples: internalhost simulate --seed 7 --years 100 --crash
                      internalhost simulate --seed 7 --crash --until 123456.7
            """) { seed, years, crash, goOn, until, trace, json };
        command.SetAction((parsed, ct) => Task.Run(() => Run(
            new SimulationRun(parsed.GetValue(seed), parsed.GetValue(years), parsed.GetValue(crash))
            {
                GoesOn = parsed.GetValue(goOn),
                Progress = Progress(parsed.InvocationConfiguration.Error, parsed.GetValue(years)),
            },
            parsed.GetValue(until) is { } t ? TimeSpan.FromSeconds(t) : null,
            parsed.GetValue(trace),
            parsed.GetValue(json),
            parsed.InvocationConfiguration.Output,
            parsed.InvocationConfiguration.Error,
            ct)));
        return command;
    }

    private static int Run(SimulationRun run, TimeSpan? until, string? traceFolder, bool json, TextWriter output, TextWriter errors, CancellationToken ct)
    {
        SimulationReport report;
        string[] last = [];
        if (until is { } moment)
        {
            var (replayed, world) = run.Replay(moment, traceFolder is not null);
            using (world)
            {
                report = replayed;
                last = [.. world.Trace.Lines()];
            }

            if (traceFolder is not null)
            {
                Write(traceFolder, report.Seed, moment.TotalSeconds, last, errors);
            }
        }
        else
        {
            report = LiveUntilTold(run, ct);
            report = traceFolder is null ? report : WithTraces(run, report, traceFolder, errors);
        }

        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(report, SimulationJson.Default.SimulationReport));
        }
        else
        {
            SimulationText.Write(report, until is null ? [] : last, output);
        }

        var early = until is null && report.Violations.Count == 0 && report.Lived < report.Years - 1e-6;
        if (early)
        {
            errors.WriteLine(string.Create(CultureInfo.InvariantCulture, $"simulate: stopped before the end; the report is of the first {report.Lived:F0} of {report.Years:G6} years"));
        }

        return report.Violations.Count == 0 && !early ? ExitCode.Good : ExitCode.Failed;
    }

    /// <summary>Ctrl-C and SIGTERM end it early, and what was lived is still reported.</summary>
    private static SimulationReport LiveUntilTold(SimulationRun run, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var interrupt = OnSignal(PosixSignal.SIGINT, ending);
        using var terminate = OnSignal(PosixSignal.SIGTERM, ending);
        return run.Live(ending.Token);
    }

    private static PosixSignalRegistration OnSignal(PosixSignal signal, CancellationTokenSource ending) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            ending.Cancel();
        });

    private static SimulationReport WithTraces(SimulationRun run, SimulationReport report, string folder, TextWriter errors)
    {
        for (var i = 0; i < report.Violations.Count; i++)
        {
            var violation = report.Violations[i];
            var (_, world) = run.Replay(TimeSpan.FromSeconds(violation.T + 0.001), keepAll: true);
            using (world)
            {
                report.Violations[i] = violation with { TraceFile = Write(folder, violation.Seed, violation.T, [.. world.Trace.Lines()], errors) };
            }
        }

        return report;
    }

    private static string? Write(string folder, ulong seed, double t, string[] lines, TextWriter errors)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"simulate-{seed}-{t:F3}.txt"));
            File.WriteAllLines(file, lines);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.WriteLine($"simulate: --trace {folder}: {e.Message}");
            return null;
        }
    }

    private static Action<double> Progress(TextWriter errors, double years)
    {
        var gate = new Lock();
        var shown = 0;
        return lived =>
        {
            var percent = (int)(lived / years * 20) * 5;
            lock (gate)
            {
                if (percent > shown && years > 5)
                {
                    shown = percent;
                    errors.WriteLine(string.Create(CultureInfo.InvariantCulture, $"simulate: {lived:F0} of {years:F0} years"));
                }
            }
        };
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SimulationReport))]
internal sealed partial class SimulationJson : JsonSerializerContext;
