using System.Globalization;

namespace Common.Logins;

/// <summary>What one source saw of one login.</summary>
/// <param name="Source">Where it stands there: the same line, or the same spool file, is one sighting however often it is read.</param>
/// <param name="Boot">Of the machine, as /proc says it; null: the source does not tell.</param>
/// <param name="Pid">Of sshd's monitor, which both logs the login and runs the hook: with the boot and the peer it joins the two sources. Null: not known.</param>
/// <param name="At">Wall time as the source has it, for people.</param>
/// <param name="Backlog">It was there before the agent first looked.</param>
internal sealed record LoginSighting(Login Login, string Source, string? Boot, int? Pid, DateTimeOffset? At, bool Backlog)
{
    /// <summary>The same for both sources: boot, process and peer are of one connection only.</summary>
    /// <param name="boot">Where the source does not tell: of the machine now.</param>
    public string Identity(string boot) => Pid is { } pid && Login.From is { } from
        ? string.Create(CultureInfo.InvariantCulture, $"{Boot ?? boot}/{pid}/{from}")
        : Source;

    /// <summary>Null: the entry is no login.</summary>
    public static LoginSighting? Of(LogEntry entry) => entry.Line.Message is SshdMessage.Accepted accepted
        ? new LoginSighting(Login.Of(accepted), entry.Source, entry.Line.Boot, entry.Line.Pid, entry.Line.At, entry.Backlog)
        : null;
}
