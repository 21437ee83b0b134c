using System.Collections.Immutable;
using Bastion.Configuration;
using Bastion.DeadMan;
using Bastion.Host;
using Common;
using Common.Alerts.Policy;
using Common.Configuration;
using Common.Logins;
using Common.Logins.Recording;
using Common.Logins.Spool;
using Common.Sync;

namespace Bastion.People;

/// <summary>The agent's settings with what the sites' bundles say on top.</summary>
[PureCore]
internal static class AgentSites
{
    /// <param name="hostKeys">Public keys (<c>type base64</c>) of <c>/etc/bastion/keys</c>, by account.</param>
    public static AgentOptions Merge(AgentOptions host, ImmutableArray<AgentSite> sites, IEnumerable<(string Account, string Key)> hostKeys)
    {
        var options = host with
        {
            Sites = sites,
            Identities = [.. host.Identities.Concat(hostKeys.Select(k => Of(k.Account, k.Key, sites)).OfType<Identity>()).Concat(sites.SelectMany(s => People(s.Bundle))).DistinctBy(i => i.Fingerprint)],
            Allow = [.. host.Allow, .. sites.SelectMany(s => Allow(s.Bundle))],
            DeadMan = host.DeadMan ?? DeadMan(sites),
        };
        return sites switch
        {
            [] => options with { AwaitsChannels = options.Order.IsEmpty },
            [var only] => options with
            {
                Site = only.Label,
                Vm = only.Bundle.Vm ?? host.Vm,
                Sms = only.Bundle.Messages is null ? host.Sms : only.Messages.Sms,
                Channels = only.Bundle.Messages is null ? host.Channels : only.Messages.Channels,
                Zone = only.Bundle.TimeZone is null ? host.Zone : only.Zone,
            },
            _ => options,
        };
    }

    /// <summary>
    /// Whom a login concerns on a bastion of several sites: those to whom the account and its key belong. Null: nobody in particular (a stranger, the owner of the
    /// host), so everybody.
    /// </summary>
    public static Audience? AudienceOf(AgentOptions options, string user, string? fingerprint)
    {
        if (options.Sites.Length < 2 || fingerprint is null)
        {
            return null;
        }

        var owner = options.Identities.FirstOrDefault(i => i.Fingerprint == fingerprint);
        var sites = owner is { Role: LoginRole.Site }
            ? options.Sites.Where(s => s.Label == owner.Name)
            : options.Sites.Where(s => s.Bundle.People.Any(p => p.Name == user && p.Devices.Any(d => PersonalValues.PublicKey(d.Key).Value is { } key && Fingerprint(key) == fingerprint)));
        var concerned = sites.ToImmutableArray();
        return concerned.IsEmpty ? null
            : new Audience(string.Join('+', concerned.Select(s => s.Label)), concerned[0].Bundle.Vm ?? options.Vm, [.. concerned.SelectMany(s => s.Routes)]);
    }

    /// <summary>A site's tunnel comes by its key, and so does its bulk connection; the keys of bastion-sync are theirs again.</summary>
    private static Identity? Of(string account, string key, ImmutableArray<AgentSite> sites)
    {
        if (Fingerprint(key) is not { } fingerprint)
        {
            return null;
        }

        var label = account.StartsWith(Accounts.Site(""), StringComparison.Ordinal) && !account.EndsWith(Accounts.SiteBulk("")[Accounts.Site("").Length..], StringComparison.Ordinal) ? account[Accounts.Site("").Length..] : null;
        return account == Accounts.Maintenance ? new Identity(fingerprint, LoginRole.Maintenance, account)
            : label is null ? null
            : new Identity(fingerprint, LoginRole.Site, label) { Networks = [.. sites.Where(s => s.Label == label).SelectMany(s => s.Bundle.Networks).Select(n => Cidr.Parse(n).Value).OfType<Cidr>()] };
    }

    private static IEnumerable<Identity> People(Bundle bundle) =>
        from person in bundle.People
        from device in person.Devices
        let fingerprint = PersonalValues.PublicKey(device.Key).Value is { } key ? Fingerprint(key) : null
        where fingerprint is not null
        select new Identity(fingerprint, LoginRole.Person, person.Name, device.Name);

    private static string? Fingerprint(string key) => key.Split(' ') is [var type, var base64, ..] ? KeyBlob.Read(type, base64)?.Fingerprint : null;

    private static IEnumerable<AllowEntry> Allow(Bundle bundle) => bundle.Allow.Select(a => new AllowEntry(
        Cidr.Parse(a.Network).Value!, [a.User], [a.Fingerprint], a.Reason ?? "", bundle.Site, BundleTime.Parse(a.Until) ?? DateTimeOffset.MinValue));

    /// <summary>Where one site counts on the VM to stay up, it stays.</summary>
    private static DeadManOptions? DeadMan(ImmutableArray<AgentSite> sites) =>
        sites.IsEmpty || sites.Any(s => s.Bundle.DeadManMinutes is null) ? null
            : new DeadManOptions(TimeSpan.FromMinutes(sites.Max(s => s.Bundle.DeadManMinutes!.Value)), PowerRequestFile.DefaultPath, null);
}
