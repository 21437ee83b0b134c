using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Common.Alerts.Http;
using Common.Text;

namespace Common.Alerts.Sms;

/// <summary>One answer of the gateway: what it means for a message. Its words are never passed on, they may quote number and text.</summary>
/// <param name="RetryAfter">As the gateway asked.</param>
internal sealed record TwilioReply(HttpStatusCode Status, TimeSpan? RetryAfter, byte[] Body)
{
    public static TwilioReply Of(GatewayReply reply) => new(reply.Status, reply.RetryAfter, reply.Body);

    public bool Ok => (int)Status is >= 200 and < 300;

    public string Words => Parse(TwilioJson.Default.TwilioFault)?.Code is { } code ? $"{code}: {TwilioErrors.Of(code).Advice}" : $"HTTP {(int)Status}";

    public T? Parse<T>(JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(Body, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What a POST of a message came to.</summary>
    public SendOutcome Outcome()
    {
        if (Ok)
        {
            // Accepted by somebody, but without a name to ask by: a proxy's page, or half an answer.
            return Parse(TwilioJson.Default.TwilioMessage)?.Sid is { Length: > 0 } sid
                ? new SendOutcome.Accepted(sid)
                : new SendOutcome.Unclear("the answer is not Twilio's");
        }

        var error = Parse(TwilioJson.Default.TwilioFault)?.Code is { } code ? TwilioErrors.Of(code) : null;
        return Status switch
        {
            HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => new SendOutcome.NotNow(Words, RetryAfter),
            >= HttpStatusCode.InternalServerError => new SendOutcome.Unclear(Words),
            _ when error is { SlowDown: true } => new SendOutcome.NotNow(Words, RetryAfter),
            _ when error is not null => new SendOutcome.Refused($"{error.Code}", error.Advice, error.Scope),
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new SendOutcome.Refused($"{(int)Status}", TwilioErrors.Of(20003).Advice, RefusalScope.Channel),

            // A redirect or a bare 4xx without Twilio's code is a portal or a proxy on the way: the gateway has not seen it.
            _ => new SendOutcome.NotNow($"HTTP {(int)Status}, not from Twilio (a portal on the line?)", RetryAfter),
        };
    }

    /// <summary>What became of a message.</summary>
    public DeliveryStatus State()
    {
        if (!Ok || Parse(TwilioJson.Default.TwilioMessage) is not { Status: { } status } message)
        {
            throw new HttpRequestException($"status not answered: {Words}", null, Status);
        }

        return status switch
        {
            "delivered" or "read" or "partially_delivered" => new(DeliveryState.Delivered),
            "failed" or "undelivered" => Failed(message.ErrorCode),
            "canceled" => new(DeliveryState.Failed, "canceled", "canceled at Twilio", FailureCure.None),
            "accepted" or "scheduled" or "queued" or "sending" or "sent" => new(DeliveryState.Underway),
            _ => new(DeliveryState.Unknown, Reason: SafeText.Clean(status, 32)),
        };
    }

    private static DeliveryStatus Failed(int? code)
    {
        var error = code is { } c ? TwilioErrors.Of(c) : new TwilioError(0, FailureCure.Later, "no reason given");
        return new(DeliveryState.Failed, code?.ToString(), error.Advice, error.Cure, error.Scope);
    }
}
