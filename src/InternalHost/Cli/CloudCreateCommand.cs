using System.CommandLine;
using Common.Hosting;
using InternalHost.Cloud.Making;

namespace InternalHost.Cli;

/// <summary><c>internalhost cloud create</c>: the site's machine, from nothing to a bastion that is off and pinned.</summary>
internal static class CloudCreateCommand
{
    public static Command Build()
    {
        var options = new CloudMakingOptions();
        var package = new Option<string?>("--package") { Description = "The bastion's Debian package; else looked for beside the program", HelpName = "FILE" };
        var command = new Command("create", """
            Make the bastion's machine: key, firewall, machine, host key learnt out of band and pinned, the package installed
            over SSH, a credential for the daemon, and off it goes. Ended at any point, run it again: it goes on.
            What is finished is left alone. The creating credential comes from the environment (AWS_PROFILE,
            AWS_ACCESS_KEY_ID ..., DIGITALOCEAN_TOKEN) and is kept nowhere.
            Examples: sudo AWS_PROFILE=owner internalhost cloud create
                      sudo internalhost cloud create --token-file /root/do-token --package ./bastion_0.1.0_amd64.deb
            """) { package };
        options.AddTo(command);
        command.SetAction((parsed, ct) => options.RunAsync(parsed, (desk, io) => RunAsync(desk, parsed.GetValue(package), io, ct), ct));
        return command;
    }

    private static async Task<int> RunAsync(CloudMakingDesk desk, string? package, InvocationConfiguration io, CancellationToken ct)
    {
        var hands = await desk.HandsAsync(package, ct);
        if (desk.Journal.Notes.FinishedAt is null && await desk.Cloud.MissingRightsAsync(ct) is { Count: > 0 } missing)
        {
            await io.Error.WriteLineAsync($"internalhost: this credential lacks {string.Join(", ", missing)}: give its user these rights for as long as this takes; nothing was made");
            return ExitCode.Failed;
        }

        var did = await desk.Maker(hands).CreateAsync(ct);
        desk.Say(did ? "made" : "nothing to do: all is there");
        foreach (var line in did ? desk.NextSteps() : [])
        {
            desk.Say(line);
        }

        return ExitCode.Good;
    }
}
