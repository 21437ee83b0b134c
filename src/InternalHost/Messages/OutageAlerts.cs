using System.Collections.Immutable;
using Common.Alerts;
using Common.Alerts.Sms;
using Common.Alerts.Telegram;
using Common.Time;
using InternalHost.Cloud;
using InternalHost.Cloud.Prices;
using InternalHost.Configuration;
using InternalHost.Failover;
using InternalHost.Pins;
using InternalHost.Tunnel;
using Microsoft.Data.Sqlite;

namespace InternalHost.Messages;

/// <summary>Puts the controller's alerts into words for each person, and the words into the outbox.</summary>
/// <param name="options">Read at each alert: a reload changes people and numbers.</param>
/// <param name="tunnel">The tunnel as it is now: why it is not up, and by which port it is.</param>
/// <param name="backupBytes">Bytes over the backup in this outage; null: not known.</param>
/// <param name="wallTime">Wall time that may be shown to a person; null while the clock is not to be trusted.</param>
internal sealed class OutageAlerts(
    Outbox outbox,
    Func<SiteOptions> options,
    Func<TunnelSnapshot> tunnel,
    Func<Outage, long?> backupBytes,
    Func<DateTimeOffset?> wallTime,
    TimeProvider time) : IOutageAlerts
{
    /// <summary>What people connect to by name; null: no name leads to the VM now.</summary>
    public Func<string?> Name { get; init; } = () => options().Bastion.Name;

    public void Add(SqliteTransaction transaction, FailoverEffect.RaiseAlert alert)
    {
        foreach (var (message, routes) in Compose(alert))
        {
            Outbox.Add(transaction, message, routes);
        }
    }

    public void AddInMemory(FailoverEffect.RaiseAlert alert)
    {
        foreach (var (message, routes) in Compose(alert))
        {
            outbox.Raise(message, routes);
        }
    }

    public void Wake() => outbox.Wake();

    private IEnumerable<(Alert Message, IReadOnlyList<Route> Routes)> Compose(FailoverEffect.RaiseAlert alert)
    {
        var site = options();
        if (alert.Alert is OutageAlert.Open)
        {
            // Each person has an account of their own, so each gets a command of their own.
            var people = Recipients(site).GroupBy(r => r.Person).ToList();
            return people.Count == 0
                ? [(Words(alert, site, site.People.FirstOrDefault(), alert.Id), Everybody(site))]
                : people.Select(g => (Words(alert, site, g.Key, $"{alert.Id}.{g.Key?.Name}"), (IReadOnlyList<Route>)RoutesOf(site, g.Select(r => r.Reach))));
        }

        return [(Words(alert, site, site.People.FirstOrDefault(), alert.Id), Everybody(site))];
    }

    /// <summary>Each who is told what concerns all.</summary>
    public static IReadOnlyList<Route> Everybody(SiteOptions site) => RoutesOf(site, Recipients(site).Select(r => r.Reach));

    private static ImmutableArray<Route> RoutesOf(SiteOptions site, IEnumerable<Reach> people) =>
        RoutePlan.Of(site.Messages.Order, people, site.Messages.Channels.Shared());

    /// <summary>People with a number or a chat of their own; a number that is nobody's is a person of its own.</summary>
    private static IEnumerable<(PersonOptions? Person, Reach Reach)> Recipients(SiteOptions site)
    {
        var sms = site.Messages.Sms;
        foreach (var person in site.People.Where(p => (p.Text is not null && sms is not null) || p.Telegram is not null))
        {
            yield return (person, new Reach(person.Text ?? person.Name, Own(sms is null ? null : person.Text, person.Telegram)));
        }

        foreach (var number in (sms?.To ?? []).Where(n => !site.People.Any(p => p.Text == n)))
        {
            yield return (site.People.FirstOrDefault(), new Reach(number, Own(number, null)));
        }
    }

    private static ImmutableDictionary<string, string> Own(string? number, string? chat)
    {
        var own = ImmutableDictionary<string, string>.Empty;
        own = number is null ? own : own.Add(TwilioSms.ChannelName, number);
        return chat is null ? own : own.Add(TelegramChannel.ChannelName, chat);
    }

    private Alert Words(FailoverEffect.RaiseAlert alert, SiteOptions site, PersonOptions? person, string id)
    {
        var outage = alert.Outage;
        var now = Instant.Now(time);
        var facts = new OutageFacts(site.Site, id, Cause(outage.Cause), time.GetUtcNow(), Wall(outage.DownAt, now));
        var vm = new VmFacts($"bastion-{site.Site}", CloudName(site.Bastion.Cloud), OtherPort(site)) { Keys = Keys(site) };
        return alert.Alert switch
        {
            OutageAlert.Open => OutageMessages.Open(facts, Way(site, outage, person)),
            OutageAlert.Stuck => OutageMessages.Stuck(facts, Problem(alert.Reason), vm),
            OutageAlert.Closed => OutageMessages.Closed(facts, Closing(site, outage, now)),
            OutageAlert.StopFailing => OutageMessages.StopFailing(facts, CloudFailure.Unknown, vm, Wall(outage.BackAt, now)),
            OutageAlert.OwnerStopped => OutageMessages.StoppedByOwner(facts, vm, TimeSpan.FromHours(1), Wall(now + TimeSpan.FromHours(1), now)),
            OutageAlert.LongUptime => OutageMessages.LongUptime(facts, vm, now - (outage.OpenAt ?? outage.Since)),
            _ => throw new InvalidOperationException($"no words for {alert.Alert}"),
        };
    }

    /// <summary>The first characters tell two fingerprints apart; whole they are in the status.</summary>
    private (string Shown, string Pinned)? Keys(SiteOptions site) =>
        tunnel().Last is { } last && SshStderr.OfferedKey(last) is { } shown && site.Bastion.HostKeys is [var pinned, ..] ? (Begin(shown), Begin(HostKey.Fingerprint(pinned))) : null;

    private static string Begin(string fingerprint) => fingerprint.Replace("SHA256:", "", StringComparison.Ordinal) is { Length: > 8 } text ? text[..8] : fingerprint;

    private WayIn Way(SiteOptions site, Outage outage, PersonOptions? person)
    {
        var host = Name() ?? WayIn.AddressForPeople(outage.Addresses.Items, tunnel().Remote?.Address)?.ToString() ?? "?";
        return new WayIn(
            person?.Name ?? site.Bastion.User, host, site.Bastion.Ports[0], site.Messages.InnerUser, site.InnerSsh?.BastionPort ?? site.Bastion.FirstForwardPort, OtherPort(site));
    }

    private ClosedFacts Closing(SiteOptions site, Outage outage, Instant now) => new(
        BackAt: Wall(outage.BackAt, now),
        DownFor: outage is { DownAt: { } down, BackAt: { } back } ? back - down : null,
        VmStopped: site.Bastion.Cloud != CloudKind.Static && !outage.Addresses.Items.IsEmpty,
        ClosedAt: Wall(now, now),
        OpenIn: outage.OpenAt is { } open ? open - (outage.DownAt ?? outage.Since) : null,
        Logins: outage.OpenAt is null ? null : outage.Logins,
        BackupBytes: backupBytes(outage),
        CostUsd: CostReports.OfOutage(site, outage.Starts > 0 || outage.Launch is not null ? now - outage.Since : TimeSpan.Zero, outage.Alerts + 1));

    /// <summary>A moment as a person reads it on a clock at the site.</summary>
    private DateTimeOffset? Wall(Instant? at, Instant now) =>
        at is { } moment && wallTime() is { } wall ? TimeZoneInfo.ConvertTime(wall - (now - moment), time.LocalTimeZone) : null;

    private static int? OtherPort(SiteOptions site) => site.Bastion.Ports.Length > 1 ? site.Bastion.Ports[1] : null;

    private static OpenCause Cause(OutageCause cause) => cause switch
    {
        OutageCause.PrimaryDown => OpenCause.PrimaryDown,
        OutageCause.Summoned => OpenCause.Summoned,
        _ => OpenCause.Operator,
    };

    private static string CloudName(CloudKind cloud) => cloud switch
    {
        CloudKind.Ec2 => "AWS",
        CloudKind.DigitalOcean => "DigitalOcean",
        _ => "the cloud",
    };

    private WayInProblem Problem(string reason) => reason.Split(':') switch
    {
        ["backup"] => WayInProblem.BackupDown,
        ["inner"] => WayInProblem.InnerSshDown,
        ["cloud", var failure] when Enum.TryParse<CloudFailure>(failure, out var known) => WayInProblems.Of(known),
        ["tunnel", var why] when Enum.TryParse<TunnelReason>(why, out var known) => WayInProblems.Of(known),
        // The VM runs, so the dialler knows best what keeps it from being one.
        ["boot"] when tunnel().Last is { } last && last.Reason != TunnelReason.Stopped => WayInProblems.Of(last.Reason),
        ["boot"] => WayInProblem.VmBooting,
        _ => WayInProblem.Unknown,
    };
}
