using Microsoft.Extensions.Logging;

namespace Common.Hosting;

/// <summary>Where log lines go: to stderr, for the journal with the priority in front (<c>&lt;4&gt;</c>), for people with the time.</summary>
public static class DaemonConsole
{
    public static ILoggingBuilder AddDaemonConsole(this ILoggingBuilder logging)
    {
        logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        return IsUnderSystemd
            ? logging.AddSystemdConsole()
            : logging.AddSimpleConsole(line =>
            {
                line.SingleLine = true;
                line.TimestampFormat = "HH:mm:ss ";
            });
    }

    /// <summary>systemd names the journal's socket to every service whose output goes there.</summary>
    private static bool IsUnderSystemd => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("JOURNAL_STREAM"));
}
