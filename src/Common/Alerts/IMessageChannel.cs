using System.Collections.Immutable;
using Common.Text;

namespace Common.Alerts;

/// <summary>Port to one way of reaching the owner. An adapter never retries by itself: the outbox does.</summary>
public interface IMessageChannel
{
    /// <summary>Stable name, stored with each delivery: <c>sms</c>, <c>telegram</c>, <c>webhook</c>, <c>mail</c>.</summary>
    string Name { get; }

    /// <summary>What sending again costs when it is not known whether the first sending arrived.</summary>
    Repetition Repetition { get; }

    Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct);
}

/// <summary>A channel whose gateway can be asked about a message afterwards.</summary>
public interface ITrackedChannel : IMessageChannel
{
    /// <summary>What became of a message the gateway has accepted.</summary>
    Task<DeliveryStatus> QueryAsync(string providerId, CancellationToken ct);

    /// <summary>
    /// Looks for a message that may have been accepted although its answer was lost. Its provider id; null when the gateway
    /// certainly does not have it. Throws <see cref="HttpRequestException"/> when it cannot be asked.
    /// </summary>
    Task<string?> FindAsync(OutgoingMessage message, CancellationToken ct);
}

/// <summary>What may be done with a message that may or may not have been sent.</summary>
public enum Repetition
{
    Unknown = 0,

    /// <summary>Sent again only after a look that found nothing: an <see cref="ITrackedChannel"/>.</summary>
    AfterALook = 1,

    /// <summary>Sent again: the other side knows it by its id and shows it once.</summary>
    Unseen = 2,

    /// <summary>Sent again, at a slow pace, and perhaps read twice: nobody can be asked, and <c>#id</c> shows that it is the same.</summary>
    Seen = 3,
}

/// <param name="AlertId">Identity of the alert; its text ends in <c>#AlertId</c>.</param>
public sealed record OutgoingMessage(string AlertId, string Recipient, string Text)
{
    /// <summary><see cref="Alert.Kind"/>.</summary>
    public string Kind { get; init; } = "";

    public Severity Severity { get; init; }

    /// <summary>Wall time for people; may be wrong.</summary>
    public DateTimeOffset RaisedAt { get; init; }

    /// <summary><see cref="Alert.Details"/>, for channels with room for them.</summary>
    public ImmutableArray<AlertDetail> Details { get; init; } = [];

    /// <summary>A line for each detail, as many as there is room for, behind <paramref name="first"/>.</summary>
    /// <param name="first">May be empty.</param>
    /// <param name="limit">UTF-16 units of the whole.</param>
    public string WithDetails(string first, int limit)
    {
        foreach (var detail in Details)
        {
            var line = $"{(first.Length > 0 ? "\n" : "")}{SafeText.Clean(detail.Label)}: {SafeText.Clean(detail.Value)}";
            if (first.Length + line.Length > limit)
            {
                break;
            }

            first += line;
        }

        return first;
    }
}

/// <summary>What the gateway made of a message.</summary>
public abstract record SendOutcome
{
    /// <summary>Taken; what becomes of it can be asked by this name (<see cref="ITrackedChannel"/>).</summary>
    public sealed record Accepted(string ProviderId) : SendOutcome;

    /// <summary>Taken by the other side, which says no more afterwards: this is all the confirmation there is.</summary>
    /// <param name="Reference">The other side's name for it, where it gave one.</param>
    public sealed record Handed(string? Reference) : SendOutcome;

    /// <summary>Certainly not sent, and sending it again cannot help (bad number, opted out). Code and words of the gateway.</summary>
    public sealed record Refused(string Code, string Reason, RefusalScope Scope = RefusalScope.Message) : SendOutcome;

    /// <summary>Certainly not sent; may be sent again, not before <paramref name="After"/>.</summary>
    public sealed record NotNow(string Reason, TimeSpan? After) : SendOutcome;

    /// <summary>It may or may not have been sent: see <see cref="Repetition"/>.</summary>
    public sealed record Unclear(string Reason) : SendOutcome;
}

/// <summary>What a refusal says of the messages after this one.</summary>
public enum RefusalScope
{
    Unknown = 0,

    /// <summary>Nothing: the next one may pass.</summary>
    Message = 1,

    /// <summary>This recipient cannot be reached until somebody acts (opted out, no such number).</summary>
    Recipient = 2,

    /// <summary>The channel is out of order until somebody acts (key refused, sender not registered).</summary>
    Channel = 3,
}

public enum DeliveryState
{
    Unknown = 0,
    Underway = 1,
    Delivered = 2,
    Failed = 3,
}

/// <summary>What may help after a failed delivery. Certainly not delivered, so sending again doubles nothing.</summary>
public enum FailureCure
{
    Unknown = 0,

    /// <summary>Nothing: somebody has to act.</summary>
    None = 1,

    /// <summary>The same again, minutes later (the phone was off).</summary>
    Later = 2,

    /// <summary>The plain text without anything like a link (a carrier's filter).</summary>
    Plainer = 3,
}

/// <param name="Cure">Read only where <paramref name="State"/> is Failed, as is <paramref name="Scope"/>.</param>
public sealed record DeliveryStatus(
    DeliveryState State, string? Code = null, string? Reason = null, FailureCure Cure = FailureCure.None, RefusalScope Scope = RefusalScope.Message);
