using System.CommandLine;
using System.Text.Json;
using Common.Configuration;
using Common.Hosting;
using InternalHost.Configuration;

namespace InternalHost.Cli;

/// <summary><c>internalhost check-config [FILE] [--json]</c>: every mistake at once, one a line: key, value (secrets masked), reason.</summary>
internal static class CheckConfigCommand
{
    public static Command Build()
    {
        var file = new Argument<string>("FILE")
        {
            Description = "The configuration",
            Arity = ArgumentArity.ZeroOrOne,
            DefaultValueFactory = _ => SiteConfiguration.DefaultPath,
        };
        var json = CommandTree.JsonOption("The mistakes as a JSON array; an empty one when there are none");
        var command = new Command("check-config", """
            Is the configuration right? Prints every mistake at once, one a line: key, value, reason (exit 2);
            or what was understood and the next step (exit 0).
            Examples: internalhost check-config
                      internalhost check-config ./internalhost.yaml --json
            """) { file, json };
        command.SetAction(parsed => Run(parsed.GetValue(file)!, parsed.GetValue(json), parsed.InvocationConfiguration.Output));
        return command;
    }

    private static int Run(string file, bool json, TextWriter output)
    {
        var reading = SiteConfiguration.Load(file);
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(reading.Errors, ConfigurationJson.Default.IReadOnlyListConfigurationError));
        }
        else if (reading.Options is { } options)
        {
            output.Write(SiteSummary.Render(options));
        }
        else
        {
            reading.Errors.ToList().ForEach(error => output.WriteLine(error.ToLine()));
        }

        return reading.Options is null ? ExitCode.BadInput : ExitCode.Good;
    }
}
