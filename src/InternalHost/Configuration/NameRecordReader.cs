using System.Collections.Immutable;
using Common;
using Common.Configuration;

namespace InternalHost.Configuration;

/// <summary>The <c>bastion.dns</c> section: who keeps the record of <c>bastion.name</c>.</summary>
[PureCore]
internal static class NameRecordReader
{
    private const int LongestZoneId = 32;

    /// <param name="name">Null: it is missing or wrong.</param>
    public static NameRecordOptions Read(ConfigurationSection section, string? name, CloudKind cloud, CloudApiOptions? api)
    {
        var provider = section.Need("provider", Provider, "digitalocean, route53 or command");
        var options = new NameRecordOptions(
            provider,
            section.Optional<string>("zone", provider == NameProvider.Route53 ? ZoneId : NetworkValues.HostName),
            section.Optional("secret", SiteReader.SecretName) ?? Shared(provider, cloud, api),
            section.Optional("endpoint", NetworkValues.WebAddress),
            section.Has("command") ? BastionReader.Command(section, "command") : []);
        Check(section, options, name);
        section.Close();
        return options;
    }

    /// <summary>Whose VM it is may keep its name by the same key.</summary>
    private static string? Shared(NameProvider provider, CloudKind cloud, CloudApiOptions? api) =>
        (provider, cloud) is (NameProvider.DigitalOcean, CloudKind.DigitalOcean) or (NameProvider.Route53, CloudKind.Ec2) ? api?.SecretFile : null;

    private static void Check(ConfigurationSection section, NameRecordOptions options, string? name)
    {
        if (options.Provider == NameProvider.Command)
        {
            Array.ForEach(Array.FindAll(["zone", "secret", "endpoint"], section.Has), key => section.Fail(key, "", "is for provider: digitalocean or route53"));
            if (!section.Has("command"))
            {
                section.Fail("command", "", "is missing: the program that sets the record and its arguments, as a list: [/usr/local/bin/set-name]");
            }

            return;
        }

        if (section.Has("command"))
        {
            section.Fail("command", options.Command.FirstOrDefault(""), "is for provider: command");
        }

        if (options.Provider != NameProvider.Unknown && !section.Has("zone"))
        {
            section.Fail("zone", "", options.Provider == NameProvider.Route53 ? "is missing: the id of the hosted zone, such as Z0123456789ABCDEFGHIJ" : "is missing: the domain as it stands in DigitalOcean's list, such as example.net");
        }

        if (options is { Provider: NameProvider.DigitalOcean, Zone: { } zone } && name is not null && name != zone && !name.EndsWith("." + zone, StringComparison.Ordinal))
        {
            section.Fail("zone", zone, $"does not hold bastion.name, {name}");
        }

        if (options is { Provider: NameProvider.DigitalOcean, SecretFile: null } && !section.Has("secret"))
        {
            section.Fail("secret", "", "is missing: the name of the secret that holds the API token");
        }
    }

    private static readonly Func<string, Reading<NameProvider>> Provider =
        SiteReader.Choice(("digitalocean", NameProvider.DigitalOcean), ("route53", NameProvider.Route53), ("command", NameProvider.Command));

    private static Reading<string> ZoneId(string text) =>
        text.Length is > 1 and <= LongestZoneId && text[0] == 'Z' && text.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c))
            ? text
            : Reading.Bad("must be the id of a hosted zone of Route 53, such as Z0123456789ABCDEFGHIJ");
}
