namespace Common.Hosting;

/// <summary>The program will not start, for a reason that its message says whole: cause and next step. No stack trace is shown.</summary>
public class StartRefusedException(string message, int exitCode = ExitCode.Failed, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;
}
