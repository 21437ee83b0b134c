using System.CommandLine;
using System.Text;
using System.Text.Json;
using Bastion.Agent;
using Bastion.Host;
using Bastion.People;
using Common.Configuration;
using Common.Hosting;
using Common.Kernel;
using Common.Processes;
using Common.Sync;

namespace Bastion.Cli;

/// <summary><c>bastion apply-bundle</c>: root's part of a sync, started by bastion-bundle.socket with a connection as its input and output.</summary>
internal static class ApplyBundleCommand
{
    public static Command Create()
    {
        var command = new Command("apply-bundle", "Puts a site's signed bundle (standard input) in force: its people, their keys, how they are told. As root.");
        TeachingHelp.AddTo(
            command,
            """
            The answer is one JSON object: ok, or why nothing was changed (broken, not-signed, old,
            format, invalid, failed), with the number of the bundle in force.
            Exit codes: 0 in force, 1 refused, 77 not root.
            """);
        command.SetAction((_, ct) => RunAsync(ct));
        return command;
    }

    private static async Task<int> RunAsync(CancellationToken ct)
    {
        await using var output = Console.OpenStandardOutput();
        if (OwnUser.Uid != 0)
        {
            await Console.Error.WriteLineAsync("this makes accounts: run it as root (sudo)");
            return ExitCode.CannotRun;
        }

        await using var input = Console.OpenStandardInput();
        var bytes = await BundleStream.ReadAsync(input, ct);
        var reply = await ApplyAsync(bytes, ct);
        await output.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(reply, BundleJson.Default.SyncReply) + "\n"), ct);
        return reply.Ok ? ExitCode.Good : ExitCode.Failed;
    }

    private static async Task<SyncReply> ApplyAsync(ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        // Of the service: its journal. Output is the sender's.
        void Say(string words) => Console.Error.WriteLine(words);
        try
        {
            var settings = HostSettingsFile.Load(HostPlan.Settings, mustExist: true);
            var reply = await new BundleApply(new Shell(new SystemProcessLauncher(TimeProvider.System)), new BundleFolder(), settings, TimeProvider.System, Say).ApplyAsync(bytes, ct);
            if (!reply.Ok)
            {
                Say($"a bundle was refused, nothing was changed: {reply.Refusal}");
            }

            return reply;
        }
        catch (ConfigurationException)
        {
            return new SyncReply(false, SyncRefusal.Failed, $"{HostPlan.Settings} is not there or cannot be used: bastion install") { Formats = [Bundle.CurrentFormat], Version = Machine.Version };
        }
    }
}
