using System.Net;
using System.Text.Json;
using Common.Alerts.Http;

namespace Common.Alerts.Telegram;

/// <summary>What an answer of the Bot API means for a message. Its words are never passed on: they may quote what was sent.</summary>
[PureCore]
internal static class TelegramReply
{
    private static readonly TimeSpan LongestAsked = TimeSpan.FromDays(30);

    public static SendOutcome Outcome(GatewayReply reply)
    {
        var answer = Parse(reply.Body);
        return (int)reply.Status switch
        {
            // The status alone would be a portal's or a proxy's word.
            >= 200 and < 300 => answer is { Ok: true, Result: { } result }
                ? new SendOutcome.Handed($"{result.MessageId}")
                : new SendOutcome.Unclear("the answer is not Telegram's"),
            429 => new SendOutcome.NotNow("429: too many messages", Asked(answer) ?? reply.RetryAfter),
            503 => new SendOutcome.NotNow("HTTP 503", Asked(answer) ?? reply.RetryAfter),
            >= 500 => new SendOutcome.Unclear($"HTTP {(int)reply.Status}"),
            _ when answer is not { Ok: false, ErrorCode: not null } => new SendOutcome.NotNow($"HTTP {(int)reply.Status}, not from Telegram (a portal on the line?)", reply.RetryAfter),
            401 or 404 => Refused(401, "token refused: ask BotFather for a new one and put it in place of the secret", RefusalScope.Channel),
            403 => Refused(403, "the bot may not write to this chat: open the bot there and press Start", RefusalScope.Recipient),
            400 when answer.Parameters?.MigrateToChatId is { } moved => Refused(400, $"the group has a new number: put {moved} into the configuration", RefusalScope.Recipient),
            400 when answer.Description?.Contains("chat not found", StringComparison.OrdinalIgnoreCase) == true =>
                Refused(400, "no such chat, or it has never written to the bot: open the bot there and press Start", RefusalScope.Recipient),
            _ => Refused((int)reply.Status, "message refused by Telegram", RefusalScope.Message),
        };
    }

    private static SendOutcome.Refused Refused(int code, string advice, RefusalScope scope) => new($"{code}", advice, scope);

    private static TimeSpan? Asked(TelegramAnswer? answer) => answer?.Parameters?.RetryAfter is { } seconds and >= 0
        ? TimeSpan.FromSeconds(Math.Min(seconds, (long)LongestAsked.TotalSeconds))
        : null;

    private static TelegramAnswer? Parse(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, TelegramJson.Default.TelegramAnswer);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
