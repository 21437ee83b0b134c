using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Common;
using Common.Alerts.Mail;
using Common.Alerts.Policy;
using Common.Alerts.Settings;
using Common.Alerts.Sms;
using Common.Alerts.Telegram;
using Common.Alerts.Webhook;
using InternalHost.Configuration;

namespace InternalHost.Sync;

/// <summary>One channel as the bastion is to use it, in the words of the configuration.</summary>
/// <param name="Settings">Key to value; where a secret belongs stands the name under which it goes along.</param>
/// <param name="SecretFiles">That name to the file here.</param>
/// <param name="LeftOut">Why the bastion cannot use it; null: it can.</param>
internal sealed record PushedChannel(
    string Name, ImmutableSortedDictionary<string, string> Settings, ImmutableSortedDictionary<string, string> SecretFiles, string? LeftOut);

/// <summary>The channels in the bundle: all but those that lead nowhere from the bastion.</summary>
[PureCore]
internal static class PushedChannels
{
    private static readonly ImmutableArray<string> HomeNames = [".local", ".lan", ".home", ".internal", ".home.arpa", ".localhost"];
    private static readonly ImmutableArray<Cidr> HomeNetworks =
        [.. new[] { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10" }.Select(n => Cidr.Parse(n).Value!)];

    public static ImmutableArray<PushedChannel> Of(MessageOptions messages)
    {
        var channels = ImmutableArray.CreateBuilder<PushedChannel>();
        if (messages.Sms is { } sms)
        {
            channels.Add(Sms(sms));
        }

        if (messages.Channels.Telegram is { } telegram)
        {
            channels.Add(Telegram(telegram));
        }

        if (messages.Channels.Webhook is { } webhook)
        {
            channels.Add(Webhook(webhook));
        }

        if (messages.Mail is { } mail)
        {
            channels.Add(Mail(mail));
        }

        return channels.ToImmutable();
    }

    private static PushedChannel Sms(SmsOptions sms) => Channel(
        TwilioSms.ChannelName,
        [("base_url", sms.BaseUrl.OriginalString), ("account", sms.AccountSid), ("key_name", sms.KeyName), ("from", sms.From), ("to", string.Join(',', sms.To))],
        [("secret", sms.SecretFile)],
        Unreachable(sms.BaseUrl) ?? PrivateRoot(sms.CaFile));

    private static PushedChannel Telegram(TelegramSettings telegram) => Channel(
        TelegramChannel.ChannelName,
        [("chat", telegram.Chat), ("base_url", telegram.Gateway.BaseUrl.OriginalString)],
        [("secret", telegram.Gateway.SecretFile)],
        Unreachable(telegram.Gateway.BaseUrl) ?? PrivateRoot(telegram.CaFile));

    private static PushedChannel Webhook(WebhookSettings webhook)
    {
        var gateway = webhook.Gateway;
        var isOwn = WebhookShape.Shipped.All(s => s.Name != gateway.Shape.Name);
        return Channel(
            WebhookChannel.ChannelName,
            [("shape", gateway.Shape.Name), ("template", isOwn ? gateway.Shape.Template.ToString() : null), ("url", gateway.Address?.OriginalString)],
            [("secret", gateway.AddressFile), ("token", gateway.TokenFile), ("sign", gateway.SigningFile), ("key", gateway.KeyFile)],
            (gateway.Address is { } address ? Unreachable(address) : null) ?? PrivateRoot(webhook.CaFile));
    }

    /// <summary>A mail server on "this machine" is one on the bastion: nobody else sends mail.</summary>
    private static PushedChannel Mail(MailSettings mail)
    {
        var gateway = mail.Gateway;
        return Channel(
            MailChannel.ChannelName,
            [
                ("host", gateway.Host), ("port", gateway.Port.ToString(CultureInfo.InvariantCulture)), ("tls", gateway.Security.ToString().ToLowerInvariant()),
                ("user", gateway.User), ("from", gateway.From), ("to", MailOptions.Join(mail.To)),
            ],
            [("secret", gateway.SecretFile)],
            PrivateRoot(gateway.CaFile));
    }

    private static PushedChannel Channel(string name, (string Key, string? Value)[] settings, (string Key, string? File)[] secrets, string? leftOut)
    {
        var named = secrets.Where(s => !string.IsNullOrEmpty(s.File)).Select(s => (s.Key, Name: $"{name}_{s.Key}", s.File)).ToList();
        return new(
            name,
            settings.Where(s => s.Value is not null).Select(s => (s.Key, Value: s.Value!)).Concat(named.Select(s => (s.Key, Value: s.Name)))
                .ToImmutableSortedDictionary(s => s.Key, s => s.Value, StringComparer.Ordinal),
            named.ToImmutableSortedDictionary(s => s.Name, s => s.File!, StringComparer.Ordinal),
            leftOut);
    }

    private static string? Unreachable(Uri address) => Leads(address.DnsSafeHost) ? null : $"{address.Host} is reached only from here";

    private static bool Leads(string host) => IPAddress.TryParse(host, out var ip)
        ? !IPAddress.IsLoopback(ip) && !HomeNetworks.Any(n => n.Contains(ip))
        : host.Contains('.') && !HomeNames.Any(end => host.EndsWith(end, StringComparison.OrdinalIgnoreCase));

    private static string? PrivateRoot(string? file) => file is null ? null : "its private root (ca) is not known there";
}
