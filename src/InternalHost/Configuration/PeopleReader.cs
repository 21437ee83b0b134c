using System.Collections.Immutable;
using Common;
using Common.Alerts.Settings;
using Common.Configuration;
using Common.Sync;
using static Common.Configuration.PersonalValues;

namespace InternalHost.Configuration;

/// <summary>The <c>people</c> section.</summary>
[PureCore]
internal static class PeopleReader
{
    private const int LongestDevice = 20;

    /// <param name="pushed">Each becomes an account of the bastion.</param>
    public static ImmutableArray<PersonOptions> Read(ConfigurationSection root, ImmutableArray<ServiceOptions> services, bool pushed)
    {
        var section = root.Section("people");
        if (!root.Has("people"))
        {
            root.Fail("people", "", "is missing: at least one person, with a phone number (text) and a device's public key");
        }

        ImmutableArray<PersonOptions> people = [.. section.Entries.Select(e => One(section, e, services, pushed))];
        if (pushed)
        {
            CheckKeys(section, people);
        }

        return people;
    }

    /// <summary>By its key the bastion knows who came.</summary>
    private static void CheckKeys(ConfigurationSection section, ImmutableArray<PersonOptions> people)
    {
        var devices = people.SelectMany(p => p.Devices.OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => (Name: $"{p.Name}.devices.{d.Key}", Key: d.Value)));
        foreach (var same in devices.GroupBy(d => d.Key, StringComparer.Ordinal).Where(g => g.Count() > 1))
        {
            section.Fail(same.Last().Name, "", $"is the key of {same.First().Name} too: each device needs its own, or nobody can say who came");
        }
    }

    private static PersonOptions One(ConfigurationSection section, ConfigurationNode.Entry entry, ImmutableArray<ServiceOptions> services, bool pushed)
    {
        if ((pushed ? BundleNames.Person(entry.Key) : Name(BundleNames.LongestPerson)(entry.Key)).Problem is { } problem)
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
