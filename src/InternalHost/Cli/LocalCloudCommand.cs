using System.Runtime.InteropServices;
using Common.Hosting;
using Common.Processes;
using InternalHost.Cloud.Local;

namespace InternalHost.Cli;

/// <summary><c>internalhost local-cloud DIR [--config FILE]</c>: runs provider <c>local</c> until SIGINT, SIGTERM or its own quit.</summary>
internal static class LocalCloudCommand
{
    private const string Usage = "usage: internalhost local-cloud DIR [--config FILE]   (FILE: DIR/cloud.json)";

    public static async Task<int> RunAsync(string[] args, CancellationToken ct)
    {
        if (Parse(args) is not var (directory, config))
        {
            await Console.Error.WriteLineAsync(Usage);
            return ExitCode.BadInput;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var interrupt = OnSignal(PosixSignal.SIGINT, ending);
        using var terminate = OnSignal(PosixSignal.SIGTERM, ending);
        using var hangup = OnSignal(PosixSignal.SIGHUP, ending);
        try
        {
            var settings = LocalCloudSettingsReader.Read(await File.ReadAllTextAsync(config, ending.Token), directory);
            var server = new LocalCloudServer(directory, settings, new SystemProcessLauncher(TimeProvider.System), TimeProvider.System);
            await server.RunAsync(socket => Console.Out.WriteLine($"local cloud of {settings.Tag} ready at {socket}"), ending.Token);
            return ExitCode.Good;
        }
        catch (LocalCloudSettingsException e)
        {
            await Console.Error.WriteLineAsync(string.Join('\n', e.Mistakes.Select(m => $"{config}: {m}")));
            return ExitCode.BadInput;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"internalhost local-cloud: {e.Message}");
            return ExitCode.BadInput;
        }
        catch (LocalCloudException e)
        {
            await Console.Error.WriteLineAsync($"internalhost local-cloud: {e.Message}");
            return ExitCode.Failed;
        }
        catch (PrivateSshdException e)
        {
            await Console.Error.WriteLineAsync($"internalhost local-cloud: {e.Message}");
            return ExitCode.CannotRun;
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            return ExitCode.Good;
        }
    }

    private static (string Directory, string Config)? Parse(string[] args)
    {
        var directory = args is [var first, ..] && !first.StartsWith('-') ? Path.GetFullPath(first) : null;
        return args switch
        {
            [_] when directory is not null => (directory, Path.Combine(directory, "cloud.json")),
            [_, "--config", var file] when directory is not null => (directory, Path.GetFullPath(file)),
            _ => null,
        };
    }

    private static PosixSignalRegistration OnSignal(PosixSignal signal, CancellationTokenSource ending) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            ending.Cancel();
        });
}
