using System.CommandLine;
using Common.Hosting;
using InternalHost.Configuration;

namespace InternalHost.Cli;

/// <summary>Every verb of <c>internalhost</c>; each file beside this one is one of them.</summary>
internal static class CommandTree
{
    private const string Description = """
        Gives you a way in from outside while your main internet line is dead: watches both lines, starts
        the bastion over the backup, holds a proven SSH tunnel to it, tells you by SMS, and stops it again.

        First steps:
          internalhost check-config internalhost.yaml     is the file right? all mistakes at once
          internalhost doctor                             is this machine ready?
          internalhost status                             can I get in now? what is wrong?

        Exit codes: 0 good, 1 a check failed or the daemon said no, 2 bad usage or input, 77 cannot run here.
        """;

    public static RootCommand Build() => new(Description)
    {
        RunCommand.Build(),
        StatusCommand.Build(),
        OrderCommands.Open(),
        OrderCommands.Close(),
        OrderCommands.Pause(),
        OrderCommands.Resume(),
        OrderCommands.Reload(),
        AlertsCommand.Build(),
        LoginHookCommand.Build(),
        CheckConfigCommand.Build(),
        DoctorCommand.Build(),
        ReplayCommand.Build(),
        SshConfigCommand.Build(),
        CostCommand.Build(),
        PinsCommand.Build(),
        CloudCommand.Build(),
        LocalCloudVerb.Build(),
        SimulateCommand.Build(),
    };

    /// <summary>Bad usage is exit code 2 with every mistake and the way to the help, never a page of it.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, TextWriter output, TextWriter errors)
    {
        var parsed = Build().Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is not System.CommandLine.Help.HelpAction)
        {
            foreach (var error in parsed.Errors)
            {
                await errors.WriteLineAsync($"internalhost: {error.Message}");
            }

            var verb = parsed.CommandResult.Command is RootCommand ? "" : $" {parsed.CommandResult.Command.Name}";
            await errors.WriteLineAsync($"Try: internalhost{verb} --help");
            return ExitCode.BadInput;
        }

        // Signals are DaemonRunner's: its host needs longer than the library's two seconds to stop well.
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = output,
            Error = errors,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    /// <summary><c>-c FILE</c>, as every verb that needs the configuration has it.</summary>
    public static Option<string> ConfigOption() => new("--config", "-c")
    {
        Description = "The configuration",
        HelpName = "FILE",
        DefaultValueFactory = _ => SiteConfiguration.DefaultPath,
    };

    public static Option<bool> JsonOption(string description) => new("--json") { Description = description };
}
