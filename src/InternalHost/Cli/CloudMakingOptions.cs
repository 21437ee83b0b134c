using System.CommandLine;
using Common.Hosting;
using InternalHost.Cloud;
using InternalHost.Cloud.Making;

namespace InternalHost.Cli;

/// <summary>What the verbs of <c>internalhost cloud</c> have in common: options, and errors turned into lines and an exit code.</summary>
internal sealed class CloudMakingOptions
{
    public Option<string> Config { get; } = CommandTree.ConfigOption();

    public Option<bool> Json { get; } = CommandTree.JsonOption("One JSON object a line");

    public Option<string?> MaintenanceKey { get; } = new("--maintenance-key")
    {
        Description = "The key of who administers the machine: a private key, or its .pub while an agent holds the other half; else 'maintenance' beside bastion.key, made if it is not there",
        HelpName = "FILE",
    };

    public Option<string?> TokenFile { get; } = new("--token-file") { Description = "digitalocean: the creating token, 0600; - reads it from standard input; else DIGITALOCEAN_TOKEN, else it is asked for", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        command.Add(MaintenanceKey);
        command.Add(TokenFile);
        command.Add(Json);
        command.Add(Config);
    }

    public async Task<int> RunAsync(ParseResult parsed, Func<CloudMakingDesk, InvocationConfiguration, Task<int>> run, CancellationToken ct)
    {
        var io = parsed.InvocationConfiguration;
        try
        {
            using var desk = await CloudMakingDesk.OpenAsync(
                new CloudMakingOrder(parsed.GetValue(Config)!, parsed.GetValue(MaintenanceKey), parsed.GetValue(TokenFile), parsed.GetValue(Json), parsed.CommandResult.Command.Name == "create"), io, ct);
            return desk is null ? ExitCode.BadInput : await run(desk, io);
        }
        catch (Exception e) when (e is MakingException or CloudException or StartRefusedException)
        {
            await io.Error.WriteLineAsync($"internalhost: {e.Message}");
            return ExitCode.Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await io.Error.WriteLineAsync($"internalhost: {e.Message} (run this as root: it writes below /etc/internalhost and into the state directory)");
            return ExitCode.Failed;
        }
    }
}

/// <summary>What was typed.</summary>
/// <param name="Makes">It makes: keys that are not there are made.</param>
internal sealed record CloudMakingOrder(string ConfigFile, string? MaintenanceKey, string? TokenFile, bool Json, bool Makes);
