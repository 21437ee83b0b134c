using System.Text.RegularExpressions;

namespace InternalHost.Simulation;

/// <summary>What goes wrong, and what people do, in the simulated world. The names are printed in snake_case.</summary>
internal enum FaultKind
{
    Unknown = 0,

    // The primary.
    Blackout,
    OneWay,
    CarrierLoss,
    PppoeGone,
    LeaseLoss,
    IspOnly,
    Portal,
    Hijack,
    EgressFallover,
    Micro,
    Loss,
    Brownout,
    Latency,
    WitnessDead,
    IspDnsDead,
    DnsOperatorsDead,

    // The backup, or both.
    BackupDark,
    BackupMetered,
    BackupSlow,
    BothDark,

    // The machine.
    PowerCut,
    Reboot,
    NewWiring,
    Crash,
    LoopLate,
    WallJump,
    DiskFull,
    DiskReadOnly,

    // The provider.
    ApiUnreachable,
    ApiSlow,
    ApiThrottles,
    ApiLosesRequests,
    ApiLosesReplies,
    ApiStale,
    NoCapacity,
    KeyRefused,
    SlowBoot,
    SlowStop,
    AddressMoved,
    Terminated,

    /// <summary>Its host dies: it is off in one moment, and says no goodbye.</summary>
    HostDied,

    // The VM and the tunnel.
    SshdRefuses,
    SshdSilent,
    SshdLags,
    LoginDenied,
    StrangerAtAddress,
    PortTaken,
    TunnelDropped,
    NatForgot,
    AgentSilent,
    AptBusy,
    InnerSshDown,

    // The SMS gateway.
    GatewayDead,
    GatewayBusy,
    GatewayLosesRequests,
    GatewayLosesReplies,
    GatewayRefuses,
    GatewayNeverConfirms,
    PhoneOff,

    // People: no faults, but they come in between like them.
    PersonLogsIn,
    OwnerStarts,
    OwnerStops,
    OperatorOpens,
    OperatorCloses,
    OperatorPauses,
    OperatorResumes,
    DrillAsked,
}

/// <param name="Level">What it means depends on the kind: a share of loss, a number of seconds, years.</param>
internal sealed record Fault(FaultKind Kind, TimeSpan At, TimeSpan For, double Level = 0)
{
    /// <summary>Lies in wait: <see cref="At"/> counts from the controller's next coming into this one of <see cref="Coverage.Phases"/>. Null: from the scene's begin.</summary>
    public string? In { get; init; }
}

internal static partial class FaultKinds
{
    public static readonly FaultKind[] All = [.. Enum.GetValues<FaultKind>().Where(k => k != FaultKind.Unknown)];

    private static readonly string[] Snakes = [.. Enum.GetValues<FaultKind>().Select(k => Humps().Replace(k.ToString(), "_$0").ToLowerInvariant())];

    public static string Snake(this FaultKind kind) => Snakes[(int)kind];

    /// <summary>What people do is no fault.</summary>
    public static bool IsFault(this FaultKind kind) => kind < FaultKind.PersonLogsIn;

    [GeneratedRegex("(?<!^)[A-Z]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Humps();
}
