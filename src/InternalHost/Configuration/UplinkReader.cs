using System.Collections.Immutable;
using System.Net;
using Common;
using Common.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Links;
using static Common.Configuration.NetworkValues;

namespace InternalHost.Configuration;

/// <summary>The <c>uplinks</c> section.</summary>
[PureCore]
internal static class UplinkReader
{
    private const int Socks = 1080;
    private const int Https = 443;
    private const string Learn = "learn";

    public static (UplinkOptions Primary, UplinkOptions Backup) Read(ConfigurationSection section)
    {
        var wanted = section.Get("wiring", SiteReader.Choice(("A", Wiring.A), ("B", Wiring.B), ("C", Wiring.C), ("D", Wiring.D)), Wiring.Unknown);
        var primary = Primary(section, wanted);
        var backup = Backup(section);
        section.Close();
        if (primary.Carries && primary.Interface == backup.Interface)
        {
            CheckOneWire(section, primary, backup);
        }

        CheckWiring(section, wanted, primary, backup);
        return (primary, backup);
    }

    private static UplinkOptions Primary(ConfigurationSection section, Wiring wanted)
    {
        var nobody = new UplinkOptions(UplinkName.Primary, "");
        if (!section.Has("primary"))
        {
            if (wanted != Wiring.D)
            {
                section.Fail("primary", "", "is missing: name its interface, and its address where both share one wire; where this host is routed by the backup only, "
                    + "say how to observe it; or write wiring: D and do without automatic failover");
            }

            return nobody;
        }

        var uplink = section.Section("primary");
        var options = uplink.Has("observe") ? Observed(uplink) : OfItsOwn(uplink, UplinkName.Primary);
        uplink.Close();
        return options;
    }

    private static UplinkOptions Backup(ConfigurationSection section)
    {
        if (!section.Has("backup"))
        {
            section.Fail("backup", "", "is missing: name its interface, and its address where both share one wire");
            return new UplinkOptions(UplinkName.Backup, "");
        }

        var uplink = section.Section("backup");
        var options = OfItsOwn(uplink, UplinkName.Backup) with { BringUp = Command(uplink, "bring_up", "[/usr/local/bin/dial-modem]") };
        uplink.Close();
        return options;
    }

    private static UplinkOptions OfItsOwn(ConfigurationSection uplink, UplinkName name) => new(
        name,
        uplink.Need("interface", Interface, "such as eth0 (ip -br address lists them)") ?? "",
        uplink.Optional("address", Address),
        uplink.Optional("gateway", Address),
        uplink.Get("carrier", SiteReader.Choice(("modem", true), ("switch", false)), false),
        uplink.Get("provider", Provider, Learn));

    /// <summary>Wiring C: nothing of ours leaves by the primary, so nothing can be bound to it.</summary>
    private static UplinkOptions Observed(ConfigurationSection uplink)
    {
        foreach (var key in (string[])["interface", "address", "gateway", "carrier"])
        {
            if (uplink.Has(key))
            {
                uplink.Fail(key, "", "cannot stand beside observe: either this host reaches the world by the primary itself, or others watch it");
            }
        }

        return new UplinkOptions(UplinkName.Primary, "", Provider: uplink.Get("provider", Provider, Learn)) { Observe = Observation(uplink.Section("observe")) };
    }

    private static PrimaryObservation Observation(ConfigurationSection section)
    {
        var observe = new PrimaryObservation(
            Command(section, "command", "[/usr/local/bin/ask-router]"),
            section.Optional("lan", Endpoint(Socks)),
            section.Optional("outside", Outside));
        section.Close();
        if (observe is { Command.IsEmpty: true, Lan: null } && !section.Has("command"))
        {
            section.Fail("command", "", observe.Outside is null
                ? "is missing: a command that asks the router, or lan: a SOCKS relay on a box that is routed by the primary"
                : "is missing: outside alone is too weak (after an outage that address may be somebody else's); add a command that asks the router, or lan");
        }

        if (observe is { Command.IsEmpty: true, Outside.Address: null, Outside: not null } && !section.Has("command"))
        {
            section.Fail("outside", Learn, "has nobody to learn the address from: only a command can print it, as its third word; else write the address");
        }

        return observe;
    }

    /// <summary><c>ADDRESS:PORT</c>, <c>learn</c>, <c>learn:PORT</c>.</summary>
    private static Reading<OutsideTarget> Outside(string text)
    {
        if (text == Learn)
        {
            return new OutsideTarget(null, Https);
        }

        if (text.StartsWith(Learn + ":", StringComparison.Ordinal) && ushort.TryParse(text.AsSpan(Learn.Length + 1), System.Globalization.NumberStyles.None, null, out var port) && port > 0)
        {
            return new OutsideTarget(null, port);
        }

        return Endpoint(Https)(text) is { Problem: null, Value: { } endpoint }
            ? IPAddress.IsLoopback(endpoint.Address) ? Reading.Bad("is this machine itself") : new OutsideTarget(endpoint.Address, endpoint.Port)
            : Reading.Bad("must be learn, learn:PORT or the primary's public ADDRESS:PORT");
    }

    /// <summary>Program and arguments as a list: no shell reads them.</summary>
    private static ImmutableArray<string> Command(ConfigurationSection section, string key, string example)
    {
        var words = section.List<string>(key, text => text.Contains('\0') ? Reading.Bad("holds a character that no program can be given") : text, []);
        if (section.Has(key) && (words.IsEmpty || SiteReader.FullPath(words[0]).Problem is not null))
        {
            section.Fail(key, words.FirstOrDefault(""), $"must begin with the full path of a program, as a list: {example}");
        }

        return words;
    }

    private static Reading<string> Provider(string text) =>
        text == Learn || (text.StartsWith("AS", StringComparison.Ordinal) && uint.TryParse(text.AsSpan(2), System.Globalization.NumberStyles.None, null, out var number) && number > 0)
            ? text
            : Reading.Bad("must be learn or an AS number such as AS64500");

    /// <summary>The owner may say which wiring is meant; what the rest says must then be that.</summary>
    private static void CheckWiring(ConfigurationSection section, Wiring wanted, UplinkOptions primary, UplinkOptions backup)
    {
        if (wanted == Wiring.Unknown || (section.Has("primary") && !primary.Carries && primary.Observe is null))
        {
            return;   // its interface is missing, and that is told already
        }

        var (says, why) = primary switch
        {
            { Observe: not null } => (Wiring.C, "the primary is observed"),
            { Carries: false } => (Wiring.D, "there is no primary"),
            _ when primary.Interface == backup.Interface => (Wiring.B, $"both share {primary.Interface}"),
            _ => (Wiring.A, "each has an interface"),
        };
        if (says != wanted)
        {
            section.Fail("wiring", $"{wanted}", $"is not what the rest says: {says}, because {why}");
        }
    }

    /// <summary>Wiring B: one wire. Without two source addresses both uplinks are the same line, and no outage is ever seen.</summary>
    private static void CheckOneWire(ConfigurationSection section, UplinkOptions primary, UplinkOptions backup)
    {
        foreach (var (key, uplink) in new[] { ("primary", primary), ("backup", backup) })
        {
            if (uplink.Address is null)
            {
                section.Fail($"{key}.address", "", $"is missing: primary and backup share {uplink.Interface}, so each needs its own source address that the router sends by one provider only");
            }

            if (uplink.CarrierIsModem)
            {
                section.Fail($"{key}.carrier", "modem", "cannot be: primary and backup share this interface, so its carrier is the LAN's");
            }
        }

        if (primary.Address is { } address && address.Equals(backup.Address))
        {
            section.Fail("backup.address", address.ToString(), "is the primary's too: then both are one line, and no outage would ever be seen");
        }
    }
}
