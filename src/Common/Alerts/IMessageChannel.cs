namespace Common.Alerts;

/// <summary>Port to one way of reaching the owner (SMS today). An adapter never retries by itself: the outbox does.</summary>
public interface IMessageChannel
{
    /// <summary>Stable name, stored with each delivery: <c>sms</c>.</summary>
    string Name { get; }

    Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct);

    /// <summary>What became of a message the gateway has accepted.</summary>
    Task<DeliveryStatus> QueryAsync(string providerId, CancellationToken ct);

    /// <summary>
    /// Looks for a message that may have been accepted although its answer was lost. Its provider id; null when the gateway
    /// certainly does not have it. Throws <see cref="HttpRequestException"/> when it cannot be asked.
    /// </summary>
    Task<string?> FindAsync(OutgoingMessage message, CancellationToken ct);
}

/// <param name="AlertId">Identity of the alert; its text ends in <c>#AlertId</c>.</param>
public sealed record OutgoingMessage(string AlertId, string Recipient, string Text);

/// <summary>What the gateway made of a message.</summary>
public abstract record SendOutcome
{
    public sealed record Accepted(string ProviderId) : SendOutcome;

    /// <summary>Certainly not sent, and sending it again cannot help (bad number, opted out). Code and words of the gateway.</summary>
    public sealed record Refused(string Code, string Reason) : SendOutcome;

    /// <summary>Certainly not sent; may be sent again, not before <paramref name="After"/>.</summary>
    public sealed record NotNow(string Reason, TimeSpan? After) : SendOutcome;

    /// <summary>It may or may not have been sent: look before sending again.</summary>
    public sealed record Unclear(string Reason) : SendOutcome;
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

/// <param name="Cure">Read only where <paramref name="State"/> is Failed.</param>
public sealed record DeliveryStatus(DeliveryState State, string? Code = null, string? Reason = null, FailureCure Cure = FailureCure.None);
