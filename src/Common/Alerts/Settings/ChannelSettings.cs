using System.Collections.Immutable;
using Common.Alerts.Mail;
using Common.Alerts.Sms;
using Common.Alerts.Telegram;
using Common.Alerts.Webhook;

namespace Common.Alerts.Settings;

/// <param name="Chat">Where everybody reads who has no chat of their own; null: only those who have.</param>
/// <param name="CaFile">PEM of a private root; null: the system's.</param>
public sealed record TelegramSettings(string? Chat, TelegramOptions Gateway, string? CaFile);

/// <param name="CaFile">As of <see cref="TelegramSettings"/>.</param>
public sealed record WebhookSettings(WebhookOptions Gateway, string? CaFile);

public sealed record MailSettings(ImmutableArray<string> To, MailOptions Gateway);

/// <summary>The channels of one program besides SMS, and in which order all of them are tried.</summary>
public sealed record ChannelSettings(TelegramSettings? Telegram = null, WebhookSettings? Webhook = null, MailSettings? Mail = null, QuietHours? Quiet = null)
{
    /// <summary>As a phone rings: push, then SMS, then mail.</summary>
    private static readonly ImmutableArray<string> Usual = [TelegramChannel.ChannelName, WebhookChannel.ChannelName, TwilioSms.ChannelName, MailChannel.ChannelName];

    /// <summary>Every configured channel, the first one tried first.</summary>
    public ImmutableArray<string> Order { get; init; } = [];

    /// <summary>The configured ones in the usual order.</summary>
    public ImmutableArray<string> InUsualOrder(bool sms) => [.. Usual.Where(name => Has(name, sms))];

    public bool Has(string channel, bool sms) => channel switch
    {
        TwilioSms.ChannelName => sms,
        TelegramChannel.ChannelName => Telegram is not null,
        WebhookChannel.ChannelName => Webhook is not null,
        MailChannel.ChannelName => Mail is not null,
        _ => false,
    };

    /// <summary>What is read by everybody together, by channel.</summary>
    public ImmutableDictionary<string, string> Shared()
    {
        var shared = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (Telegram?.Chat is { } chat)
        {
            shared[TelegramChannel.ChannelName] = chat;
        }

        if (Webhook is not null)
        {
            shared[WebhookChannel.ChannelName] = WebhookChannel.Recipient;
        }

        if (Mail is { } mail)
        {
            shared[MailChannel.ChannelName] = MailOptions.Join(mail.To);
        }

        return shared.ToImmutable();
    }

    /// <param name="client">For a channel with that private root.</param>
    public IEnumerable<IMessageChannel> Make(Func<string?, HttpClient> client, TimeProvider time)
    {
        if (Telegram is { } telegram)
        {
            var http = client(telegram.CaFile);
            yield return new TelegramChannel(() => http, telegram.Gateway, time);
        }

        if (Webhook is { } webhook)
        {
            var http = client(webhook.CaFile);
            yield return new WebhookChannel(() => http, webhook.Gateway, time);
        }

        if (Mail is { } mail)
        {
            yield return new MailChannel(mail.Gateway, time);
        }
    }
}
