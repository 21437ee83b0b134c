using System.CommandLine;
using Common.Alerts.Test;
using Common.Configuration;
using Common.Hosting;
using InternalHost.Control;

namespace InternalHost.Cli;

/// <summary><c>internalhost alerts test</c>, asked of the running daemon.</summary>
internal static class AlertsTestCommand
{
    private static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(90);

    public static Command Build()
    {
        var channel = new Option<string?>("--channel") { Description = "Only this one: sms, telegram or webhook", HelpName = "NAME" };
        var patience = new Option<TimeSpan>("--wait")
        {
            Description = "How long to wait for the confirmations, such as 2m",
            HelpName = "TIME",
            DefaultValueFactory = _ => DefaultPatience,
            CustomParser = result =>
            {
                var reading = Quantities.Duration(result.Tokens[0].Value);
                if (reading.Problem is { } problem)
                {
                    result.AddError($"'{result.Tokens[0].Value}' {problem}");
                }

                return reading.Value;
            },
        };
        var json = CommandTree.JsonOption("One JSON object a line, for each change");
        var config = CommandTree.ConfigOption();
        var command = new Command("test", """
            Really sends a message by each channel, through the running daemon, and waits until each is confirmed.
            Exit code 0: all were; 1: one was not. A channel that was refused before is tried again.
            Examples: internalhost alerts test
                      internalhost alerts test --channel telegram
            """) { channel, patience, json, config };
        command.SetAction((parsed, ct) =>
        {
            var io = parsed.InvocationConfiguration;
            return RunAsync(new DaemonQuestion(parsed.GetValue(config)!, io), parsed.GetValue(channel), parsed.GetValue(patience), parsed.GetValue(json), io.Output, ct);
        });
        return command;
    }

    private static async Task<int> RunAsync(DaemonQuestion daemon, string? channel, TimeSpan patience, bool json, TextWriter output, CancellationToken ct)
    {
        if (await daemon.AskAsync(new ControlRequest.TestAlerts(channel), ct) is not { Tests: { } tests })
        {
            return ExitCode.Failed;
        }

        var progress = new TestProgress(async (ids, stop) => (await daemon.AskAsync(new ControlRequest.LookAtTests([.. ids]), stop))?.Tests, output, json, TimeProvider.System);
        return await progress.FollowAsync(tests, patience, ct);
    }
}
