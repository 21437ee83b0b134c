using System.Collections.Immutable;
using Common;
using Common.Agent;
using Common.Logins;
using Common.Logins.Recording;

namespace InternalHost.Logins;

/// <summary>
/// What the bastion's answer means for a login that came through the tunnel. One person is one text: the bastion's, where it is known to have
/// arrived. Everything else is told from here.
/// </summary>
[PureCore]
internal static class TunnelLoginRules
{
    /// <summary>The bastion's alert leaves within a second, and a carrier confirms it within some.</summary>
    public static readonly TimeSpan ConfirmedWithin = TimeSpan.FromSeconds(30);

    public static readonly TimeSpan AnsweredWithin = TimeSpan.FromSeconds(20);

    /// <summary>The bastion records a login before it opens a channel for it, if it is not slow.</summary>
    public static readonly TimeSpan SeenWithin = TimeSpan.FromSeconds(4);

    /// <summary>Between a login and its being recorded, on either host.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(2);

    private const string Confirmed = "confirmed";
    private const string Pending = "pending";

    /// <param name="heard">Who is at the bastion, or was of late; null: it does not say.</param>
    /// <param name="age">Since the login was recorded.</param>
    /// <returns>Null: not yet.</returns>
    public static BastionWord? Decide(LoginRecord record, ImmutableArray<AgentEvent>? heard, TimeSpan age)
    {
        if (heard is not { } known)
        {
            return age >= AnsweredWithin ? new BastionWord.Silent() : null;
        }

        var there = Who(record, [.. known.Where(e => Was(e, age))]);
        return there switch
        {
            [] => age >= SeenWithin ? new BastionWord.Nobody() : null,
            _ when there.All(e => e.Told == Confirmed) => new BastionWord.Told(Newest(there)),
            _ when there.Any(e => e.Told == Pending) && age < ConfirmedWithin => null,
            _ => new BastionWord.Untold(Newest([.. there.Where(e => e.Told != Confirmed)])),
        };
    }

    /// <summary>At the bastion at the moment of the login.</summary>
    private static bool Was(AgentEvent at, TimeSpan age) =>
        at.AgeSeconds >= (age - Slack).TotalSeconds && (at.Open || at.EndedSeconds <= (age + Slack).TotalSeconds);

    /// <summary>The key may say who it is; where it does not, it is one of those who are there, and all of them must have been told.</summary>
    private static ImmutableArray<AgentEvent> Who(LoginRecord record, ImmutableArray<AgentEvent> there) =>
        record.Verdict.Role == LoginRole.Person && there.Any(e => e.Name == record.Verdict.Who) ? [.. there.Where(e => e.Name == record.Verdict.Who)] : there;

    private static AgentEvent Newest(ImmutableArray<AgentEvent> there) => there.MinBy(e => e.AgeSeconds)!;
}
