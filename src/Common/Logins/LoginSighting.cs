namespace Common.Logins;

/// <summary>What one source saw of one login.</summary>
/// <param name="Source">Where it stands there: the same line, or the same spool file, is one sighting however often it is read.</param>
/// <param name="Boot">Of the machine, as /proc says it; null: the source does not tell.</param>
/// <param name="Pid">Of sshd's monitor, which both logs the login and runs the hook: with the boot and the peer it joins the two sources. Null: not known.</param>
/// <param name="At">Wall time as the source has it, for people.</param>
/// <param name="Backlog">It was there before the agent first looked.</param>
internal sealed record LoginSighting(Login Login, string Source, string? Boot, int? Pid, DateTimeOffset? At, bool Backlog)
{
    /// <summary>Null: the entry is no login.</summary>
    public static LoginSighting? Of(LogEntry entry) => entry.Line.Message is SshdMessage.Accepted accepted
        ? new LoginSighting(Login.Of(accepted), entry.Source, null, entry.Line.Pid, entry.Line.At, entry.Backlog)
        : null;
}
