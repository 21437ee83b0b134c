using System.Collections.Immutable;
using Common;
using Common.Alerts.Settings;
using Common.Configuration;
using static Common.Configuration.PersonalValues;

namespace InternalHost.Configuration;

/// <summary>The <c>people</c> section.</summary>
[PureCore]
internal static class PeopleReader
{
    /// <summary>What an SMS has room for.</summary>
    private const int LongestPerson = 11;
    private const int LongestDevice = 20;

    public static ImmutableArray<PersonOptions> Read(ConfigurationSection root, ImmutableArray<ServiceOptions> services)
    {
        var section = root.Section("people");
        if (!root.Has("people"))
        {
            root.Fail("people", "", "is missing: at least one person, with a phone number (text) and a device's public key");
        }

        return [.. section.Entries.Select(e => One(section, e, services))];
    }

    private static PersonOptions One(ConfigurationSection section, ConfigurationNode.Entry entry, ImmutableArray<ServiceOptions> services)
    {
        if (Name(LongestPerson)(entry.Key).Problem is { } problem)
        {
            section.Fail(entry.Key, "", $"the name of a person {problem}");
        }

        var person = section.Below(entry);
        var all = services.Select(s => s.Name).ToImmutableArray();
        var options = new PersonOptions(
            entry.Key,
            person.Optional("text", Phone),
            person.List("may", Service(all), all),
            Devices(person.Section("devices")))
        {
            Telegram = person.Optional("telegram", ChannelReader.Chat),
        };
        person.Close();
        return options;
    }

    private static Func<string, Reading<string>> Service(ImmutableArray<string> known) => text =>
        known.Contains(text) ? text
            : Reading.Bad("is not one of the services: " + (DidYouMean.Nearest(text, known) is { } near ? $"did you mean {near}?" : string.Join(", ", known)));

    private static ImmutableDictionary<string, string> Devices(ConfigurationSection section)
    {
        var devices = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var entry in section.Entries)
        {
            if (Name(LongestDevice)(entry.Key).Problem is { } problem)
            {
                section.Fail(entry.Key, "", $"the name of a device {problem}");
            }

            if (section.Scalar(entry, PublicKey) is { Problem: null } key)
            {
                devices[entry.Key] = key.Value!;
            }
        }

        return devices.ToImmutable();
    }
}
