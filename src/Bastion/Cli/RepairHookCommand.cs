using System.CommandLine;
using Bastion.Host;
using Common.Hosting;
using Common.Kernel;
using Common.Processes;

namespace Bastion.Cli;

/// <summary><c>bastion repair-hook</c>, asked by dpkg after an upgrade that may have put back files of /etc/pam.d or another sshd.</summary>
internal static class RepairHookCommand
{
    public static Command Create()
    {
        var command = new Command("repair-hook", "Puts the login hook back where an upgrade has taken it out; dpkg asks for it.");
        command.SetAction(async (result, ct) =>
        {
            var console = result.InvocationConfiguration;
            if (OwnUser.Uid != 0)
            {
                console.Error.WriteLine("this changes the system: run it as root (sudo)");
                return ExitCode.CannotRun;
            }

            if (!File.Exists(HostPlan.Settings))
            {
                return ExitCode.Good;   // nothing is installed that could have been taken out
            }

            try
            {
                return await new HookRepair(new Shell(new SystemProcessLauncher(TimeProvider.System)), console.Output.WriteLine).RunAsync(ct) ? ExitCode.Good : ExitCode.Failed;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                console.Error.WriteLine($"bastion: the login hook could not be looked after: {e.Message}. Next step: bastion audit");
                return ExitCode.Failed;
            }
        });
        return command;
    }
}
