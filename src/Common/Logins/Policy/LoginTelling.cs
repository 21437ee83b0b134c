using Common.Alerts;
using Common.Alerts.Policy;
using Common.Time;
using Common.Logins.Recording;

namespace Common.Logins.Policy;

/// <summary>What is done about telling of a login.</summary>
internal enum TellingKind
{
    Unknown = 0,

    /// <summary>Recorded only, by its severity.</summary>
    Silent = 1,

    /// <summary>Counted: a digest tells.</summary>
    Fold = 2,

    /// <summary>Told at once, as far as the budget goes.</summary>
    Push = 3,
}

/// <param name="Window">Fold, Push: how long repeats are counted from now, where no window is open.</param>
/// <param name="Why">Why it is not pushed, for <c>alerts explain</c>.</param>
internal readonly record struct TellingStep(TellingKind Kind, AlertLane Lane, TimeSpan Window, string? Why);

/// <summary>
/// From a verdict to telling. Critical goes through everything but the budget: no repeat and no entry of the allow-list silences it.
/// </summary>
[PureCore]
internal static class LoginTelling
{
    /// <summary>Pushes about one subject in <see cref="AgainFor"/> after which the next are "again": the others are to be told of too.</summary>
    public const int FreePushes = 2;

    public static readonly TimeSpan AgainFor = TimeSpan.FromMinutes(10);

    /// <param name="open">The window of the same host, service, user, key and network, with the id of the alert that opened it.</param>
    /// <param name="pushes">About this subject, of late.</param>
    public static TellingStep Decide(LoginVerdict verdict, (Digest Digest, string AlertId)? open, AllowEntry? allowed, int pushes, Instant now)
    {
        var again = pushes >= FreePushes;
        return verdict switch
        {
            { Tell: false } => new(TellingKind.Silent, AlertLane.Unknown, TimeSpan.Zero, verdict.Why),
            { Severity: Severity.Critical } => new(TellingKind.Push, again ? AlertLane.ReservedAgain : AlertLane.Reserved, Digest.Window, null),
            _ when allowed is not null =>
                new(TellingKind.Fold, AlertLane.Unknown, Digest.AllowedWindow, $"on the allow list until {allowed.Expires:yyyy-MM-dd}: {allowed.Reason} ({allowed.CreatedBy})"),
            _ when open is { } window && now < window.Digest.Ends => new(TellingKind.Fold, AlertLane.Unknown, Digest.Window, $"a repeat of #{window.AlertId}: counted in its digest"),
            _ => new(TellingKind.Push, again ? AlertLane.OrdinaryAgain : IsFirst(verdict) ? AlertLane.Reserved : AlertLane.Ordinary, Digest.Window, null),
        };
    }

    private static bool IsFirst(LoginVerdict verdict) => (verdict.Flags & (LoginFlags.NewNetwork | LoginFlags.NewKey | LoginFlags.NewUser)) != LoginFlags.None;
}
