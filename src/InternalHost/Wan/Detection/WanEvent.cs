using Common.Time;

namespace InternalHost.Wan.Detection;

internal enum WanEventKind
{
    Unknown = 0,
    Tick = 1,
    Probed = 2,
    CarrierSeen = 3,
    PathSeen = 4,

    /// <summary>There is a path as before, but by another address of ours or another next hop: what was known of its egress is old.</summary>
    PathMoved = 5,
}

/// <summary>What reaches the loop that owns the detectors. A struct: one a second for years.</summary>
/// <param name="At">When it happened; for a tick, when it was due. The loop sees from it how late it runs.</param>
/// <param name="Flag">CarrierSeen: there is one.</param>
internal readonly record struct WanEvent(
    WanEventKind Kind, Instant At, UplinkName Uplink = UplinkName.Unknown, ProbeResult Result = default, bool Flag = false,
    PathState Path = PathState.Unknown);
