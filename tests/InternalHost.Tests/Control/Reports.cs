using InternalHost.Cloud;
using InternalHost.Configuration;
using InternalHost.Control;
using InternalHost.Wan.Detection;
using InternalHost.Wan.Probes;

namespace InternalHost.Tests.Control;

internal static class Reports
{
    public static readonly StatusReport Calm = new(
        "0.1.0",
        "home",
        new DateTimeOffset(2026, 11, 21, 2, 14, 0, TimeSpan.Zero),
        new ClockStatus(true, "kernel"),
        new UplinksStatus(new UplinkStatus(UplinkState.Up, Usable.Yes, 266_000, "start"), new UplinkStatus(UplinkState.Up, Usable.Yes, 9_000, null)),
        new ControllerStatus("Standby", null, 266_000, null, new OrdersStatus(), null),
        new VmStatus(InstanceState.Stopped, null, 31.4),
        new TunnelStatus("idle", null, null, null, null, null, []),
        new SessionsStatus(null, null),
        new AlertsStatus(0, 0),
        new JournalStatus(true),
        new BytesStatus(null, null));

    public static readonly StatusReport Serving = Calm with
    {
        Uplinks = new UplinksStatus(new UplinkStatus(UplinkState.Down, Usable.No, 1_500, "dark"), Calm.Uplinks.Backup),
        Controller = new ControllerStatus("Serving", 7, 1_450.2, "PrimaryDown", new OrdersStatus(), null),
        Vm = new VmStatus(InstanceState.Running, "198.51.100.10", 4.2),
        Tunnel = new TunnelStatus("verified", 3.9, null, null, 3, "198.51.100.10:443",
            [new ForwardStatus("ssh", 22001, "127.0.0.1:22", "open"), new ForwardStatus("kvm", 22002, "192.168.1.21:443", "target_down")]),
        Sessions = new SessionsStatus(1, 6),
        Alerts = new AlertsStatus(1, 0),
        Bytes = new BytesStatus(3_214_000, 20_800_000),
    };

    /// <summary>Wiring D, and a recorder without a disk.</summary>
    public static readonly StatusReport Unwatched = Calm with
    {
        Uplinks = new UplinksStatus(
            new UplinkStatus(UplinkState.Unknown, Usable.Unknown, 266_000, Reasons.NotWatched),
            new UplinkStatus(UplinkState.Up, Usable.Yes, 9_000, Reasons.Answered) { PublicAddress = "203.0.113.7", PublicAddressAgeS = 250 })
        { Wiring = Wiring.D },
        Recording = new RecordingStatus(false, "disk full"),
    };
}
