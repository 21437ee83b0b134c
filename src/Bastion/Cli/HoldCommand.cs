using System.CommandLine;
using Bastion.Configuration;
using Bastion.DeadMan;
using Common.Agent;
using Common.Configuration;
using Common.Hosting;

namespace Bastion.Cli;

/// <summary><c>bastion hold --for 2h</c>: the VM does not switch itself off for so long.</summary>
internal static class HoldCommand
{
    public static Command Create()
    {
        var span = new Option<string>("--for") { Description = "How long from now: 30m, 2h, at most 2d; 0s lifts a hold.", Required = true, HelpName = "SPAN" };
        var port = new Option<int>("--port") { Description = "The agent's, on 127.0.0.1.", DefaultValueFactory = _ => AgentOptions.DefaultAgentPort };
        var command = new Command("hold", "Keeps this VM up though nobody is logged in and no tunnel stands.") { span, port };
        command.SetAction((result, ct) => RunAsync(result.GetRequiredValue(span), result.GetValue(port), result.InvocationConfiguration, ct));
        return command;
    }

    private static async Task<int> RunAsync(string text, int port, InvocationConfiguration console, CancellationToken ct)
    {
        var reading = Quantities.DurationBetween(TimeSpan.Zero, HoldFile.Longest)(text);
        if (reading.Problem is { } problem)
        {
            console.Error.WriteLine($"--for {text}: {problem}");
            return ExitCode.BadInput;
        }

        var reply = await AgentPort.AskAsync(port, new AgentRequest("hold", reading.Value.TotalSeconds), ct);
        if (reply is not { Ok: true })
        {
            console.Error.WriteLine(reply?.Error ?? $"no answer on 127.0.0.1:{port}: does the agent run? systemctl status bastion-agent");
            return reply is null ? ExitCode.CannotRun : ExitCode.Failed;
        }

        console.Output.WriteLine($"held for {Say(reply.HeldForSeconds)}; it switches itself off in {Say(reply.OffInSeconds)} at the earliest");
        return ExitCode.Good;
    }

    private static string Say(double? seconds) => Quantities.Say(TimeSpan.FromSeconds(Math.Round(seconds ?? 0)));
}
