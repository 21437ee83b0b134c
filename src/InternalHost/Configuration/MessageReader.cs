using System.Collections.Immutable;
using Common;
using Common.Alerts.Mail;
using Common.Alerts.Settings;
using Common.Configuration;
using static Common.Configuration.PersonalValues;

namespace InternalHost.Configuration;

/// <summary>The <c>messages</c> section.</summary>
[PureCore]
internal static class MessageReader
{
    private static readonly SecretWords Secrets = new("", SiteReader.SecretName, SiteReader.FullPath, "the name of a secret, such as telegram_token");

    public static MessageOptions Read(ConfigurationSection section, string site, ImmutableArray<PersonOptions> people)
    {
        var sms = section.Has("sms") ? Sms(section.Section("sms"), people) : null;
        var user = section.Get("inner_user", Account, people.Select(p => p.Name).FirstOrDefault("owner"));
        var channels = ChannelReader.Read(section, site, Secrets, sms is not null, withMail: true);
        if (channels.Telegram is null && people.FirstOrDefault(p => p.Telegram is not null) is { } chatty)
        {
            section.Fail("telegram", "", $"is missing: people.{chatty.Name}.telegram needs the bot");
        }

        section.Close();
        return new MessageOptions(sms, user)
        {
            Channels = channels with { Mail = null, Order = [.. channels.Order.Where(c => c != MailChannel.ChannelName)] },
            Mail = channels.Mail,
            BastionOrder = channels.Order,
        };
    }

    private static SmsOptions Sms(ConfigurationSection section, ImmutableArray<PersonOptions> people)
    {
        var account = section.Need("account", Sid, "the account SID, AC...") ?? "";
        var options = new SmsOptions(
            section.Get("base_url", NetworkValues.WebAddress, new Uri(SiteDefaults.TwilioAddress)),
            account,
            section.Get("key_name", Sid, account),
            section.Need("secret", SiteReader.SecretName, "the name of a secret, such as twilio_key") ?? "",
            section.Need("from", Phone, "the number that messages come from") ?? "",
            [.. section.List("to", Phone, [.. people.Select(p => p.Text).OfType<string>()]).Distinct(StringComparer.Ordinal)],
            section.Optional("ca", SiteReader.FullPath));
        section.Close();
        if (options.To.Contains(options.From) || people.Any(p => p.Text == options.From))
        {
            section.Fail("from", options.From, "is also a recipient: a number cannot write to itself");
        }

        if (options.To.IsEmpty && !section.Has("to"))
        {
            section.Fail("to", "", "is missing: nobody would be told; give a person a number (people.NAME.text) or list numbers here");
        }

        return options;
    }

    private static Reading<string> Sid(string text) =>
        text.Length is >= 2 and <= 64 && text.All(char.IsAsciiLetterOrDigit) ? text : Reading.Bad("must be an account or key SID: letters and digits only");
}
