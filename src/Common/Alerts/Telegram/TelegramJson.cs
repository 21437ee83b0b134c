using System.Text.Json.Serialization;

namespace Common.Alerts.Telegram;

/// <summary>Bot API <c>sendMessage</c>. No parse mode: nothing in the text is markup.</summary>
internal sealed record TelegramMessage(long ChatId, string Text)
{
    public LinkPreview LinkPreviewOptions { get; } = new(IsDisabled: true);
}

internal sealed record LinkPreview(bool IsDisabled);

/// <summary>What we read of an answer.</summary>
internal sealed record TelegramAnswer(bool Ok, TelegramResult? Result, int? ErrorCode, string? Description, TelegramParameters? Parameters);

internal sealed record TelegramResult(long MessageId);

/// <param name="RetryAfter">Seconds.</param>
internal sealed record TelegramParameters(long? RetryAfter, long? MigrateToChatId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TelegramMessage))]
[JsonSerializable(typeof(TelegramAnswer))]
internal sealed partial class TelegramJson : JsonSerializerContext;
