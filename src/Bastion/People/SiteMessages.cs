using System.Collections.Immutable;
using Bastion.Configuration;
using Common;
using Common.Alerts;
using Common.Alerts.Settings;
using Common.Alerts.Sms;
using Common.Alerts.Telegram;
using Common.Configuration;
using Common.Sync;

namespace Bastion.People;

/// <summary>How the people of a site are told, as its bundle says.</summary>
/// <param name="LeftOut">Channels that cannot be used, each with its reason.</param>
internal sealed record SiteMessages(SmsSettings? Sms, ChannelSettings Channels, ImmutableArray<Reach> People, ImmutableArray<string> LeftOut)
{
    public ImmutableArray<Route> Routes => RoutePlan.Of(Channels.Order, People, Channels.Shared());
}

/// <summary>
/// The words of the inside's <c>messages</c>, read as agent.json is. A channel that this version does not understand is left out and told of: it must not keep
/// people from coming in.
/// </summary>
[PureCore]
internal static class SiteMessagesReader
{
    /// <summary>A newer inside may say more: what is not known is not looked at.</summary>
    private static readonly ImmutableDictionary<string, string[]> Known = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["sms"] = ["base_url", "account", "key_name", "from", "to", "secret"],
        ["telegram"] = ["chat", "base_url", "secret"],
        ["webhook"] = ["shape", "template", "url", "secret", "token", "sign", "key"],
        ["mail"] = ["host", "port", "tls", "user", "from", "to", "secret"],
    }.ToImmutableDictionary(StringComparer.Ordinal);

    /// <param name="secretFile">The file in which a secret of that name is kept.</param>
    public static SiteMessages Read(Bundle bundle, Func<string, string> secretFile)
    {
        var messages = bundle.Messages ?? new BundleMessages();
        var words = new SecretWords("", name => bundle.Secrets.ContainsKey(name) ? secretFile(name) : Reading.Bad("names a secret that is not in the bundle"),
            path => path, "the name of the secret");
        var (sms, channels, leftOut) = ((SmsSettings?)null, new ChannelSettings(), ImmutableArray.CreateBuilder<string>());
        foreach (var (name, settings) in messages.Channels.Where(c => Known.ContainsKey(c.Key)))
        {
            var errors = new ConfigurationErrors();
            var root = new ConfigurationSection("messages", Map(name, settings), errors);
            var one = name == TwilioSms.ChannelName ? new ChannelSettings() : ChannelReader.Read(root, bundle.Site, words, sms: false, withMail: true);
            var gateway = name == TwilioSms.ChannelName ? AgentSettings.Sms(root.Section(name), words, toPeople: true) : null;
            if (errors.Any)
            {
                leftOut.Add($"{name}: {errors.All[0].Key} {errors.All[0].Reason}");
                continue;
            }

            sms ??= gateway;
            channels = channels with { Telegram = channels.Telegram ?? one.Telegram, Webhook = channels.Webhook ?? one.Webhook, Mail = channels.Mail ?? one.Mail };
        }

        var quiet = messages.Quiet is { } text ? QuietHours.Parse(text).Value : null;
        var usual = channels.InUsualOrder(sms is not null);
        return new SiteMessages(sms, channels with { Quiet = quiet, Order = [.. messages.Order.Where(usual.Contains).Union(usual)] }, People(bundle, sms), leftOut.ToImmutable());
    }

    /// <summary>Who has a number or a chat of their own, and numbers that are nobody's in particular.</summary>
    private static ImmutableArray<Reach> People(Bundle bundle, SmsSettings? sms)
    {
        var people = bundle.People.Where(p => p.Text is not null || p.Telegram is not null).Select(p => new Reach(p.Name, Own(p))).ToList();
        var others = (sms?.To ?? []).Where(number => people.TrueForAll(p => p.Own.GetValueOrDefault(TwilioSms.ChannelName) != number));
        return [.. people, .. others.Select(number => new Reach(number, ImmutableDictionary<string, string>.Empty.Add(TwilioSms.ChannelName, number)))];
    }

    private static ImmutableDictionary<string, string> Own(BundlePerson person)
    {
        var own = ImmutableDictionary<string, string>.Empty;
        own = person.Text is { } number ? own.Add(TwilioSms.ChannelName, PersonalValues.Phone(number).Value!) : own;
        return person.Telegram is { } chat ? own.Add(TelegramChannel.ChannelName, chat) : own;
    }

    private static ConfigurationNode.Map Map(string channel, IReadOnlyDictionary<string, string> settings)
    {
        ConfigurationNode Value(string key, string text) => key == "to"
            ? new ConfigurationNode.List([.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(t => new ConfigurationNode.Scalar(t, true, 0))], 0)
            : new ConfigurationNode.Scalar(text, true, 0);
        var entries = settings.Where(s => Known[channel].Contains(s.Key)).Select(s => new ConfigurationNode.Entry(s.Key, Value(s.Key, s.Value), 0));
        return new ConfigurationNode.Map([new ConfigurationNode.Entry(channel, new ConfigurationNode.Map([.. entries], 0), 0)], 0);
    }
}
