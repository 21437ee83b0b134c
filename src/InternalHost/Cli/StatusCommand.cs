using System.CommandLine;
using System.Text.Json;
using Common.Hosting;
using InternalHost.Control;

namespace InternalHost.Cli;

/// <summary><c>internalhost status [--json] [--watch]</c>.</summary>
internal static class StatusCommand
{
    public static Command Build()
    {
        var config = CommandTree.ConfigOption();
        var json = CommandTree.JsonOption("One JSON object (with --watch: one a second)");
        var watch = new Option<bool>("--watch", "-w") { Description = "Every second; where there is no terminal, a line for each change" };
        var command = new Command("status", """
            Can I get in now? What is happening, why, and what to do about it.
            Examples: internalhost status
                      internalhost status --watch
                      internalhost status --json | jq .tunnel.verified_age_s
            """) { json, watch, config };
        command.SetAction((parsed, ct) =>
        {
            var io = parsed.InvocationConfiguration;
            var question = new DaemonQuestion(parsed.GetValue(config)!, io);
            Func<StatusReport, string> render = parsed.GetValue(json) ? Json : StatusText.Render;
            return parsed.GetValue(watch)
                ? new StatusWatch(question, io.Output, parsed.GetValue(json), OnTerminal, TimeProvider.System).RunAsync(ct)
                : OnceAsync(question, io.Output, render, ct);
        });
        return command;
    }

    private static bool OnTerminal => !Console.IsOutputRedirected;

    private static async Task<int> OnceAsync(DaemonQuestion question, TextWriter output, Func<StatusReport, string> render, CancellationToken ct)
    {
        if (await question.AskAsync(new ControlRequest.Status(), ct) is not { Status: { } report })
        {
            return ExitCode.Failed;
        }

        await output.WriteLineAsync(render(report).TrimEnd('\n'));
        return ExitCode.Good;
    }

    internal static string Json(StatusReport report) => JsonSerializer.Serialize(report, StatusJson.Default.StatusReport);
}
