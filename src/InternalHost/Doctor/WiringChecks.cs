using System.Collections.Immutable;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Observing;
using InternalHost.Wan.Probes;

namespace InternalHost.Doctor;

/// <summary>Which wiring the configuration says, and which one this machine's interfaces and routes would suggest.</summary>
internal sealed class WiringCheck(SiteOptions site, Func<ImmutableArray<HostLink>> links) : IDoctorCheck
{
    public string Name => "wiring";

    public Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct)
    {
        var (wiring, why) = WiringAdvice.Suggest(links());
        var named = site.Wiring switch
        {
            Wiring.A => $"A: the primary by {site.Primary.Interface}, the backup by {site.Backup.Interface}",
            Wiring.B => $"B: one wire ({site.Primary.Interface}), {site.Primary.Address} for the primary, {site.Backup.Address} for the backup",
            Wiring.C => $"C: this machine goes by the backup ({site.Backup.Interface}), the primary is watched by others",
            _ => "D: nothing watches the primary",
        };
        return Task.FromResult<ImmutableArray<Finding>>(
        [
            site.Wiring == Wiring.D
                ? Finding.Warn(Name, $"{named}: no automatic failover, only internalhost open starts the VM", $"to have it: {why}")
                : Finding.Ok(Name, wiring == site.Wiring || wiring == Wiring.Unknown ? named : $"{named} (by its interfaces it could be {wiring}: {why})"),
        ]);
    }

    /// <summary>This machine's links, as they are now.</summary>
    public static ImmutableArray<HostLink> OfThisMachine() =>
    [
        .. NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.NetworkInterfaceType != NetworkInterfaceType.Loopback && i.OperationalStatus != OperationalStatus.Down)
            .Select(i => (Interface: i.Name, Properties: i.GetIPProperties()))
            .Select(i => new HostLink(
                i.Interface,
                i.Properties.UnicastAddresses.Count(a => a.Address.AddressFamily == AddressFamily.InterNetwork),
                i.Properties.GatewayAddresses.Count > 0)),
    ];
}

/// <summary>
/// The proof of wirings A and B: the world sees the two uplinks from two addresses. One address for both means that the router sends
/// both by one line, or has fallen over, and then an outage is never seen.
/// </summary>
/// <param name="find">The public address by an uplink; null: not found out.</param>
internal sealed class EgressCheck(SiteOptions site, Func<UplinkOptions, CancellationToken, Task<PublicAddress?>> find) : IDoctorCheck
{
    public string Name => "egress";

    public async Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct)
    {
        if (!site.Primary.Carries)
        {
            var only = await find(site.Backup, ct);
            return [only is null ? Unknown("backup") : Finding.Ok(Name, $"the backup leaves as {only.Address}")];
        }

        var (primary, backup) = (find(site.Primary, ct), find(site.Backup, ct));
        return [Judge(await primary, await backup)];
    }

    private Finding Judge(PublicAddress? primary, PublicAddress? backup) =>
        primary is null && backup is null ? Unknown("primary or backup")
        : primary is null ? Unknown("primary")
        : backup is null ? Unknown("backup")
        : !primary.Address.Equals(backup.Address)
            ? Finding.Ok(Name, $"proven: the world sees the primary as {primary.Address}, the backup as {backup.Address}")
        : Finding.Fail(
            Name,
            $"the world sees both as {primary.Address}: both leave by one line, so an outage of it takes both, and one of the other is never seen",
            site.Wiring == Wiring.B ? RouteAdvice.ForRouter(site) : $"{RouteAdvice.ForHost(site.Primary)}\n{RouteAdvice.ForHost(site.Backup)}");

    private Finding Unknown(string uplink) => site.Witnesses is { Stun.IsEmpty: true, WhoAmI.IsEmpty: true }
        ? Finding.CannotTell(Name, "nobody may be asked for the public addresses", "name servers in witnesses.stun")
        : Finding.CannotTell(
            Name, $"the public address by the {uplink} was not found out: is it up, and is UDP let out?", site.Wiring == Wiring.B ? RouteAdvice.ForRouter(site) : null);
}

/// <summary>The eyes of wiring C, each asked once.</summary>
internal sealed class ObserverCheck(PrimaryObservation observe, Observers observers) : IDoctorCheck
{
    private static readonly TimeSpan LanLimit = TimeSpan.FromSeconds(8);

    public string Name => "observers";

    public async Task<ImmutableArray<Finding>> RunAsync(CancellationToken ct)
    {
        var asked = new List<Task<Finding>>();
        if (observers.Router is { } router)
        {
            asked.Add(RouterAsync(router, ct));
            await asked[0];   // the outside may be asked at the address that the command prints
        }

        if (observers.Lan is { } lan)
        {
            asked.Add(LanAsync(lan, ct));
        }

        if (observers.Outside is { } outside)
        {
            asked.Add(OutsideAsync(outside, ct));
        }

        return [.. await Task.WhenAll(asked)];
    }

    private async Task<Finding> RouterAsync(RouterObserver asked, CancellationToken ct)
    {
        var (reply, problem) = await asked.LearnAsync(ct);
        return reply switch
        {
            null => Finding.Fail("router command", $"{observe.Command[0]} tells nothing: {problem}", RouteAdvice.ForObserver()),
            { State: ProbeOutcome.Lost } => Finding.Warn("router command", "it says that it does not know", RouteAdvice.ForObserver()),
            { Outcome: ProbeOutcome.Lost } old => Finding.Fail("router command", $"what it says is {old.Age.TotalSeconds:0} s old: more than 30 s counts as nothing", "let it ask the router itself"),
            { } told => Finding.Ok("router command", $"says {(told.State == ProbeOutcome.Answered ? "up" : "down")}{(told.Address is { } address ? $", the primary's address is {address}" : "")}"),
        };
    }

    private async Task<Finding> LanAsync(LanObserver asked, CancellationToken ct) => await asked.AskAsync(LanLimit, ct) switch
    {
        ProbeOutcome.Authenticated => Finding.Ok("lan relay", $"{observe.Lan} reaches a witness that proves its name; that it goes by the primary, its own routes must say"),
        ProbeOutcome.Refuted => Finding.Warn("lan relay", $"{observe.Lan} answers and does not reach the world: the primary is down, or the box is not let out", "try there: curl https://one.one.one.one"),
        _ => Finding.Fail("lan relay", $"{observe.Lan} does not serve SOCKS 5 without a password to this machine", "on the box, for one: microsocks -p 1080 (or danted), open to this machine's address only"),
    };

    private static async Task<Finding> OutsideAsync(OutsideObserver asked, CancellationToken ct) => await asked.AskAsync(ct) switch
    {
        ProbeOutcome.Answered => Finding.Ok("outside", "the primary's public address answers or refuses there"),
        ProbeOutcome.Unknown => Finding.Warn("outside", "the address is not known: the command prints none", "let the command print it as its third word, or write it in observe.outside"),
        _ => Finding.Warn("outside", "nobody answers at the primary's public address", "let the router refuse (reject) that port from the world, or choose one that it answers; it only helps, the others decide"),
    };
}
