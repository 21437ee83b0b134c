using System.CommandLine;
using Bastion.Host;
using Bastion.People;
using Common.Hosting;
using Common.Kernel;
using Common.Time;

namespace Bastion.Cli;

/// <summary><c>bastion sentence</c>: the forced command of people. Whatever they asked for, they are told how it stands; jumps need no command.</summary>
internal static class SentenceCommand
{
    public static Command Create()
    {
        var command = new Command("sentence", "Says to a person who has logged in which ways in are open; run by sshd.");
        command.SetAction(result =>
        {
            // A file transfer reads our output as its protocol: it is told where people look (of a subsystem, sftp, sshd drops that too).
            var asked = Environment.GetEnvironmentVariable("SSH_ORIGINAL_COMMAND") ?? "";
            var transfer = asked.Contains("sftp", StringComparison.Ordinal) || asked.StartsWith("scp ", StringComparison.Ordinal) || asked.StartsWith("rsync ", StringComparison.Ordinal);
            var console = transfer ? result.InvocationConfiguration.Error : result.InvocationConfiguration.Output;
            console.WriteLine(Said());
            if (asked.Length > 0)
            {
                console.WriteLine(transfer ? "There are no files here: copy through a jump, scp -o ProxyJump=... (or sftp -J)." : "Commands are not run here: jump, ssh -J.");
            }

            return ExitCode.Good;
        });
        return command;
    }

    private static string Said()
    {
        var keys = Path.Combine(Accounts.PeopleKeys, Environment.UserName);
        try
        {
            var listening = (new KernelConnections().Read() ?? []).Where(c => c.Listening).Select(c => c.Local.Port).ToHashSet();
            return Sentence.Of(SitesFile.Read(), Sentence.Ports(File.Exists(keys) ? File.ReadAllText(keys) : ""), listening, Instant.Now(TimeProvider.System));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "This bastion cannot say how it stands.";
        }
    }
}
