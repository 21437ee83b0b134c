using System.Collections.Immutable;
using System.Globalization;
using Common.Configuration;

namespace Common.Alerts.Policy;

/// <summary>Reads the <c>allow</c> list of a configuration. Every mistake is told with its entry.</summary>
/// <example><c>{cidr: 198.51.100.0/24, users: [alice], keys: ["SHA256:..."], reason: office, created_by: alice, expires: 2026-12-21}</c></example>
[PureCore]
public static class AllowListReader
{
    private const int LongestReason = 120;
    private const string Shape = "must be a list of {cidr, users, keys, reason, created_by, expires}";
    private static readonly string[] Dates = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss'Z'"];

    /// <param name="key">How a key is named here: a fingerprint.</param>
    /// <param name="privateToo">On the inside, where the home network is.</param>
    public static ImmutableArray<AllowEntry> Read(
        ConfigurationNode? node, string path, ConfigurationErrors errors, Func<string, Reading<string>> key, bool privateToo)
    {
        if (node is null)
        {
            return [];
        }

        if (node is not ConfigurationNode.List list)
        {
            errors.Add(path, node.Shown, Shape, node.Line);
            return [];
        }

        var entries = new List<(AllowEntry Entry, string Path)>();
        foreach (var (item, at) in list.Items.Select((item, i) => (item, $"{path}[{i + 1}]")))
        {
            if (Entry(item, at, errors, key, privateToo) is not { } entry)
            {
                continue;
            }

            if (entries.Find(e => Overlap(e.Entry, entry)) is { Path: { } other })
            {
                errors.Add(at, entry.Network.ToString(), $"overlaps {other} for the same user and key: one login would have two ends", item.Line);
            }

            entries.Add((entry, at));
        }

        return [.. entries.Select(e => e.Entry)];
    }

    private static AllowEntry? Entry(ConfigurationNode item, string path, ConfigurationErrors errors, Func<string, Reading<string>> key, bool privateToo)
    {
        if (item is not ConfigurationNode.Map map)
        {
            errors.Add(path, item.Shown, Shape, item.Line);
            return null;
        }

        var before = errors.All.Count;
        var section = new ConfigurationSection(path, map, errors);
        var iKnow = section.Get("i_know", Flag, false);
        var network = section.Need("cidr", text => Network(text, iKnow, privateToo), "the network they come from, such as 198.51.100.0/24");
        var users = Needed(section, "users", PersonalValues.Account, "the accounts that this is for");
        var keys = Needed(section, "keys", key, "the fingerprints that this is for, as ssh-keygen -l prints them");
        var reason = section.Need("reason", Words, "why, for whoever reads it in a year");
        var by = section.Need("created_by", Words, "who wants this");
        var created = section.OptionalValue("created", Day);
        var expires = section.Has("expires") || created is null
            ? section.Need("expires", Day, "the last day it counts, such as 2026-12-21 (or created: the day it was made, and it ends 30 days later)")
            : created.Value + AllowList.DefaultLife;
        if (created is { } start && expires - start > AllowList.LongestLife)
        {
            section.Fail("expires", expires.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), "is more than a year after created: an entry for ever is a hole for ever");
        }

        section.Close();
        return errors.All.Count > before ? null : new AllowEntry(network!, users, keys, reason!, by!, expires);
    }

    private static ImmutableArray<T> Needed<T>(ConfigurationSection section, string key, Func<string, Reading<T>> read, string hint)
    {
        if (!section.Has(key))
        {
            section.Fail(key, "", $"is missing: {hint}");
        }

        return section.List(key, read, []);
    }

    private static bool Overlap(AllowEntry a, AllowEntry b) =>
        a.Network.Overlaps(b.Network) && a.Users.Intersect(b.Users).Any() && a.Keys.Intersect(b.Keys).Any();

    private static Reading<Cidr> Network(string text, bool iKnow, bool privateToo)
    {
        var network = Cidr.Parse(text);
        return network.Value is { } cidr && AllowList.Refuse(cidr, iKnow, privateToo) is { } why ? Reading.Bad(why) : network;
    }

    /// <summary>A day alone counts to its end, in UTC.</summary>
    private static Reading<DateTimeOffset> Day(string text) =>
        DateTimeOffset.TryParseExact(text, Dates, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? text.Length == Dates[0].Length ? at.AddDays(1) : at
            : Reading.Bad("must be a day such as 2026-12-21, or a moment such as 2026-12-21T18:00:00Z");

    private static Reading<string> Words(string text) =>
        text.Length is > 0 and <= LongestReason && !text.Any(char.IsControl) ? text : Reading.Bad($"must be 1 to {LongestReason} characters in one line");

    private static Reading<bool> Flag(string text) => text switch
    {
        "true" => true,
        "false" => false,
        _ => Reading.Bad("must be true or false"),
    };
}
