using System.Net;
using Common.Processes;

namespace Integration.Tests.Cloud;

/// <summary>The system's ssh client with one key, as anybody would type it.</summary>
internal sealed class OwnSsh(IProcessLauncher launcher, string keyFile)
{
    public Task<ProcessResult> RunAsync(IPEndPoint server, params string[] arguments) =>
        launcher.RunAsync(Spec(server, [], arguments), new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);

    /// <summary>Options come first and win, as ssh has it; the child stays until it is stopped.</summary>
    public IChildProcess Start(IPEndPoint server, string[] options, Action<string> onLine, params string[] command) =>
        launcher.Start(Spec(server, options, command), (_, line) => onLine(line));

    public Task<ProcessResult> RunAsync(IPEndPoint server, string[] options, string[] command) =>
        launcher.RunAsync(Spec(server, options, command), new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);

    private ProcessSpec Spec(IPEndPoint server, string[] options, string[] command) => new("ssh",
    [
        "-F", "none", "-i", keyFile, "-p", $"{server.Port}", .. options,
        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
        "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "ConnectTimeout=5", "-o", "ExitOnForwardFailure=yes",
        $"{Environment.UserName}@{server.Address}", .. command,
    ]);
}
