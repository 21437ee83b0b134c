using System.Globalization;
using System.Net;
using Common.Agent;
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

    public LoginWay Way { get; init; }

    /// <summary>On the inside: the session at the bastion through which it came; null: none, or not known.</summary>
    public AgentEvent? Through { get; init; }

    /// <summary>As <see cref="LoginSighting.Identity"/>.</summary>
    public string Identity => Pid is { } pid && Login.From is { } from ? string.Create(CultureInfo.InvariantCulture, $"{Boot}/{pid}/{from}") : Source;

    /// <summary>Where whoever it is sits: of the session at the bastion, where it is known. Null: not known, or only that it is the tunnel.</summary>
    public IPAddress? From => IPAddress.TryParse(Through?.From, out var far) ? far : Login.From?.Address;
}

/// <summary>How a login came to a host. Stored: numbers are fixed.</summary>
internal enum LoginWay
{
    Unknown = 0,

    /// <summary>From the network, or at the machine itself.</summary>
    Direct = 1,

    /// <summary>On the inside: through our own tunnel, or nobody can say that it did not.</summary>
    Tunnel = 2,
}

/// <summary>What is known from the bastion about a login that came through the tunnel.</summary>
internal abstract record BastionWord
{
    private BastionWord()
    {
    }

    /// <summary>Through which session it came; null: through none, or it is not known.</summary>
    public AgentEvent? Session => this is Told told ? told.By : (this as Untold)?.By;

    /// <summary>Somebody is logged in there, and that has been told: one text for one person.</summary>
    public sealed record Told(AgentEvent By) : BastionWord;

    /// <summary>Somebody is logged in there, and nobody is known to have been told.</summary>
    public sealed record Untold(AgentEvent By) : BastionWord;

    /// <summary>Nobody is: who came through did not come by the bastion's door.</summary>
    public sealed record Nobody : BastionWord;

    /// <summary>It does not say.</summary>
    public sealed record Silent : BastionWord;
}
