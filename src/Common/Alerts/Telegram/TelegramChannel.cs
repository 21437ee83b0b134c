using System.Text.Json;
using Common.Alerts.Http;
using Common.Text;

namespace Common.Alerts.Telegram;

/// <summary>
/// Messages by Telegram's Bot API to fixed chats: one POST, no parse mode, nothing received. The API cannot be asked whether it has a
/// message, so one whose answer was lost is sent again with the same <c>#id</c>; its acceptance is all the confirmation there is.
/// </summary>
/// <remarks>The token is a part of the address: no address goes into an exception, an outcome or a log.</remarks>
public sealed class TelegramChannel(Func<HttpClient> client, TelegramOptions options, TimeProvider time) : IMessageChannel
{
    public const string ChannelName = "telegram";

    /// <summary>UTF-16 units, of the Bot API.</summary>
    internal const int LongestText = 4096;
    private const int AnswerBytes = 64 * 1024;

    private readonly GatewayHttp _http = new(client, time, options.Timeout);

    public string Name => ChannelName;

    public Repetition Repetition => Repetition.Seen;

    public async Task<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        if (!TelegramOptions.IsChat(message.Recipient))
        {
            return new SendOutcome.Refused("400", "the chat is not a number: correct it in the configuration", RefusalScope.Recipient);
        }

        try
        {
            var token = await ChannelSecret.ReadAsync(options.SecretFile, ct);
            if (!TelegramOptions.IsToken(token))
            {
                throw ChannelSecret.Unusable("the secret is not a bot's token (123456:ABC...)");
            }

            using var body = new MarkedContent(Body(message), "application/json");
            return await _http.PostAsync(new Uri(options.BaseUrl, $"/bot{token}/sendMessage"), body, null, AnswerBytes, TelegramReply.Outcome, ct);
        }
        catch (HttpRequestException e)
        {
            return new SendOutcome.NotNow(GatewayHttp.Words(e), null);   // before the request: the secret
        }
    }

    private static byte[] Body(OutgoingMessage message) =>
        JsonSerializer.SerializeToUtf8Bytes(new TelegramMessage(long.Parse(message.Recipient), message.WithDetails(SafeText.Clean(message.Text, LongestText), LongestText)), TelegramJson.Default.TelegramMessage);
}
