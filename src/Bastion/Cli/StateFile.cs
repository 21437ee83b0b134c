using System.CommandLine;
using Bastion.Agent;
using Bastion.Configuration;
using Common.Hosting;
using Common.Journal;
using Microsoft.Data.Sqlite;

namespace Bastion.Cli;

/// <summary>The agent's state, read beside the running agent.</summary>
internal static class StateFile
{
    public static Option<string> Option() => new("--state")
    {
        Description = "Where the agent keeps its state.",
        DefaultValueFactory = _ => AgentOptions.DefaultStateDirectory,
        HelpName = "DIR",
    };

    public static int Read(ParseResult result, string directory, Func<SqliteConnection, InvocationConfiguration, int> work)
    {
        var (console, path) = (result.InvocationConfiguration, Path.Combine(directory, AgentState.FileName));
        if (!File.Exists(path))
        {
            console.Error.WriteLine($"{path}: is not there, or may not be looked for by this user: sudo, or --state DIR where the agent keeps its state");
            return ExitCode.BadInput;
        }

        try
        {
            using var connection = Database.Peek(path);
            return work(connection, console);
        }
        catch (SqliteException e)
        {
            console.Error.WriteLine($"{path}: cannot be read (SQLite error {e.SqliteErrorCode}): sudo, or start the agent of this version first");
            return ExitCode.Failed;
        }
    }
}
