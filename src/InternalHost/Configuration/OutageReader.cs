using Common;
using Common.Configuration;
using static Common.Configuration.Quantities;

namespace InternalHost.Configuration;

/// <summary>The <c>outage</c> section.</summary>
[PureCore]
internal static class OutageReader
{
    public static OutageOptions Read(ConfigurationSection section)
    {
        var preset = section.Get(
            "preset", SiteReader.Choice(("fast", OutagePreset.Fast), ("balanced", OutagePreset.Balanced), ("satellite", OutagePreset.Satellite)), OutagePreset.Balanced);
        var options = new OutageOptions(
            section.Get("confirm_after", DurationBetween(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)), SiteDefaults.ConfirmAfter(preset)),
            section.Get("recover_after", DurationBetween(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)), SiteDefaults.RecoverAfter),
            section.Get("tell_after", DurationBetween(TimeSpan.Zero, TimeSpan.FromHours(1)), SiteDefaults.TellAfter),
            section.Get("stop_after", DurationBetween(TimeSpan.Zero, TimeSpan.FromDays(1)), SiteDefaults.StopAfter),
            section.OptionalValue("max_uptime", DurationBetween(TimeSpan.FromMinutes(10), TimeSpan.FromDays(365))));
        section.Close();
        return options;
    }
}
