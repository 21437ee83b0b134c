using System.CommandLine;
using System.Text.Json;
using Common.Logins.Policy;
using Common.Alerts;
using Common.Hosting;

namespace Bastion.Cli;

/// <summary><c>bastion alerts list|explain|test</c>. The first two read the agent's state file beside the running agent, and change nothing.</summary>
internal static class AlertsCommand
{
    private const int DefaultCount = 20;
    private const int MostCount = 1000;

    public static Command Create() => new("alerts", "What was told, what was not and why, and whether it would arrive.") { List(), Explain(), AlertsTestCommand.Create() };

    private static Command List()
    {
        var (state, json) = (StateFile.Option(), Json());
        var count = new Option<int>("--count") { Description = $"How many, newest first; at most {MostCount}.", DefaultValueFactory = _ => DefaultCount, HelpName = "N" };
        var command = new Command("list", "The newest alerts, and the logins that were recorded and not pushed.") { count, json, state };
        TeachingHelp.AddTo(
            command,
            """
            Each line: id, time, severity, what became of it (arrived, on its way, dead, not pushed), and the
            words. The last line counts failed attempts. With --json: one object a line.
            Ask about one: bastion alerts explain 7F3K
            """);
        command.SetAction(result => StateFile.Read(result, result.GetValue(state)!, (connection, console) =>
        {
            var alerts = LoginBook.Recent(connection, Math.Clamp(result.GetValue(count), 1, MostCount));
            if (result.GetValue(json))
            {
                alerts.ToList().ForEach(a => console.Output.WriteLine(JsonSerializer.Serialize(a, AlertViewJson.Default.AlertView)));
                return ExitCode.Good;
            }

            console.Output.WriteLine(AlertText.List(alerts, TimeZoneInfo.Local));
            if (LoginBook.Failures(connection) is { } failures)
            {
                console.Output.WriteLine(failures);
            }

            return ExitCode.Good;
        }));
        return command;
    }

    private static Command Explain()
    {
        var (state, json) = (StateFile.Option(), Json());
        var id = new Argument<string>("ID") { Description = "As at the end of the message: #7F3K or 7F3K." };
        var command = new Command("explain", "One alert: which rule fired, what is known, where each message stands, and why it was not pushed.") { id, json, state };
        command.SetAction(result => StateFile.Read(result, result.GetValue(state)!, (connection, console) =>
        {
            var typed = result.GetRequiredValue(id);
            if (AlertBook.Id(typed) is not { } wanted)
            {
                console.Error.WriteLine($"{Common.Text.SafeText.Clean(typed, 32)}: is no id: 4 to 12 letters and digits, as at the end of the message");
                return ExitCode.BadInput;
            }

            if (LoginBook.Find(connection, wanted) is not { } alert)
            {
                console.Error.WriteLine($"#{wanted}: there is none here. See: bastion alerts list; a message of internalhost is explained by internalhost alerts explain");
                return ExitCode.Failed;
            }

            console.Output.WriteLine(result.GetValue(json) ? JsonSerializer.Serialize(alert, AlertViewJson.Default.AlertView) : AlertText.Explain(alert, TimeZoneInfo.Local));
            return ExitCode.Good;
        }));
        return command;
    }

    private static Option<bool> Json() => new("--json") { Description = "For scripts." };
}
