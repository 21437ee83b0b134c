using Common;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;

namespace InternalHost.Control;

/// <summary>What a detector's word means for a person, and what he can do. Pure.</summary>
[PureCore]
internal static class UplinkAdvice
{
    public static IEnumerable<string> For(UplinksStatus uplinks)
    {
        if (Primary(uplinks) is { } primary)
        {
            yield return primary;
        }

        // One fault that is ours is told once.
        if (uplinks.Backup.Reason != uplinks.Primary.Reason && Backup(uplinks.Backup) is { } backup)
        {
            yield return backup;
        }

        if (uplinks.Backup.Usable == Usable.No)
        {
            yield return uplinks.Primary.Usable == Usable.No
                ? "Both uplinks are down: nothing can be opened from here. The backup is tried every 5 s."
                : "The backup is down: an outage of the primary now would lock you out.";
        }
    }

    private static string? Primary(UplinksStatus uplinks) => uplinks.Primary switch
    {
        { Reason: Reasons.NotWatched } =>
            "Nothing watches the primary (wiring D): a way in opens only by internalhost open, or when you start the VM in the provider's app.",
        { State: UplinkState.Unknown, Reason: Reasons.NeverUp } =>
            "The primary was never seen up under this configuration, so it cannot be found down: internalhost doctor.",
        { State: UplinkState.Unknown, Reason: Reasons.Egress } =>
            "What should leave by the primary leaves by the backup, so no outage can be seen: internalhost doctor prints the rules to add.",
        { Reason: Reasons.Egress } => "The primary leaves by the backup's provider: the router has fallen over by itself.",
        { Reason: Reasons.Silent } when uplinks.Wiring == Wiring.C =>
            "Nothing tells of the primary, so no outage can be seen: internalhost doctor asks each of uplinks.primary.observe once.",
        { Reason: Reasons.Silent } => "Our own probes tell nothing: journalctl -u internalhost.",
        { State: UplinkState.Degraded } degraded => $"The primary {Lacks(degraded.Reason)}. It counts as up: internalhost open gives a way in all the same.",
        var other => Any("primary", other),
    };

    private static string? Backup(UplinkStatus backup) => backup switch
    {
        { State: UplinkState.Unknown, Reason: Reasons.NeverUp } => "The backup was never seen up under this configuration: internalhost doctor.",
        { Reason: Reasons.Egress } => "The backup leaves by the primary's line, so it would die with it: internalhost doctor prints the rules to add.",
        { Reason: Reasons.Silent } => "Our own probes by the backup tell nothing: journalctl -u internalhost.",
        { State: UplinkState.Degraded } degraded => $"The backup {Lacks(degraded.Reason)}. It can be used.",
        var other => Any("backup", other),
    };

    private static string? Any(string uplink, UplinkStatus status) => status.Reason switch
    {
        Reasons.Carrier => $"The {uplink} has no link: is its modem on, its cable in?",
        Reasons.NoPath => $"There is no route by the {uplink}: internalhost doctor shows the rule to add.",
        Reasons.IspOnly => $"The {uplink} does not get past its provider: only the provider can mend that.",
        Reasons.Portal or Reasons.Walled => $"Somebody else answers by the {uplink}: a sign-in page, or its plan is used up.",
        Reasons.Hijack => $"Names are forged by the {uplink}: a sign-in page, or its plan is used up.",
        Reasons.BothDark => "Both uplinks fell silent in one second: this machine, its cable or its switch is likelier than either line.",
        _ => null,
    };

    private static string Lacks(string? reason) => reason switch
    {
        Reasons.Slow => "is far slower than usual",
        Reasons.FamilyLost => "has lost IPv4 or IPv6",
        Reasons.Hijack => "gets forged name answers",
        Reasons.Portal => "shows a sign-in page",
        _ => "loses packets",
    };
}
