using System.CommandLine;

namespace InternalHost.Cli;

/// <summary><c>internalhost local-cloud DIR</c> in the help and the usage errors of the other verbs; the work is <see cref="LocalCloudCommand"/>'s.</summary>
internal static class LocalCloudVerb
{
    public static Command Build()
    {
        var directory = new Argument<string>("DIR") { Description = "Folder of its keys, logs and socket" };
        var settings = new Option<string?>("--config") { Description = "Its settings; else DIR/cloud.json", HelpName = "FILE" };
        var command = new Command("local-cloud", """
            Be the provider of cloud: local: a private sshd of this machine that is started and stopped like a VM.
            For trying things out, and for the tests.
            Example: internalhost local-cloud ./cloud
            """) { directory, settings };
        command.SetAction((parsed, ct) => LocalCloudCommand.RunAsync(
            parsed.GetValue(settings) is { } file ? [parsed.GetValue(directory)!, "--config", file] : [parsed.GetValue(directory)!], ct));
        return command;
    }
}
