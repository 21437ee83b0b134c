using System.Collections.Immutable;

namespace Common.Alerts;

/// <summary>How urgent, as DESIGN of the login policy grades it. Stored: numbers are fixed.</summary>
public enum Severity
{
    Unknown = 0,
    Low = 1,
    Normal = 2,
    High = 3,
    Critical = 4,
}

/// <summary>
/// One thing the owner is told. <paramref name="Id"/> is the identity: raising the same id twice is one alert, and it is the
/// <c>#7F3K</c> at the end of the text by which a message is found again at the gateway.
/// </summary>
/// <param name="Id">4 to 12 characters of [0-9A-Z].</param>
/// <param name="Kind">A stable word for scripts: open, stuck, closed, login, broken.</param>
/// <param name="Text">Already sanitised, one SMS segment (160 GSM-7 septets), ends in <c>#Id</c>.</param>
/// <param name="RaisedAt">Wall time for people; may be wrong, decides nothing.</param>
/// <param name="About">The outage or session it belongs to, so that later news can fold it.</param>
/// <param name="Plain">The same without anything like a link, said once where a carrier filters the first; same <c>#Id</c>.</param>
public sealed record Alert(
    string Id, string Kind, Severity Severity, string Text, DateTimeOffset RaisedAt, string? About = null, string? Plain = null)
{
    /// <summary>What else is known, for channels with room for it (chat, mail, webhook), in the order to be shown. May be empty.</summary>
    public ImmutableArray<AlertDetail> Details { get; init; } = [];
}
