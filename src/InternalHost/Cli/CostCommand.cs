using System.CommandLine;
using System.Text.Json;
using Common.Hosting;
using Common.Journal;
using InternalHost.Cloud.Prices;
using InternalHost.Configuration;
using Microsoft.Data.Sqlite;

namespace InternalHost.Cli;

/// <summary><c>internalhost cost [--json]</c>: from a dated table and our own journal; asks nobody.</summary>
internal static class CostCommand
{
    public static Command Build()
    {
        var config = CommandTree.ConfigOption();
        var json = CommandTree.JsonOption("One JSON object");
        var command = new Command("cost", """
            What the way in costs: at rest, in an outage, for each text, and this month so far. An estimate, from a table with its day.
            Examples: internalhost cost
                      internalhost cost --json | jq .this_month.total
            """) { json, config };
        command.SetAction(parsed => Run(parsed.GetValue(config)!, parsed.GetValue(json), parsed.InvocationConfiguration));
        return command;
    }

    private static int Run(string configFile, bool json, InvocationConfiguration io)
    {
        var (reading, _) = SiteConfiguration.LoadForMaking(configFile);   // what it will cost is asked before there is anything
        if (reading.Options is not { } site)
        {
            foreach (var error in reading.Errors)
            {
                io.Error.WriteLine(error.ToLine());
            }

            return ExitCode.BadInput;
        }

        CostReport report;
        try
        {
            report = Read(site);
        }
        catch (SqliteException e)
        {
            io.Error.WriteLine($"internalhost: {site.StateFile} cannot be read: {e.Message} (as root, or as the service's user: sudo internalhost cost)");
            return ExitCode.Failed;
        }

        io.Output.WriteLine(json ? JsonSerializer.Serialize(report, CostJson.Default.CostReport) : CostReports.Render(report).TrimEnd('\n'));
        return ExitCode.Good;
    }

    private static CostReport Read(SiteOptions site)
    {
        var now = TimeProvider.System.GetLocalNow();
        if (!File.Exists(site.StateFile))
        {
            return CostFacts.Empty(site, now);
        }

        using var connection = Database.Peek(site.StateFile);
        return CostFacts.Read(connection, site, now);
    }
}
