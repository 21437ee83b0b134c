using System.Text;
using Common;
using Common.Alerts.Policy;
using Common.Configuration;
using InternalHost.Sync;

namespace InternalHost.Configuration;

/// <summary>A good configuration told back in words, so that its owner sees whether it says what was meant. Pure; shows no number and no key.</summary>
[PureCore]
internal static class SiteSummary
{
    public static string Render(SiteOptions options)
    {
        var text = new StringBuilder($"{options.Site}: the configuration is right. This is what it says:\n\n");
        foreach (var (label, value) in Rows(options))
        {
            text.Append($" {label,-12} {value}".TrimEnd()).Append('\n');
        }

        return text.Append(Notes(options)).Append("\nNext: internalhost doctor   (is this machine ready?), then internalhost reload, or start the service.\n").ToString();
    }

    private static IEnumerable<(string Label, string Value)> Rows(SiteOptions options)
    {
        yield return ("wiring", options.Wiring switch
        {
            Wiring.B => $"B: one wire ({options.Primary.Interface}); the router sends each address by one provider",
            Wiring.C => "C: this host is routed by the backup; the primary is watched by others",
            Wiring.D => "D: the primary is not watched: NO AUTOMATIC FAILOVER, only internalhost open starts the VM",
            _ => "A: an interface for each uplink",
        });
        yield return ("primary", Uplink(options.Primary));
        yield return ("backup", Uplink(options.Backup));
        var outage = options.Outage;
        yield return ("outage", $"confirmed after {Say(outage.ConfirmAfter)}, told after {Say(outage.TellAfter)}; the primary is back after {Say(outage.RecoverAfter)}, the VM stops {Say(outage.StopAfter)} later");
        yield return ("bastion", Bastion(options.Bastion));
        yield return ("ports there", $"{options.Bastion.FirstForwardPort}-{options.Bastion.LoopProbePort}, the last one for the loop probe; agent {options.Bastion.AgentPort?.ToString() ?? "none"}");
        foreach (var service in options.Services)
        {
            var who = options.People.Where(p => p.May.Contains(service.Name)).Select(p => p.Name);
            yield return ($"  {service.Name}", $"{service.BastionPort} -> {service.TargetHost}:{service.TargetPort}{(service.Bulk ? ", bulk" : "")}; for {Words(who)}");
        }

        foreach (var person in options.People)
        {
            yield return ("person", $"{person.Name}; {Devices(person)}");
        }

        yield return ("messages", Messages(options.Messages));
        if (options.Messages.Mail is { } mail)
        {
            yield return ("mail", $"from the bastion only, by {mail.Gateway.Host}");
        }

        if (!options.Allow.IsEmpty)
        {
            yield return ("allow", $"{options.Allow.Length} kind{(options.Allow.Length == 1 ? "" : "s")} of login not told at once");
        }
    }

    private static string Messages(MessageOptions messages)
    {
        var ways = messages.Order.Select(channel => channel switch
        {
            "sms" when messages.Sms is { } sms => $"sms to {sms.To.Length} number{(sms.To.Length == 1 ? "" : "s")} by {sms.BaseUrl.Host}",
            "telegram" => "telegram (accepted there counts as told)",
            "webhook" when messages.Channels.Webhook is { } hook => $"webhook, {hook.Gateway.Shape.Name} (accepted there counts as told)",
            _ => channel,
        }).ToList();
        var quiet = messages.Channels.Quiet is { } hours ? $"; quiet {hours}" : "";
        return ways.Count == 0 ? "none" : string.Join(", then ", ways) + quiet;
    }

    private static string Notes(SiteOptions options)
    {
        var notes = new List<string>();
        if (options.Messages.Order.IsEmpty)
        {
            notes.Add("Nobody is told anything: messages.sms is missing (or telegram, or webhook).");
        }
        else if (options.Messages.Order is [var only])
        {
            notes.Add($"{only} is the only channel: when it fails, nobody is told. Add a second one (telegram, sms or webhook) to messages.");
        }

        if (options.Primary.Observe is { Outside: null } observe)
        {
            notes.Add(Silence(observe));
        }

        if (options.Bastion.Ports.Length == 1)
        {
            notes.Add("One port only: hotels often block odd ports; add 443 to bastion.ports.");
        }

        if (options.Bastion.AgentPort is null)
        {
            notes.Add("No agent: nobody can say who is logged in at the bastion.");
        }

        if (options.Bastion is { Cloud: CloudKind.Ec2, Api.SecretFile: null })
        {
            notes.Add("bastion.secret is missing: the AWS key is looked for in the environment and in ~/.aws of the user that internalhost runs as.");
        }

        notes.AddRange(People(options));
        notes.AddRange(options.People.Where(p => p.Devices.IsEmpty).Select(p => $"{p.Name} has no device, so no key to get in with."));
        return notes.Count == 0 ? "" : "\n" + string.Concat(notes.Select(n => $" Note: {n}\n"));
    }

    /// <summary>What the bastion is not told.</summary>
    private static IEnumerable<string> People(SiteOptions options) => options.Bastion.SyncUser is null
        ? options.Bastion.Cloud == CloudKind.Local ? [] : ["bastion.sync is none: people, keys and channels are not pushed to the bastion; it needs its own."]
        : PushedChannels.Of(options.Messages).Where(c => c.LeftOut is not null).Select(c => $"The bastion will not use {c.Name}: {c.LeftOut}.")
            .Concat(options.Allow.Where(e => !SiteBundle.Counts(e)).Select(e => $"The bastion tells of logins from {e.Network} all the same: {AllowList.Refuse(e.Network, iKnow: false, privateToo: false)}."));

    /// <summary>Those who observe may die with the primary, in one power strip or one router; then nothing is known, and nothing is started.</summary>
    private static string Silence(PrimaryObservation observe)
    {
        var who = Observers(observe).ToList();
        var next = observe.Command.IsEmpty
            ? "add its public address and a port there (outside: \"198.51.100.10:443\"), asked through the backup"
            : "add outside: learn (the command then prints the primary's public address as its third word), or outside: \"ADDRESS:PORT\"";
        return $"uplinks.primary.observe.outside is missing, and {(who.Count == 1 ? $"there is one observer only, {who[0]}" : $"{Words(who)} may fall silent together")}: "
            + $"from silence no outage is concluded, so no way in would open by itself. Next: {next}.";
    }

    private static string Uplink(UplinkOptions uplink) => uplink switch
    {
        { Observe: { } observe } => $"watched by {Words(Observers(observe))}",
        { Carries: false } => "not watched",
        _ => Line(uplink),
    };

    private static IEnumerable<string> Observers(PrimaryObservation observe)
    {
        if (!observe.Command.IsEmpty)
        {
            yield return observe.Command[0];
        }

        if (observe.Lan is { } lan)
        {
            yield return $"the relay {lan}";
        }

        if (observe.Outside is { } outside)
        {
            yield return $"its public address from outside ({(outside.Address is null ? $"learnt, port {outside.Port}" : outside)})";
        }
    }

    private static string Line(UplinkOptions uplink) =>
        $"{uplink.Interface}{(uplink.Address is { } address ? $" {address}" : "")}{(uplink.Gateway is { } gateway ? $" by {gateway}" : "")}{(uplink.CarrierIsModem ? ", carrier is the modem's" : "")}{(uplink.BringUp.IsEmpty ? "" : $", woken by {uplink.BringUp[0]}")}";

    private static string Bastion(BastionOptions bastion) =>
        $"{bastion.Cloud.ToString().ToLowerInvariant()}{Where(bastion)}, ports {string.Join(" then ", bastion.Ports)}, account {bastion.User}, {bastion.HostKeys.Length} pinned key{(bastion.HostKeys.Length == 1 ? "" : "s")}{Name(bastion)}";

    private static string Name(BastionOptions bastion) => bastion switch
    {
        { Name: { } name, Dns: { } dns } => $", {name} set by {dns.Provider.ToString().ToLowerInvariant()}",
        { Name: { } name } => $", {name}",
        _ => "",
    };

    private static string Where(BastionOptions bastion) => bastion switch
    {
        { Address: { } address } => $" {address}",
        { Api: { } api } => $" in {api.Region}{(api.Endpoint is { } endpoint ? $" by {endpoint.Authority}" : "")}, {string.Join(" or ", api.Sizes)}{(bastion.FixedAddress is { } kept ? $", always {kept}" : "")}",
        _ => "",
    };

    private static string Devices(PersonOptions person) =>
        person.Devices.IsEmpty ? "no device" : $"devices: {Words(person.Devices.Keys.Order(StringComparer.Ordinal))}";

    private static string Say(TimeSpan span) => Quantities.Say(span);

    private static string Words(IEnumerable<string> words) => string.Join(", ", words) is { Length: > 0 } some ? some : "nobody";
}
