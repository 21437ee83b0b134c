namespace Common.Processes;

/// <summary>What to run. Arguments are a list, never one string; the environment is exactly what is given plus PATH, HOME and LANG.</summary>
public sealed record ProcessSpec(string Program, IReadOnlyList<string> Arguments)
{
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public string? WorkingDirectory { get; init; }

    /// <summary>What it reads on its standard input, which then ends. The only way in for a secret: arguments and environment are seen by others.</summary>
    public ReadOnlyMemory<byte> Input { get; init; }
}

/// <param name="Code">The exit status, or null when a signal ended it.</param>
/// <param name="Signal">The signal that ended it, else null.</param>
/// <param name="StoppedByUs">We asked for this end: it is no failure.</param>
public sealed record ProcessExit(int? Code, int? Signal, bool StoppedByUs);

/// <summary>Port to child processes. Every child dies with the program (PR_SET_PDEATHSIG) and both its pipes are always drained.</summary>
public interface IProcessLauncher
{
    /// <param name="onLine">Called for each line of stdout or stderr, capped at 4 KiB a line, on any thread; must not block.</param>
    /// <exception cref="ProcessStartException">The program is not there, or may not be run.</exception>
    IChildProcess Start(ProcessSpec spec, Action<ProcessStream, string> onLine);
}

public enum ProcessStream
{
    Unknown = 0,
    Output = 1,
    Error = 2,
}

public interface IChildProcess : IAsyncDisposable
{
    int Pid { get; }

    /// <summary>Completes when the child has ended and both pipes are drained. Never faults.</summary>
    Task<ProcessExit> Exited { get; }

    /// <summary>SIGTERM, up to <paramref name="grace"/> (2 s by default), then SIGKILL; returns when it has ended.</summary>
    Task<ProcessExit> StopAsync(TimeSpan? grace = null);
}

public sealed class ProcessStartException(string message, Exception? inner = null) : Exception(message, inner);

public static class ProcessLauncherExtensions
{
    /// <summary>Runs to the end and collects what it printed. The child is stopped when <paramref name="ct"/> is cancelled.</summary>
    public static async Task<ProcessResult> RunAsync(this IProcessLauncher launcher, ProcessSpec spec, CancellationToken ct)
    {
        var lines = new List<(ProcessStream Stream, string Line)>();
        await using var child = launcher.Start(spec, (stream, line) =>
        {
            lock (lines)
            {
                lines.Add((stream, line));
            }
        });
        await using var registration = ct.Register(() => _ = child.StopAsync());
        var exit = await child.Exited;
        ct.ThrowIfCancellationRequested();
        lock (lines)
        {
            return new ProcessResult(exit, Text(lines, ProcessStream.Output), Text(lines, ProcessStream.Error));
        }
    }

    private static string Text(List<(ProcessStream Stream, string Line)> lines, ProcessStream stream) =>
        string.Join('\n', lines.Where(l => l.Stream == stream).Select(l => l.Line));
}

public sealed record ProcessResult(ProcessExit Exit, string Output, string Error)
{
    public bool Ok => Exit.Code == 0;
}
