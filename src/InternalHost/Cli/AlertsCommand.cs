using System.CommandLine;
using System.Text.Json;
using Common.Alerts;
using Common.Hosting;
using InternalHost.Control;

namespace InternalHost.Cli;

/// <summary><c>internalhost alerts list|explain|test</c>, asked of the running daemon.</summary>
internal static class AlertsCommand
{
    public static Command Build() => new("alerts", "What was told, where each message stands, and whether it would arrive.") { List(), Explain(), AlertsTestCommand.Build() };

    private static Command List()
    {
        var (config, json) = (CommandTree.ConfigOption(), CommandTree.JsonOption("One JSON object a line"));
        var command = new Command("list", """
            The newest alerts: id, time, severity, what became of it, and the words.
            Examples: internalhost alerts list
                      internalhost alerts list --json | jq -r 'select(.told) | .id'
            """) { json, config };
        command.SetAction(async (parsed, ct) =>
        {
            var io = parsed.InvocationConfiguration;
            if (await new DaemonQuestion(parsed.GetValue(config)!, io).AskAsync(new ControlRequest.Alerts(), ct) is not { Alerts: { } alerts })
            {
                return ExitCode.Failed;
            }

            await io.Output.WriteLineAsync(parsed.GetValue(json)
                ? string.Join('\n', alerts.Select(a => JsonSerializer.Serialize(a, AlertViewJson.Default.AlertView)))
                : AlertText.List(alerts, TimeZoneInfo.Local));
            return ExitCode.Good;
        });
        return command;
    }

    private static Command Explain()
    {
        var (config, json) = (CommandTree.ConfigOption(), CommandTree.JsonOption("One JSON object"));
        var id = new Argument<string>("ID") { Description = "As at the end of the message: #7F3K or 7F3K" };
        var command = new Command("explain", """
            One alert: what it says, why, and where each message of it stands.
            Example: internalhost alerts explain 7F3K
            """) { id, json, config };
        command.SetAction(async (parsed, ct) =>
        {
            var io = parsed.InvocationConfiguration;
            if (AlertBook.Id(parsed.GetRequiredValue(id)) is not { } wanted)
            {
                await io.Error.WriteLineAsync("internalhost: that is no id: 4 to 12 letters and digits, as at the end of the message");
                return ExitCode.BadInput;
            }

            if (await new DaemonQuestion(parsed.GetValue(config)!, io).AskAsync(new ControlRequest.Explain(wanted), ct) is not { Alerts: [var alert] })
            {
                return ExitCode.Failed;
            }

            await io.Output.WriteLineAsync(
                parsed.GetValue(json) ? JsonSerializer.Serialize(alert, AlertViewJson.Default.AlertView) : AlertText.Explain(alert, TimeZoneInfo.Local));
            return ExitCode.Good;
        });
        return command;
    }
}
