using System.CommandLine;
using Common.Hosting;
using InternalHost.Configuration;
using InternalHost.Control;

namespace InternalHost.Cli;

/// <summary>Asks the daemon of a configuration, and turns its answer into lines and an exit code.</summary>
internal sealed class DaemonQuestion(string configFile, InvocationConfiguration io)
{
    public string SocketPath { get; } = SiteConfiguration.ControlSocketOf(configFile);

    /// <summary>Null when nobody answered or the answer was no; the reason is printed.</summary>
    public async Task<ControlReply?> AskAsync(ControlRequest request, CancellationToken ct)
    {
        try
        {
            var reply = await ControlClient.AskAsync(SocketPath, request, TimeProvider.System, ct);
            if (reply.Ok)
            {
                return reply;
            }

            await io.Error.WriteLineAsync($"internalhost: {reply.Error ?? "the daemon said no"}");
            foreach (var problem in reply.Problems ?? [])
            {
                await io.Error.WriteLineAsync(problem);
            }
        }
        catch (ControlUnreachableException e)
        {
            await io.Error.WriteLineAsync($"internalhost: {e.Message}");
        }

        return null;
    }

    public async Task<int> OrderAsync(ControlRequest request, CancellationToken ct)
    {
        if (await AskAsync(request, ct) is not { } reply)
        {
            return ExitCode.Failed;
        }

        await io.Output.WriteLineAsync(reply.Message ?? "done");
        return ExitCode.Good;
    }
}
