using System.Collections.Immutable;
using Common;
using InternalHost.Tunnel;

namespace InternalHost.Control;

/// <summary>What is wrong and what a person can do about it, the most urgent first; empty when nothing is. Pure.</summary>
[PureCore]
public static class StatusAdvice
{
    public static ImmutableArray<string> For(StatusReport report) =>
        [.. Tunnel(report), .. UplinkAdvice.For(report.Uplinks), .. Forwards(report.Tunnel), .. Orders(report.Controller), .. House(report)];

    /// <summary>The reason in words, without the cure.</summary>
    public static string Words(TunnelReason reason) => reason switch
    {
        TunnelReason.Timeout => "no answer on any port",
        TunnelReason.Refused => "connection refused",
        TunnelReason.NoRoute => "no route by the backup",
        TunnelReason.NoBanner => "what answers is not SSH, or stays silent",
        TunnelReason.KexHang => "key exchange hangs",
        TunnelReason.HostKeyChanged => "another host key than the pinned one",
        TunnelReason.Denied => "our key is refused",
        TunnelReason.Booting => "the VM is booting",
        TunnelReason.ForwardBusy => "a port is taken on the bastion",
        TunnelReason.ForwardNotPermitted => "a port is not permitted to us",
        TunnelReason.MuxDisabled => "ssh could not share its connection",
        TunnelReason.ServerAliveTimeout => "the link died",
        TunnelReason.Closed => "closed by the bastion",
        TunnelReason.LoopProbeFailed => "connected, but nothing comes round",
        TunnelReason.ForeignListener => "somebody else answers on our port",
        TunnelReason.NoSshClient => "ssh could not be started",
        TunnelReason.Stopped => "ended by us",
        TunnelReason.Evicted => "another machine uses this site's account",
        _ => "unknown",
    };

    private static IEnumerable<string> Tunnel(StatusReport report)
    {
        if (report.Tunnel.State is "verified" or "busy" or "idle")
        {
            yield break;
        }

        if (report.Tunnel.Reason is { } reason && Cure(reason) is { } cure)
        {
            yield return cure;
        }
    }

    private static string? Cure(TunnelReason reason) => reason switch
    {
        TunnelReason.HostKeyChanged =>
            "The bastion shows another host key. Do not accept a new key on your phone. If you have rebuilt the VM: internalhost pins add KEY, then internalhost reload.",
        TunnelReason.Denied => "The bastion refuses our key: its account (bastion.user) must list the public half of bastion.key. It is tried again by itself.",
        TunnelReason.ForwardNotPermitted => "The bastion must permit our ports: PermitListen for first_forward_port and the 15 that follow.",
        TunnelReason.ForwardBusy => "An older connection or a stranger holds our port on the bastion. It is tried again by itself; look there with: ss -tlnp.",
        TunnelReason.ForeignListener => "Somebody else answers on our port of the bastion: look there with: ss -tlnp. Nothing is called open until that ends.",
        TunnelReason.Evicted =>
            "Another machine logs in to the bastion with this site's key, and each ends the other's tunnel: stop one of them, or give it a site of its own. It is tried every 30 s.",
        TunnelReason.KexHang => "Large packets are lost on the way: lower the MTU of the backup (1280 always works).",
        TunnelReason.NoRoute => "There is no route by the backup: internalhost doctor shows the rule to add.",
        TunnelReason.NoSshClient => "Install openssh-client, then it goes on by itself.",
        TunnelReason.MuxDisabled => "The runtime folder cannot hold ssh's socket: is it full, or its path too long?",
        _ => null,
    };

    private static IEnumerable<string> Forwards(TunnelStatus tunnel) => tunnel.Forwards.Where(f => f.State == "target_down")
        .Select(f => $"{f.Name}: nothing answers at {f.Target}. The tunnel is good; is that service running?");

    private static IEnumerable<string> Orders(ControllerStatus controller)
    {
        if (controller.Hold is "closed" or "paused")
        {
            yield return $"It is {controller.Hold} by order: internalhost resume ends that.";
        }
    }

    private static IEnumerable<string> House(StatusReport report)
    {
        if (report.Alerts.Dead > 0)
        {
            yield return $"{report.Alerts.Dead} messages were not delivered and are given up: journalctl -u internalhost says why.";
        }

        if (!report.Journal.Ok)
        {
            yield return "The state file cannot be written (is the card full or dying?). Outages are still survived, from memory.";
        }

        if (report.Recording is { Ok: false })
        {
            yield return "The probes are not recorded, so internalhost replay will have nothing of this time. Nothing else suffers.";
        }

        if (report.Sessions is { Count: null } && report.Controller.State is "Serving" or "Draining")
        {
            yield return "Nobody can say who is logged in at the bastion, so the VM is not stopped from here.";
        }
    }
}
