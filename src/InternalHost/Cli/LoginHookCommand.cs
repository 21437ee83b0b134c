using System.CommandLine;
using Common.Hosting;
using Common.Kernel;
using InternalHost.Logins;

namespace InternalHost.Cli;

/// <summary><c>internalhost login-hook [--remove]</c>: the PAM hook by which logins to this host are seen.</summary>
internal static class LoginHookCommand
{
    public static Command Build()
    {
        var remove = new Option<bool>("--remove") { Description = "Take it out again" };
        var command = new Command("login-hook", """
            Put the hook by which every login to this host is seen into /etc/pam.d, and make its spool. As root; safe to repeat.
            Example: sudo internalhost login-hook && sudo systemctl restart internalhost
            """) { remove };
        command.SetAction(async (parsed, ct) =>
        {
            var io = parsed.InvocationConfiguration;
            if (OwnUser.Uid != 0)
            {
                await io.Error.WriteLineAsync("internalhost: this changes the system: run it as root (sudo)");
                return ExitCode.CannotRun;
            }

            var hook = new LoginHookFiles(LoginHookFiles.MakeFolderAsync, io.Output.WriteLine);
            try
            {
                if (parsed.GetValue(remove))
                {
                    hook.Remove();
                    return ExitCode.Good;
                }

                return await hook.PutAsync(ct) is { } problem ? await FailAsync(problem) : ExitCode.Good;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return await FailAsync($"the login hook could not be placed: {e.Message}");
            }

            async Task<int> FailAsync(string problem)
            {
                await io.Error.WriteLineAsync($"internalhost: {problem}");
                return ExitCode.Failed;
            }
        });
        return command;
    }
}
