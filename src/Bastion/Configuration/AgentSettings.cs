using System.Collections.Immutable;
using Bastion.DeadMan;
using Common.Logins;
using Common.Logins.Spool;
using Bastion.People;
using Common;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Alerts.Settings;
using Common.Alerts.Sms;
using Common.Configuration;

namespace Bastion.Configuration;

/// <summary>Settings to options. Goes on after a mistake, so that all of them are told at once.</summary>
[PureCore]
internal static class AgentSettings
{
    private const string TwilioAddress = "https://api.twilio.com";
    private const string Journal = "journal";
    private const int NameLimit = 32;

    /// <param name="secretFile">The path, if a secret may be kept in that file; else what is wrong with it.</param>
    /// <returns>Meaningful only when no mistake was told.</returns>
    public static AgentOptions Read(ConfigurationNode.Map map, ConfigurationErrors errors, Func<string, Reading<string>> secretFile)
    {
        var root = new ConfigurationSection("", map, errors);
        var log = root.Need("log", Log, "\"journal\", or the path of sshd's log file") ?? Journal;
        var options = new AgentOptions(
            root.Need("site", PersonalValues.Site, "the site's label, first word of every message") ?? "",
            root.Optional("vm", Plain),
            log == Journal ? null : log,
            Identities(root, map, errors),
            root.Get("agent_port", NetworkValues.Port, AgentOptions.DefaultAgentPort),
            root.Get("state_directory", FullPath, AgentOptions.DefaultStateDirectory),
            root.List("sshd_ports", NetworkValues.Port, AgentOptions.DefaultSshdPorts),
            root.Has("sms") ? Sms(root.Section("sms"), Words(secretFile)) : null,
            new DoorOptions(root.Get("nologin_path", FullPath, AgentOptions.DefaultNologinPath), root.Optional("revoked_keys", FullPath)),
            root.Get("private", Flag, false),
            root.Has("dead_man") ? DeadMan(root.Section("dead_man")) : null);
        options = options with
        {
            Allow = root.Has("allow") ? AllowListReader.Read(map.At("allow"), "allow", errors, PersonalValues.Fingerprint, privateToo: false) : [],
            // A private sshd has no PAM of ours, unless it is said where its hook writes.
            Spool = root.Optional("spool", FullPath) ?? (options.Private ? null : HookSpool.DefaultFolder),
            Channels = ChannelReader.Read(
                root, options.Site, Words(secretFile), options.Sms is not null, withMail: true),
            Bundles = root.Optional("bundles", FullPath) ?? (options.Private ? null : BundleFolder.Default),
            Zone = root.Get("time_zone", Zone, TimeZoneInfo.Utc),
        };
        root.Close();
        return options;
    }

    private static Reading<TimeZoneInfo> Zone(string text) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(text, out var zone) ? zone : Reading.Bad("must be a time zone that this machine knows (tzdata), such as Europe/Berlin");

    private static ImmutableArray<Identity> Identities(ConfigurationSection root, ConfigurationNode.Map map, ConfigurationErrors errors)
    {
        if (!root.Has("identities"))
        {
            root.Fail("identities", "", "is missing: a list of {fingerprint, role, name, device}; [] where nobody is known yet");
            return [];
        }

        if (map.At("identities") is not ConfigurationNode.List list)
        {
            root.Fail("identities", map.At("identities")!.Shown, "must be a list of {fingerprint, role, name, device}");
            return [];
        }

        var identities = list.Items.Select((item, i) => Identity(item, $"identities[{i + 1}]", errors)).ToList();
        foreach (var twice in identities.OfType<Identity>().GroupBy(i => i.Fingerprint, StringComparer.Ordinal).Where(g => g.Count() > 1))
        {
            root.Fail("identities", twice.Key, "names this fingerprint twice: a key belongs to one person or site");
        }

        return [.. identities.OfType<Identity>()];
    }

    private static Identity? Identity(ConfigurationNode item, string path, ConfigurationErrors errors)
    {
        if (item is not ConfigurationNode.Map map)
        {
            errors.Add(path, item.Shown, $"must be a section, not {item.Kind}", item.Line);
            return null;
        }

        var section = new ConfigurationSection(path, map, errors);
        var fingerprint = section.Need("fingerprint", PersonalValues.Fingerprint, "as ssh-keygen -l prints it");
        var role = section.Need("role", Role, "person, site or maintenance");
        var name = section.Need("name", Plain, "who this is");
        var device = section.Optional("device", Plain);
        var networks = section.List("networks", Cidr.Parse, []);
        if (!networks.IsEmpty && role is not (LoginRole.Site or LoginRole.Unknown))
        {
            section.Fail("networks", "", "is for a site: where its uplinks are seen from");
        }

        section.Close();
        return fingerprint is null || name is null || role == LoginRole.Unknown ? null : new Identity(fingerprint, role, name, device) { Networks = networks };
    }

    private static SecretWords Words(Func<string, Reading<string>> secretFile) => new("_file", secretFile, FullPath, "a file of mode 0600 that holds the secret");

    /// <param name="toPeople">Those that a bundle names have numbers of their own.</param>
    internal static SmsSettings Sms(ConfigurationSection section, SecretWords words, bool toPeople = false)
    {
        var account = section.Need("account", Sid, "the account SID, AC...");
        var gateway = new TwilioOptions(
            section.Get("base_url", NetworkValues.WebAddress, new Uri(TwilioAddress)),
            account ?? "",
            section.Get("key_name", Sid, account ?? ""),
            section.Need("secret" + words.Ending, words.Read, words.Hint) ?? "",
            section.Need("from", Sender, "the number that messages come from") ?? "");
        var settings = new SmsSettings(
            gateway, [.. section.List("to", PersonalValues.Phone, []).Distinct(StringComparer.Ordinal)], section.Optional(words.Authority, words.Path));
        if (!section.Has("to") && !toPeople)
        {
            section.Fail("to", "", "is missing: nobody would be told");
        }

        if (account is not null && gateway.From.Length > 0 && gateway.Fault() is { } fault)
        {
            section.Fail("account", account, fault);
        }

        section.Close();
        return settings;
    }

    private static DeadManOptions DeadMan(ConfigurationSection section)
    {
        var after = Quantities.DurationBetween(DeadManOptions.ShortestAfter, DeadManOptions.LongestAfter);
        var options = new DeadManOptions(
            section.Get("after", after, DeadManOptions.DefaultAfter),
            section.Get("request_file", FullPath, PowerRequestFile.DefaultPath),
            section.Optional("command", FullPath));
        section.Close();
        return options;
    }

    private static Reading<string> Log(string text) => text == Journal ? text : FullPath(text);

    private static Reading<string> FullPath(string text) =>
        text.StartsWith('/') && text.Length > 1 && !text.Any(char.IsControl) ? text : Reading.Bad("must be an absolute path");

    private static Reading<string> Plain(string text) =>
        text.Length is > 0 and <= NameLimit && text.All(c => c is >= ' ' and <= '~') && text.Trim().Length == text.Length
            ? text
            : Reading.Bad($"must be 1 to {NameLimit} plain characters");

    private static Reading<LoginRole> Role(string text) => text switch
    {
        "person" => LoginRole.Person,
        "site" => LoginRole.Site,
        "maintenance" => LoginRole.Maintenance,
        _ => Reading.Bad("must be person, site or maintenance"),
    };

    private static Reading<bool> Flag(string text) => text switch
    {
        "true" => true,
        "false" => false,
        _ => Reading.Bad("must be true or false"),
    };

    private static Reading<string> Sid(string text) =>
        text.Length is >= 2 and <= 64 && text.All(char.IsAsciiLetterOrDigit) ? text : Reading.Bad("must be an account or key SID: letters and digits only");

    private static Reading<string> Sender(string text) =>
        text.StartsWith("MG", StringComparison.Ordinal) ? Sid(text) : PersonalValues.Phone(text);
}
