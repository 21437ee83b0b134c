using System.Collections.Immutable;
using Common.Alerts.Mail;
using Common.Alerts.Telegram;
using Common.Alerts.Webhook;
using Common.Configuration;

namespace Common.Alerts.Settings;

/// <summary>How a program's configuration names a secret: <c>secret: NAME</c> or <c>secret_file: PATH</c>.</summary>
/// <param name="Ending">Of the key: empty, or <c>_file</c>.</param>
/// <param name="Read">What stands there, or what is wrong with it.</param>
/// <param name="Path">A file that need not be secret.</param>
public sealed record SecretWords(string Ending, Func<string, Reading<string>> Read, Func<string, Reading<string>> Path, string Hint)
{
    public string Authority => Ending.Length == 0 ? "ca" : "ca_file";
}

/// <summary>The sections of the channels, the same words in both programs' files.</summary>
[PureCore]
public static class ChannelReader
{
    private const string OwnShape = "own";

    /// <param name="root">The section in which channels stand side by side.</param>
    /// <param name="withMail">Only the bastion can: on the inside nothing binds a mail to an uplink.</param>
    public static ChannelSettings Read(ConfigurationSection root, string site, SecretWords words, bool sms, bool withMail)
    {
        var settings = new ChannelSettings(
            root.Has("telegram") ? Telegram(root.Section("telegram"), words) : null,
            root.Has("webhook") ? Webhook(root.Section("webhook"), site, words) : null,
            withMail && root.Has("mail") ? Mail(root.Section("mail"), words) : null,
            root.Optional("quiet", QuietHours.Parse));
        return settings with { Order = Order(root, settings, sms) };
    }

    private static ImmutableArray<string> Order(ConfigurationSection root, ChannelSettings settings, bool sms)
    {
        var usual = settings.InUsualOrder(sms);
        if (!root.Has("order"))
        {
            return usual;
        }

        var order = root.List("order", Channel(usual), []);
        foreach (var twice in order.GroupBy(c => c, StringComparer.Ordinal).Where(g => g.Count() > 1))
        {
            root.Fail("order", twice.Key, "stands there twice");
        }

        foreach (var left in usual.Except(order))
        {
            root.Fail("order", left, $"{left} is configured and not in the order: it would never be used; put it last, or remove its section");
        }

        return order;
    }

    private static Func<string, Reading<string>> Channel(ImmutableArray<string> configured) => text =>
        configured.Contains(text) ? text
        : Reading.Bad(configured.IsEmpty ? "is not configured: no channel is" : $"is not configured: {string.Join(", ", configured)} {(configured.Length == 1 ? "is" : "are")}");

    private static TelegramSettings Telegram(ConfigurationSection section, SecretWords words)
    {
        var settings = new TelegramSettings(
            section.Need("chat", Chat, "the chat's number: docs/alerts.md says how to find it"),
            new TelegramOptions(
                section.Get("base_url", NetworkValues.WebAddress, new Uri(TelegramOptions.PublicAddress)),
                section.Need("secret" + words.Ending, words.Read, words.Hint) ?? ""),
            section.Optional(words.Authority, words.Path));
        section.Close();
        return settings;
    }

    public static Reading<string> Chat(string text) =>
        TelegramOptions.IsChat(text) ? text : Reading.Bad("must be a chat's number such as 123456789 (a group's is negative)");

    private static WebhookSettings Webhook(ConfigurationSection section, string site, SecretWords words)
    {
        var options = new WebhookOptions(
            site,
            Shape(section),
            section.Optional("url", NetworkValues.WebAddress),
            section.Optional("secret" + words.Ending, words.Read),
            section.Optional("token" + words.Ending, words.Read),
            section.Optional("sign" + words.Ending, words.Read),
            section.Optional("key" + words.Ending, words.Read));
        var ca = section.Optional(words.Authority, words.Path);
        section.Close();
        if (options.Fault() is { } fault && !(section.Has("url") && options.Address is null) && !(section.Has("secret" + words.Ending) && options.AddressFile is null))
        {
            section.Fail("shape", options.Shape.Name, fault);
        }

        return new WebhookSettings(options, ca);
    }

    private static WebhookShape Shape(ConfigurationSection section)
    {
        var known = WebhookShape.Shipped.Select(s => s.Name).Append(OwnShape).ToList();
        var all = string.Join(", ", known);
        var name = section.Need<string>("shape", text => known.Contains(text) ? text : Reading.Bad($"must be one of {all}"), $"one of {all}");
        var template = section.Optional("template", Template);
        if (name == OwnShape && !section.Has("template"))
        {
            section.Fail("template", "", "is missing: shape own needs a body, such as '{\"text\": \"{text}\"}'");
        }
        else if (name is not null and not OwnShape && section.Has("template"))
        {
            section.Fail("template", "", $"is for shape own; {name} brings its body");
        }

        return name == OwnShape && template is not null ? WebhookShape.Own(template) : WebhookShape.Shipped.FirstOrDefault(s => s.Name == name) ?? WebhookShape.Json;
    }

    private static Reading<WebhookTemplate> Template(string text)
    {
        try
        {
            return WebhookTemplate.Parse(text);
        }
        catch (FormatException e)
        {
            return Reading.Bad(e.Message);
        }
    }

    private static MailSettings Mail(ConfigurationSection section, SecretWords words)
    {
        var security = section.Get("tls", Security, MailSecurity.StartTls);
        var options = new MailOptions(
            section.Need("host", Host, "the mail server, such as smtp.example.net") ?? "",
            section.Get("port", NetworkValues.Port, security == MailSecurity.Implicit ? MailOptions.ImplicitPort : MailOptions.SubmissionPort),
            security,
            section.Optional("user", User),
            section.Optional("secret" + words.Ending, words.Read),
            section.Need("from", Address, "the sender's address") ?? "",
            section.Optional(words.Authority, words.Path));
        var to = section.List("to", Address, []);
        section.Close();
        if (!section.Has("to"))
        {
            section.Fail("to", "", "is missing: nobody would be told");
        }

        if (options.Host.Length > 0 && options.From.Length > 0 && !(section.Has("secret" + words.Ending) && options.SecretFile is null) && options.Fault() is { } fault)
        {
            section.Fail("tls", section.Has("tls") ? security.ToString().ToLowerInvariant() : "", fault);
        }

        return new MailSettings([.. to.Distinct(StringComparer.OrdinalIgnoreCase)], options);
    }

    private static Reading<MailSecurity> Security(string text) => text switch
    {
        "starttls" => MailSecurity.StartTls,
        "implicit" => MailSecurity.Implicit,
        "none" => MailSecurity.None,
        _ => Reading.Bad("must be starttls (port 587), implicit (port 465), or none (a mail server on this machine)"),
    };

    private static Reading<string> Host(string text) =>
        NetworkValues.HostName(text).Problem is null || NetworkValues.Address(text).Problem is null ? text : Reading.Bad("must be a name or an address");

    private static Reading<string> User(string text) =>
        text.Length is > 0 and <= 128 && text.All(c => c is > ' ' and <= '~') ? text : Reading.Bad("must be one word of plain characters");

    private static Reading<string> Address(string text) =>
        MailOptions.IsAddress(text) ? text : Reading.Bad("must be a mail address such as alice@example.net");
}
