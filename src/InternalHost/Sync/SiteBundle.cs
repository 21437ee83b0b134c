using System.Collections.Immutable;
using System.Globalization;
using Common;
using Common.Alerts.Policy;
using Common.Sync;
using InternalHost.Configuration;

namespace InternalHost.Sync;

/// <summary>What the bastion is to know of this site, said from the configuration in force.</summary>
[PureCore]
internal static class SiteBundle
{
    /// <param name="timeZone">IANA name; null: not known.</param>
    /// <param name="secrets">By their names in the bundle. A channel that lacks one is left out: half a channel would tell nobody, and nobody would know.</param>
    public static Bundle Of(SiteOptions site, long number, string? timeZone, IReadOnlyDictionary<string, string> secrets)
    {
        var channels = PushedChannels.Of(site.Messages).Where(c => c.LeftOut is null && c.SecretFiles.Keys.All(secrets.ContainsKey)).ToList();
        var ports = site.Services.ToDictionary(s => s.Name, s => s.BastionPort, StringComparer.Ordinal);
        return new Bundle(Bundle.CurrentFormat, site.Site, number)
        {
            Vm = $"bastion-{site.Site}",
            People = [.. site.People.Select(p => Person(p, ports))],
            Services = [.. site.Services.Select(s => new BundleService(s.Name, s.BastionPort))],
            TimeZone = timeZone,
            DeadManMinutes = site.Bastion.DeadMan?.TotalMinutes,
            Messages = channels.Count == 0 ? null : Messages(site.Messages, channels),
            Allow = [.. site.Allow.Where(Counts).SelectMany(Logins)],
            Secrets = channels.SelectMany(c => c.SecretFiles.Keys).ToImmutableSortedDictionary(name => name, name => secrets[name], StringComparer.Ordinal),
        };
    }

    private static BundlePerson Person(PersonOptions person, Dictionary<string, int> ports) => new(
        person.Name,
        [.. person.May.Where(ports.ContainsKey).Select(name => ports[name]).Distinct().Order()],
        [.. person.Devices.OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => new BundleDevice(d.Key, d.Value))])
    {
        Text = person.Text,
        Telegram = person.Telegram,
    };

    private static BundleMessages Messages(MessageOptions messages, List<PushedChannel> channels) => new()
    {
        Order = [.. messages.BastionOrder.Where(name => channels.Exists(c => c.Name == name))],
        Quiet = messages.Channels.Quiet?.ToString(),
        Channels = channels.ToImmutableSortedDictionary(c => c.Name, c => (IReadOnlyDictionary<string, string>)c.Settings, StringComparer.Ordinal),
    };

    /// <summary>Not the home network, from which nobody comes over the internet, and not half of it: a stolen inside could silence the bastion.</summary>
    public static bool Counts(AllowEntry entry) => AllowList.Refuse(entry.Network, iKnow: false, privateToo: false) is null;

    private static IEnumerable<BundleAllow> Logins(AllowEntry entry) =>
        from user in entry.Users
        from key in entry.Keys
        select new BundleAllow(entry.Network.ToString(), user, key, entry.Expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture))
        {
            Reason = entry.Reason,
        };
}
