using Common.Alerts;
using InternalHost.Cloud;
using InternalHost.Failover;
using InternalHost.Wan.Detection;

namespace InternalHost.Simulation;

/// <summary>
/// The parts of the daemon that a test may exchange for one with a mistake in it, to see that the invariants find it. The product uses
/// them as they are.
/// </summary>
internal sealed record Parts
{
    public static readonly Parts Real = new();

    public Func<World, ICloud, ICloud> Cloud { get; init; } = (_, cloud) => cloud;

    public Func<World, IFailoverEffects, IFailoverEffects> Effects { get; init; } = (_, effects) => effects;

    public Func<World, IWayIn, IWayIn> WayIn { get; init; } = (_, wayIn) => wayIn;

    public Func<FailoverState, FailoverEvent, FailoverPolicy, FailoverStep> Controller { get; init; } = FailoverMachine.Advance;

    public Func<Delivery, DeliveryEvent, DeliveryPolicy, DeliveryStep> Delivery { get; init; } = DeliveryMachine.Advance;

    public Func<TimeProvider, TimeProvider> Clock { get; init; } = time => time;

    /// <summary>What each uplink's detector looks at.</summary>
    public Func<DetectorOptions, DetectorOptions> Detector { get; init; } = options => options;

    /// <summary>What the controller is told of an uplink whose verdict has changed.</summary>
    public Func<UplinkName, Verdict, Usable, Usable> Told { get; init; } = (_, _, usable) => usable;

    /// <summary>What a tunnel in this state is said to be.</summary>
    public Func<SimulatedTunnel, bool> SaysUp { get; init; } = tunnel => tunnel.IsUp;
}
