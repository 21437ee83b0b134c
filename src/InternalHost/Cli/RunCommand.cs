using System.CommandLine;
using Common.Hosting;
using InternalHost.Configuration;
using InternalHost.Running;

namespace InternalHost.Cli;

/// <summary><c>internalhost run</c>: the daemon, in the foreground.</summary>
internal static class RunCommand
{
    public static Command Build()
    {
        var config = CommandTree.ConfigOption();
        var command = new Command("run", """
            Run the daemon in the foreground (the service manager does this for you).
            Ends well on SIGTERM and Ctrl-C; SIGHUP reads the configuration again.
            """) { config };
        command.SetAction((parsed, ct) => RunAsync(parsed.GetValue(config)!, parsed.InvocationConfiguration.Error, ct));
        return command;
    }

    private static async Task<int> RunAsync(string file, TextWriter errors, CancellationToken ct)
    {
        var reading = SiteConfiguration.Load(file);
        if (reading.Options is not null)
        {
            return await DaemonRun.RunAsync(reading, Path.GetFullPath(file), ct);
        }

        foreach (var error in reading.Errors)
        {
            await errors.WriteLineAsync(error.ToLine());
        }

        return ExitCode.BadInput;
    }
}
