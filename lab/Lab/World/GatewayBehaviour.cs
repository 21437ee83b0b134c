using System.Collections.Immutable;
using Common.Time;

namespace Lab.World;

/// <summary>The account that the gateway knows.</summary>
public sealed record TwilioAccount(
    string Sid = "AC00000000000000000000000000000001",
    string KeyName = "SK00000000000000000000000000000001",
    string Secret = "lab-secret",
    string Number = "+15550100009");

/// <param name="At">Monotonic moment of arrival.</param>
public sealed record GatewayMessage(string Sid, string To, string From, string Body, Instant At, DateTimeOffset ReceivedAt)
{
    /// <summary>What follows the last #.</summary>
    public string AlertId => Body[(Body.LastIndexOf('#') + 1)..];
}

/// <param name="Status">HTTP status; 0: the connection is cut without an answer.</param>
/// <param name="Code">Twilio's error code; 0: a body that is not Twilio's.</param>
public sealed record GatewayFailure(int Status, int Code = 0, TimeSpan? RetryAfter = null);

/// <summary>How the gateway behaves. Queues and counts are used up one request at a time.</summary>
public sealed record GatewayBehaviour
{
    /// <summary>POSTs of messages that fail, without being stored.</summary>
    public ImmutableQueue<GatewayFailure> FailSends { get; init; } = [];

    /// <summary>GETs that fail.</summary>
    public ImmutableQueue<GatewayFailure> FailAsks { get; init; } = [];

    /// <summary>So many messages are stored, and the connection is cut instead of an answer.</summary>
    public int LoseReplies { get; init; }

    public TimeSpan AnswerDelay { get; init; }

    /// <summary>When a message goes from queued to sending, sent and delivered, after its arrival.</summary>
    public TimeSpan SendingAfter { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan SentAfter { get; init; } = TimeSpan.FromMilliseconds(300);

    public TimeSpan DeliveredAfter { get; init; } = TimeSpan.FromMilliseconds(800);

    /// <summary>Undelivered with this code instead of delivered.</summary>
    public int? UndeliveredCode { get; init; }

    /// <summary>What a trial account puts in front of every text.</summary>
    public string BodyPrefix { get; init; } = "";
}
