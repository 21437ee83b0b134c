using System.Collections.Immutable;
using System.Globalization;
using Bastion.DeadMan;
using Bastion.Host;
using Common;
using Common.Alerts;
using Common.Alerts.Policy;
using Common.Alerts.Settings;
using Common.Configuration;
using Common.Logins;
using Common.Sync;

namespace Bastion.People;

/// <summary>What a site's bundle may name on this host.</summary>
/// <param name="Site">Whose key has signed it.</param>
/// <param name="OtherAccounts">Names on this host that are not people's: the system's, sites', ours.</param>
/// <param name="HostKeys">Public keys of sites and of the maintenance account: one of a person's could pass for a tunnel.</param>
internal sealed record BundleScene(SiteAccess Site, ImmutableHashSet<string> OtherAccounts, ImmutableHashSet<string> HostKeys);

/// <summary>
/// Looks at every value of a bundle before any is used. It is signed, but by a machine that may be stolen: it must reach nothing beyond its own
/// site's block of ports and its own people.
/// </summary>
[PureCore]
internal static class BundleRules
{
    private const int MostPeople = 256;
    private const int MostDevices = 32;
    private const int MostEntries = 256;
    private const int LongestText = 64;
    private const int LongestSetting = 4096;
    private const int LongestSecret = 2048;

    /// <returns>Every mistake; none: all of it may be used.</returns>
    public static IReadOnlyList<ConfigurationError> Check(Bundle bundle, BundleScene scene)
    {
        var errors = new ConfigurationErrors();
        Take(errors, "vm", bundle.Vm, Words);
        Take(errors, "time_zone", bundle.TimeZone, Words);
        Few(errors, "people", bundle.People, MostPeople);
        Once(errors, "people", bundle.People.Select(p => p.Name));
        Once(errors, "people", bundle.People.SelectMany(p => p.Devices).Select(d => PersonalValues.PublicKey(d.Key).Value).OfType<string>());
        foreach (var person in bundle.People)
        {
            Person(errors, person, scene);
        }

        Few(errors, "services", bundle.Services, SiteAccess.BlockSize);
        Once(errors, "services", bundle.Services.Select(s => s.Name));
        foreach (var service in bundle.Services)
        {
            Take(errors, "services.name", service.Name, PersonalValues.Name(LongestText));
            Port(errors, $"services.{service.Name}", service.Port, scene.Site);
        }

        Few(errors, "networks", bundle.Networks, MostEntries);
        foreach (var network in bundle.Networks)
        {
            Take(errors, "networks", network, Cidr.Parse);
        }

        if (bundle.DeadManMinutes is { } minutes && !(minutes >= DeadManOptions.ShortestAfter.TotalMinutes && minutes <= DeadManOptions.LongestAfter.TotalMinutes))
        {
            errors.Add("dead_man_minutes", Number(minutes), $"must be {Number(DeadManOptions.ShortestAfter.TotalMinutes)} to {Number(DeadManOptions.LongestAfter.TotalMinutes)}", 0);
        }

        Allow(errors, bundle);
        Messages(errors, bundle);
        return errors.All;
    }

    private static void Person(ConfigurationErrors errors, BundlePerson person, BundleScene scene)
    {
        Take(errors, "people.name", person.Name, text => Name(text, scene));
        var key = $"people.{person.Name}";
        Take(errors, $"{key}.text", person.Text, PersonalValues.Phone);
        Take(errors, $"{key}.telegram", person.Telegram, ChannelReader.Chat);
        Once(errors, $"{key}.ports", person.Ports.Select(p => Number(p)));
        foreach (var port in person.Ports)
        {
            Port(errors, $"{key}.ports", port, scene.Site);
        }

        Few(errors, $"{key}.devices", person.Devices, MostDevices);
        Once(errors, $"{key}.devices", person.Devices.Select(d => d.Name));
        foreach (var device in person.Devices)
        {
            Take(errors, $"{key}.devices.name", device.Name, Words);
            Take(errors, $"{key}.devices.{device.Name}", device.Key, text => Key(text, scene));
        }
    }

    private static Reading<string> Name(string text, BundleScene scene) =>
        BundleNames.Person(text) is { Problem: null } && scene.OtherAccounts.Contains(text)
            ? Reading.Bad("is the name of an account of this host that is no person's: call the person something else")
            : BundleNames.Person(text);

    private static Reading<string> Key(string text, BundleScene scene)
    {
        var key = PersonalValues.PublicKey(text);
        return key.Value is { } value && scene.HostKeys.Contains(value)
            ? Reading.Bad("is the key of a site or of the maintenance account: a person needs one of their own")
            : key;
    }

    private static void Port(ConfigurationErrors errors, string key, int port, SiteAccess site)
    {
        if (!site.ServicePorts.Contains(port))
        {
            errors.Add(key, Number(port), $"is not one of this site's ports, {Number(site.FirstPort)} to {Number(site.ServicePorts.Last())}", 0);
        }
    }

    private static void Allow(ConfigurationErrors errors, Bundle bundle)
    {
        Few(errors, "allow", bundle.Allow, MostEntries);
        foreach (var entry in bundle.Allow)
        {
            Take(errors, "allow.network", entry.Network, Network);
            Take(errors, "allow.user", entry.User, PersonalValues.Account);
            Take(errors, "allow.fingerprint", entry.Fingerprint, PersonalValues.Fingerprint);
            Take(errors, "allow.until", entry.Until, Moment);
            Take(errors, "allow.reason", entry.Reason, OneLine);
        }
    }

    private static void Messages(ConfigurationErrors errors, Bundle bundle)
    {
        Few(errors, "secrets", [.. bundle.Secrets], MostEntries);
        foreach (var (name, secret) in bundle.Secrets)
        {
            Take(errors, "secrets", name, SecretName);
            if (Secret(secret).Problem is { } problem)
            {
                errors.Add($"secrets.{name}", "", problem, 0);   // never its value
            }
        }

        if (bundle.Messages is { } messages)
        {
            Take(errors, "messages.quiet", messages.Quiet, QuietHours.Parse);
            Few(errors, "messages.order", messages.Order, MostEntries);
            Few(errors, "messages.channels", [.. messages.Channels], MostEntries);
            foreach (var (channel, key, value) in messages.Channels.SelectMany(c => c.Value.Select(s => (c.Key, s.Key, s.Value))))
            {
                Take(errors, $"messages.{channel}.{key}", value, OneLine);
            }
        }
    }

    private static void Take<T>(ConfigurationErrors errors, string key, string? text, Func<string, Reading<T>> read)
    {
        if (text is not null && read(text).Problem is { } problem)
        {
            errors.Add(key, text, problem, 0);
        }
    }

    private static void Few<T>(ConfigurationErrors errors, string key, IReadOnlyList<T> items, int most)
    {
        if (items.Count > most)
        {
            errors.Add(key, Number(items.Count), $"are too many: at most {Number(most)}", 0);
        }
    }

    private static void Once(ConfigurationErrors errors, string key, IEnumerable<string> items)
    {
        foreach (var twice in items.GroupBy(i => i, StringComparer.Ordinal).Where(g => g.Count() > 1))
        {
            errors.Add(key, twice.Key, "stands there twice", 0);
        }
    }

    private static Reading<string> Words(string text) =>
        text.Length is > 0 and <= LongestText && text.Trim().Length == text.Length && !text.Any(char.IsControl) ? text : Reading.Bad($"must be 1 to {LongestText} characters in one line");

    private static Reading<string> OneLine(string text) =>
        text.Length <= LongestSetting && !text.Any(char.IsControl) ? text : Reading.Bad($"must be one line of at most {LongestSetting} characters");

    private static Reading<string> SecretName(string text) =>
        text.Length is > 0 and <= LongestText && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? text : Reading.Bad("must be a name of letters, digits, _ and -");

    private static Reading<string> Secret(string text) => text.Length is > 0 and <= LongestSecret && text.All(c => c is > ' ' and <= '~') ? text : Reading.Bad("must be one word");

    private static Reading<Cidr> Network(string text)
    {
        var network = Cidr.Parse(text);
        return network.Value is { } cidr && AllowList.Refuse(cidr, iKnow: true, privateToo: false) is { } why ? Reading.Bad(why) : network;
    }

    private static Reading<DateTimeOffset> Moment(string text) => BundleTime.Parse(text) is { } at ? at : Reading.Bad("must be a moment such as 2026-12-21T18:00:00Z");

    private static string Number(double number) => number.ToString(CultureInfo.InvariantCulture);
}
