using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Globalization;
using Common;
using Common.Configuration;
using static Common.Configuration.NetworkValues;
using static Common.Configuration.PersonalValues;

namespace InternalHost.Configuration;

/// <summary>The <c>bastion</c> section.</summary>
[PureCore]
internal static class BastionReader
{
    private const int LongestSocketPath = 100;
    private const int MostPorts = 8;
    private const int MostDollars = 10_000;
    private const string None = "none";

    /// <summary>An owner who starts the VM in the provider's app must be given the time to be joined.</summary>
    private static readonly TimeSpan ShortestDeadMan = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan LongestDeadMan = TimeSpan.FromDays(7);

    public static BastionOptions Read(ConfigurationSection section, string site, string runtimeDirectory)
    {
        var cloud = section.Need("cloud", Cloud, "ec2, digitalocean, static (a host that always runs), command, or local");
        var options = new BastionOptions(
            cloud,
            section.List("ports", Port, SiteDefaults.BastionPorts),
            section.Get("user", Account, $"site-{site}"),
            section.Get("key", SiteReader.FullPath, SiteDefaults.KeyFile),
            HostKeys(section),
            $"bastion-{site}",
            section.Get("first_forward_port", Quantities.WholeBetween(1024, 65_535 - BastionOptions.ForwardPortCount), SiteDefaults.FirstForwardPort),
            section.Get("agent_port", AgentPort, SiteDefaults.AgentPort),
            section.Optional("name", HostName),
            section.Optional("address", Address),
            section.Optional("socket", SocketPath) ?? (cloud == CloudKind.Local ? $"{runtimeDirectory}/local-cloud.sock" : null),
            section.Get("profile", SiteReader.Choice(("serving", TunnelProfile.Serving), ("metered", TunnelProfile.Metered), ("fast", TunnelProfile.Fast)), TunnelProfile.Serving));
        var isOurVm = cloud is not CloudKind.Static and not CloudKind.Local;
        options = options with
        {
            SyncUser = section.Get("sync", SyncUser, cloud == CloudKind.Local || options.AgentPort is null ? null : SiteDefaults.SyncUser),
            DeadMan = section.Get("dead_man", DeadMan, isOurVm ? SiteDefaults.DeadMan : null),
        };
        options = options with
        {
            Commands = section.Has("commands") ? Commands(section.Section("commands")) : null,
            Api = CloudApiReader.Read(section, cloud),
            FixedAddress = section.Optional("fixed_address", AddressV4),
            MonthlyLimit = section.OptionalValue("monthly_limit", Dollars),
        };
        options = options with { Dns = section.Has("dns") ? NameRecordReader.Read(section.Section("dns"), options.Name, cloud, options.Api) : null };
        CrossCheck(section, options);
        section.Close();
        return options;
    }

    /// <summary>Program and arguments of each as a list: no shell reads them.</summary>
    private static CloudCommands Commands(ConfigurationSection section)
    {
        var commands = new CloudCommands(Command(section, "describe"), Command(section, "start"), Command(section, "stop"));
        section.Close();
        return commands;
    }

    internal static ImmutableArray<string> Command(ConfigurationSection section, string key)
    {
        var words = section.List<string>(key, text => text.Contains('\0') ? Reading.Bad("holds a character that no program can be given") : text, []);
        if (!section.Has(key))
        {
            section.Fail(key, "", "is missing: the program and its arguments, as a list: [/usr/local/bin/my-vm, start]");
        }
        else if (words.IsEmpty || SiteReader.FullPath(words[0]).Problem is not null)
        {
            section.Fail(key, words.FirstOrDefault(""), "must begin with the full path of a program");
        }

        return words;
    }

    private static readonly Func<string, Reading<CloudKind>> Cloud = text => text switch
    {
        "static" => CloudKind.Static,
        "local" => CloudKind.Local,
        "command" => CloudKind.Command,
        "ec2" => CloudKind.Ec2,
        "digitalocean" => CloudKind.DigitalOcean,
        _ => SiteReader.Choice(("ec2", CloudKind.Ec2), ("digitalocean", CloudKind.DigitalOcean), ("static", CloudKind.Static), ("command", CloudKind.Command), ("local", CloudKind.Local))(text),
    };

    /// <summary>Keys as text, or the path of a file that holds them (read by <see cref="SiteFiles"/>).</summary>
    private static ImmutableArray<string> HostKeys(ConfigurationSection section)
    {
        if (!section.Has("host_keys"))
        {
            section.Fail("host_keys", "", "is missing: the bastion's public host key, or the path of a .pub file; without a pin nothing is dialled");
        }

        return section.List("host_keys", text => text.StartsWith('/') ? SiteReader.FullPath(text) : PublicKey(text), []);
    }

    private static Reading<IPAddress> AddressV4(string text) =>
        Address(text).Value is { AddressFamily: AddressFamily.InterNetwork } v4 ? v4 : Reading.Bad("must be an IPv4 address that the provider keeps for you, such as 203.0.113.7");

    private static Reading<int?> AgentPort(string text) =>
        text == None ? (Reading<int?>)(int?)null : Port(text) is { Problem: { } problem } ? Reading.Bad($"{problem}, or none") : (int?)Port(text).Value;

    private static Reading<string?> SyncUser(string text) =>
        text == None ? (Reading<string?>)(string?)null
        : Account(text) is { Problem: { } problem } ? Reading.Bad($"{problem}, or none: people and keys are not pushed to the bastion") : (string?)text;

    private static Reading<TimeSpan?> DeadMan(string text) =>
        text == None ? (Reading<TimeSpan?>)(TimeSpan?)null
        : Quantities.DurationBetween(ShortestDeadMan, LongestDeadMan)(text) is { Problem: { } problem } ? Reading.Bad($"{problem}, or none")
        : (TimeSpan?)Quantities.DurationBetween(ShortestDeadMan, LongestDeadMan)(text).Value;

    /// <summary><c>3</c>, <c>2.50</c>, <c>3 USD</c>.</summary>
    private static Reading<decimal> Dollars(string text)
    {
        var number = text.EndsWith("USD", StringComparison.Ordinal) ? text[..^3].TrimEnd() : text;
        return decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var usd) && usd is > 0 and <= MostDollars
            ? usd : Reading.Bad($"must be US dollars a month, such as 3 USD, at most {MostDollars}");
    }

    private static Reading<string> SocketPath(string text) =>
        SiteReader.FullPath(text) is { Problem: { } problem } ? Reading.Bad(problem)
        : text.Length > LongestSocketPath ? Reading.Bad($"is longer than {LongestSocketPath} characters, which no socket may be")
        : text;

    private static void CrossCheck(ConfigurationSection section, BastionOptions options)
    {
        if (options.Cloud == CloudKind.Static && options.Address is null && !section.Has("address"))
        {
            section.Fail("address", "", "is missing: where the static bastion is, as an IP address");
        }

        if (options.Cloud is CloudKind.Local or CloudKind.Command or CloudKind.Ec2 or CloudKind.DigitalOcean && options.Address is not null)
        {
            section.Fail("address", options.Address.ToString(), "is for cloud: static; the others find the address themselves");
        }

        if (options.Cloud is CloudKind.Static or CloudKind.Command or CloudKind.Ec2 or CloudKind.DigitalOcean && section.Has("socket"))
        {
            section.Fail("socket", options.LocalSocket ?? "", "is for cloud: local");
        }

        if (options.Cloud != CloudKind.Unknown && options.Cloud == CloudKind.Command == options.Commands is null)
        {
            section.Fail("commands", "", options.Commands is null ? "is missing: describe, start and stop, each a program and its arguments" : "is for cloud: command");
        }

        if (options.Cloud != CloudKind.Unknown && options.Api is null)
        {
            CloudApiReader.Refuse(section);
        }

        if (options.Cloud != CloudKind.Unknown && options.Api is null && section.Has("fixed_address"))
        {
            section.Fail("fixed_address", "", "is for cloud: ec2 or digitalocean");
        }

        if (options.Dns is not null && !section.Has("name"))
        {
            section.Fail("name", "", "is missing: the name that bastion.dns is to set, such as home.example.net");
        }

        CheckPorts(section, options);
    }

    private static void CheckPorts(ConfigurationSection section, BastionOptions options)
    {
        if (options.Ports.Length > MostPorts || options.Ports.Distinct().Count() != options.Ports.Length)
        {
            section.Fail("ports", string.Join(", ", options.Ports), $"must be 1 to {MostPorts} different ports");
        }

        if (options.AgentPort is { } agent && agent >= options.FirstForwardPort && agent <= options.LoopProbePort)
        {
            section.Fail("agent_port", agent.ToString(), $"is inside the site's block {options.FirstForwardPort}-{options.LoopProbePort}");
        }

        foreach (var port in options.Ports.Where(p => p >= options.FirstForwardPort && p <= options.LoopProbePort))
        {
            section.Fail("ports", port.ToString(), $"is inside the site's block {options.FirstForwardPort}-{options.LoopProbePort}");
        }
    }
}
