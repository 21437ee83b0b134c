using System.CommandLine;
using Bastion.Configuration;
using Bastion.DeadMan;
using Common.Agent;
using Common.Configuration;
using Common.Hosting;

namespace Bastion.Cli;

/// <summary><c>bastion upgrade-gate</c>, asked by systemd before unattended upgrades: 0 lets them run, 1 puts them off.</summary>
internal static class UpgradeGateCommand
{
    /// <summary>The first minutes after a start belong to the outage.</summary>
    private static readonly TimeSpan NotBefore = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    public static Command Create()
    {
        var port = new Option<int>("--port") { Description = "The agent's, on 127.0.0.1.", DefaultValueFactory = _ => AgentOptions.DefaultAgentPort };
        var notBefore = new Option<string>("--not-before") { Description = "After the start; earlier it is put off.", DefaultValueFactory = _ => Quantities.Say(NotBefore), HelpName = "SPAN" };
        var command = new Command("upgrade-gate", "May packages be upgraded now? Not in the first minutes, and not while a person is logged in.") { port, notBefore };
        command.SetAction(async (result, ct) =>
        {
            var span = Quantities.DurationBetween(TimeSpan.Zero, Longest)(result.GetValue(notBefore)!);
            if (span.Problem is { } problem)
            {
                result.InvocationConfiguration.Error.WriteLine($"--not-before {result.GetValue(notBefore)}: {problem}");
                return ExitCode.BadInput;
            }

            var (may, why) = Decide(span.Value, TimeProvider.System.GetElapsedTime(0, TimeProvider.System.GetTimestamp()), await AgentPort.AskAsync(result.GetValue(port), new AgentRequest("sessions"), ct));
            result.InvocationConfiguration.Output.WriteLine(may ? "upgrades may run" : $"upgrades are put off: {why}");
            return may ? ExitCode.Good : ExitCode.Failed;
        });
        return command;
    }

    /// <param name="notBefore">After the start.</param>
    /// <param name="reply">Null: the agent does not answer, so nobody knows who is here.</param>
    internal static (bool May, string Why) Decide(TimeSpan notBefore, TimeSpan uptime, AgentReply? reply) =>
        uptime < notBefore ? (false, "the machine has just started")
        : reply is not { Ok: true, Error: null, Sessions: { } sessions } ? (false, "the agent does not say who is here")
        : sessions > 0 ? (false, "somebody is logged in")
        : (true, "");
}
