using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bastion.People;
using Common.Hosting;

namespace Bastion.Cli;

/// <summary><c>bastion reached</c>: who went where. Reads the agent's state file, and changes nothing.</summary>
internal static class ReachedCommand
{
    private const int DefaultCount = 20;
    private const int MostCount = 10_000;

    public static Command Create()
    {
        var (state, json) = (StateFile.Option(), new Option<bool>("--json") { Description = "One JSON object a line." });
        var count = new Option<int>("--count") { Description = $"How many, newest first; at most {MostCount}.", DefaultValueFactory = _ => DefaultCount, HelpName = "N" };
        var command = new Command("reached", "Which person reached which service, and when.") { count, json, state };
        TeachingHelp.AddTo(
            command,
            """
            As the firewall saw it: a person's connection to a port of a site's, the first in ten minutes.
            What is done there is between the person and the service: the bastion sees ciphertext.
            """);
        command.SetAction(result => StateFile.Read(result, result.GetValue(state)!, (connection, console) =>
        {
            foreach (var one in ReachedStore.Recent(connection, Math.Clamp(result.GetValue(count), 1, MostCount)))
            {
                console.Output.WriteLine(result.GetValue(json) ? JsonSerializer.Serialize(one, ReachedJson.Default.Reached) : Line(one));
            }

            return ExitCode.Good;
        }));
        return command;
    }

    private static string Line(Reached one) => string.Create(
        CultureInfo.InvariantCulture, $"{one.At.ToLocalTime():yyyy-MM-dd HH:mm:ss}  {one.Person}  {one.Site ?? "-"}  {one.Service ?? "-"} ({one.Port})");
}
