using Common;
using Common.Configuration;
using InternalHost.Wan;
using static Common.Configuration.NetworkValues;

namespace InternalHost.Configuration;

/// <summary>The <c>uplinks</c> section.</summary>
[PureCore]
internal static class UplinkReader
{
    public static (UplinkOptions Primary, UplinkOptions Backup) Read(ConfigurationSection section)
    {
        var primary = One(section, "primary", UplinkName.Primary);
        var backup = One(section, "backup", UplinkName.Backup);
        section.Close();
        if (primary.Interface.Length > 0 && primary.Interface == backup.Interface)
        {
            CheckOneWire(section, primary, backup);
        }

        return (primary, backup);
    }

    private static UplinkOptions One(ConfigurationSection section, string key, UplinkName name)
    {
        if (!section.Has(key))
        {
            section.Fail(key, "", "is missing: name its interface, and its address where both share one wire");
            return new UplinkOptions(name, "");
        }

        var uplink = section.Section(key);
        var options = new UplinkOptions(
            name,
            uplink.Need("interface", Interface, "such as eth0 (ip -br address lists them)") ?? "",
            uplink.Optional("address", Address),
            uplink.Optional("gateway", Address),
            uplink.Get("carrier", SiteReader.Choice(("modem", true), ("switch", false)), false),
            uplink.Get("provider", Provider, "learn"));
        uplink.Close();
        return options;
    }

    private static Reading<string> Provider(string text) =>
        text == "learn" || (text.StartsWith("AS", StringComparison.Ordinal) && uint.TryParse(text.AsSpan(2), System.Globalization.NumberStyles.None, null, out var number) && number > 0)
            ? text
            : Reading.Bad("must be learn or an AS number such as AS64500");

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
