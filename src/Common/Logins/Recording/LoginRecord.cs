using System.Net;
using Common.Logins.Policy;
using Common.Alerts;
using Common.Logins;
using Common.Time;

namespace Common.Logins.Recording;

/// <summary>A login as it is kept for ever, told or not.</summary>
/// <param name="Source">Of the sighting that came first.</param>
/// <param name="Subject">Whose history decides whether a network is new: the key, else the account.</param>
/// <param name="ReadAt">Wall time, for people.</param>
/// <param name="At">Monotonic, of this boot.</param>
internal sealed record LoginRecord(
    string Source,
    string AlertId,
    Login Login,
    LoginVerdict Verdict,
    string Subject,
    string Network,
    int? Pid,
    DateTimeOffset? LoggedAt,
    DateTimeOffset ReadAt,
    string Boot,
    Instant At)
{
    /// <summary>Whom it is told; null: not decided yet.</summary>
    public Told? Told { get; init; }

    /// <summary>Failed connections from the same network before it.</summary>
    public int Failures { get; init; }
}
