namespace Common.Alerts.Telegram;

/// <param name="BaseUrl">https://api.telegram.org; http for loopback only.</param>
/// <param name="SecretFile">File that holds the bot's token; read at each request.</param>
public sealed record TelegramOptions(Uri BaseUrl, string SecretFile)
{
    public const string PublicAddress = "https://api.telegram.org";

    private const int LongestChat = 20;
    private const int LeastTokenSecret = 20;

    public TimeSpan Timeout { get; init; } = Http.GatewayHttp.Patience;

    /// <summary>A chat's number: people are positive, groups negative. Names (<c>@channel</c>) are not taken: they can change hands.</summary>
    public static bool IsChat(string chat) =>
        chat.Length is > 0 and <= LongestChat && chat.TrimStart('-').Length >= chat.Length - 1 && long.TryParse(chat, out var number) && number != 0;

    /// <summary><c>123456:ABC-def...</c>, as BotFather gives it: nothing in it can change a path.</summary>
    public static bool IsToken(string token) =>
        token.Split(':') is [var bot, var secret] && bot.Length > 0 && bot.All(char.IsAsciiDigit)
        && secret.Length >= LeastTokenSecret && secret.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
