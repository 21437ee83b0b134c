using Common.Alerts.Http;

namespace Common.Alerts.Webhook;

/// <summary>What a status means for a message.</summary>
[PureCore]
internal static class WebhookReply
{
    public static SendOutcome Outcome(GatewayReply reply) => (int)reply.Status switch
    {
        >= 200 and < 300 => new SendOutcome.Handed(null),
        >= 300 and < 400 => new SendOutcome.NotNow($"HTTP {(int)reply.Status}: it points elsewhere and is not followed; give the final address", reply.RetryAfter),
        401 or 403 => Refused(reply, "the webhook refuses us: correct its address, token or signing key"),
        404 or 410 => Refused(reply, "there is no such webhook (any more): make a new one and put its address in place"),
        408 or 425 or 429 or 503 => new SendOutcome.NotNow($"HTTP {(int)reply.Status}", reply.RetryAfter),
        >= 500 => new SendOutcome.Unclear($"HTTP {(int)reply.Status}"),
        _ => new SendOutcome.Refused($"{(int)reply.Status}", "the webhook refuses this body: is the shape the right one?"),
    };

    private static SendOutcome.Refused Refused(GatewayReply reply, string advice) => new($"{(int)reply.Status}", advice, RefusalScope.Channel);
}
