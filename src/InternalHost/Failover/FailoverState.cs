using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.Json.Serialization;
using Common.Time;
using InternalHost.Cloud;
using InternalHost.Wan.Detection;

namespace InternalHost.Failover;

/// <summary>
/// Everything the controller knows. <see cref="Phase"/>, <see cref="Run"/>, <see cref="Outage"/>, <see cref="Orders"/> and
/// <see cref="Outages"/> are journalled; <see cref="Watch"/> is what was last seen and is asked anew after a restart.
/// </summary>
public sealed record FailoverState
{
    public static readonly FailoverState Initial = new();

    public Phase Phase { get; init; } = new Phase.Standby();

    /// <summary>Number of the present round of questions; answers to an older round are dropped.</summary>
    public int Run { get; init; }

    /// <summary>Outages so far, this one included.</summary>
    public int Outages { get; init; }

    public Outage? Outage { get; init; }

    public Orders Orders { get; init; } = new();

    [JsonIgnore]
    public Watch Watch { get; init; } = new();

    /// <summary>True when the two differ in what must survive.</summary>
    public bool DiffersDurably(FailoverState other) =>
        Phase != other.Phase || Run != other.Run || Outages != other.Outages || Outage != other.Outage || Orders != other.Orders;
}

/// <summary>
/// <code>
/// Standby ─▶ Starting ─▶ Connecting ⇄ Serving ⇄ Draining ─▶ Stopping ─▶ Standby
///    └────── summoned: the owner started the VM ──┘   ▲                  │ down again
///                     Starting ◀──────────────────────┴──────────────────┘
/// </code>
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "phase")]
[JsonDerivedType(typeof(Standby), "standby")]
[JsonDerivedType(typeof(Starting), "starting")]
[JsonDerivedType(typeof(Connecting), "connecting")]
[JsonDerivedType(typeof(Serving), "serving")]
[JsonDerivedType(typeof(Draining), "draining")]
[JsonDerivedType(typeof(Stopping), "stopping")]
public abstract record Phase
{
    [JsonIgnore]
    public string Name => GetType().Name;

    /// <summary>Nothing runs on our behalf. With an outage: it waits for a usable backup, or the owner wants it closed.</summary>
    public sealed record Standby : Phase;

    /// <param name="NextStart">When the start may be asked (again), if the instance is then seen stopped; Never while an answer is awaited.</param>
    /// <param name="Failures">Starts refused in a row.</param>
    /// <param name="Accepted">The provider has said yes once in this phase.</param>
    /// <param name="Failure">Why the last start was refused; Unknown when it was not.</param>
    /// <param name="Before">The launch that was over when this start was asked for; empty: there was none; null: not known.</param>
    public sealed record Starting(
        Instant Since, Instant NextStart, int Failures, bool Accepted, CloudFailure Failure = CloudFailure.Unknown, string? Before = null) : Phase;

    /// <summary>The VM runs (or boots) and is dialled.</summary>
    public sealed record Connecting(Instant Since) : Phase;

    /// <summary>Verified, owner told.</summary>
    public sealed record Serving(Instant Since) : Phase;

    /// <summary>No longer needed: waits until nobody is there.</summary>
    /// <param name="EmptySince">Since when nobody was seen there, without a gap in knowing.</param>
    /// <param name="NextDrain">When the agent may be asked to drain (again); Never while an answer is awaited.</param>
    /// <param name="DrainAsked">The agent may be refusing people.</param>
    public sealed record Draining(Instant Since, Instant? EmptySince, Instant NextDrain, bool DrainAsked) : Phase;

    /// <param name="NextStop">When the stop may be asked (again), if the instance is then seen running; Never while an answer is awaited.</param>
    /// <param name="Resumed">Taken up from the journal: nobody knows whether the stop was ever asked.</param>
    /// <param name="Drained">The launch that was found empty (<see cref="InstanceSight.Launch"/>); null: not known.</param>
    public sealed record Stopping(Instant Since, Instant NextStop, int Failures, bool Resumed, string? Drained = null) : Phase;
}

public enum OutageCause
{
    Unknown = 0,
    PrimaryDown = 1,
    Operator = 2,

    /// <summary>The owner started the VM in the provider's own app.</summary>
    Summoned = 3,
    Drill = 4,
}

/// <summary>One time that the way in was needed.</summary>
/// <param name="Number">1, 2, 3 ... over the life of the journal.</param>
/// <param name="Since">When the need was known.</param>
public sealed record Outage(int Number, OutageCause Cause, Instant Since)
{
    private const int Marks = 0x10_0000;

    /// <summary>Drawn at its begin: where the disk did not keep an outage, the next one takes its number again, and is not to be taken for it.</summary>
    public string Mark { get; init; } = "";

    /// <summary>What no other outage is called: <c>36-7f3a2</c>.</summary>
    [JsonIgnore]
    public string Name => Mark.Length == 0 ? Number.ToString(CultureInfo.InvariantCulture) : $"{Number}-{Mark}";

    /// <param name="chance">Uniform in [0, 1).</param>
    public static string MarkOf(double chance) => ((int)(chance * Marks)).ToString("x5", CultureInfo.InvariantCulture);

    /// <summary>When the primary was said to be down; null where it never was.</summary>
    public Instant? DownAt { get; init; }

    /// <summary>When the primary came back; null while it is away.</summary>
    public Instant? BackAt { get; init; }

    /// <summary>First verified tunnel.</summary>
    public Instant? OpenAt { get; init; }

    /// <summary>When the way in was last lost, or first wanted: what STUCK counts from.</summary>
    public Instant ShutSince { get; init; } = Since;

    public int Starts { get; init; }

    /// <summary>Tunnels lost after they had been verified.</summary>
    public int Losses { get; init; }

    public int Logins { get; init; }

    /// <summary>The launch that was last seen running (<see cref="InstanceSight.Launch"/>); null since the last start that we asked for.</summary>
    public string? Launch { get; init; }

    /// <summary>What the tunnel dials.</summary>
    public AddressList Addresses { get; init; } = AddressList.Empty;

    public bool OpenTold { get; init; }

    /// <summary>Something was told: so CLOSED will be.</summary>
    public bool AnyTold { get; init; }

    /// <summary>The reason last told by STUCK, so that it is told once; null: not stuck.</summary>
    public string? StuckTold { get; init; }

    public bool StopFailingTold { get; init; }

    public bool LongUptimeTold { get; init; }

    /// <summary>The agent may still be refusing people from before a restart.</summary>
    public bool MayBeDrained { get; init; }

    /// <summary>Alerts raised in this outage, for their ids.</summary>
    public int Alerts { get; init; }
}

/// <summary>The operator's standing orders; they outrank the detector, expire, and survive a restart.</summary>
public sealed record Orders
{
    public Instant? OpenUntil { get; init; }

    public Instant? ClosedUntil { get; init; }

    /// <summary>Who closed it: <c>operator</c>, or <c>owner</c> in the provider's app.</summary>
    public string? ClosedBy { get; init; }

    public Instant? PausedUntil { get; init; }

    public string? PausedWhy { get; init; }

    /// <summary>A drill was asked for and has not begun.</summary>
    public bool Drill { get; init; }

    /// <summary>Without those that have run out: written down as over, they cannot come back after a power cut with a wrong clock.</summary>
    public Orders At(Instant at)
    {
        var orders = OpenUntil <= at ? this with { OpenUntil = null } : this;
        orders = orders.ClosedUntil <= at ? orders with { ClosedUntil = null, ClosedBy = null } : orders;
        return orders.PausedUntil <= at ? orders with { PausedUntil = null, PausedWhy = null } : orders;
    }

    public bool Open(Instant at) => OpenUntil > at;

    public bool Closed(Instant at) => ClosedUntil > at;

    public bool Paused(Instant at) => PausedUntil > at;
}

/// <summary>What was last seen. Not journalled.</summary>
public sealed record Watch
{
    public Usable Primary { get; init; }

    public Usable Backup { get; init; }

    /// <summary>Null: not seen since the last change that we asked for.</summary>
    public InstanceSight? Instance { get; init; }

    public Instant InstanceAt { get; init; }

    /// <summary>Why the provider's last answer was no answer; null after a good one.</summary>
    public string? CloudTrouble { get; init; }

    public CloudFailure CloudFailure { get; init; }

    public int CloudFailures { get; init; }

    public Instant NextDescribe { get; init; }

    public bool TunnelVerified { get; init; }

    /// <summary>The tunnel was asked for since the program started, at the addresses of the outage.</summary>
    public bool Dialled { get; init; }

    public Tunnel.TunnelFailure? TunnelTrouble { get; init; }

    /// <summary>The host key was other than pinned, and the provider has not confirmed the address since.</summary>
    public bool HostKeyQuestion { get; init; }

    /// <summary>Since when the SSH server inside has not answered; null: it does, or nobody has looked.</summary>
    public Instant? InnerSshDownSince { get; init; }

    public int? Sessions { get; init; }

    public Instant? SessionsAt { get; init; }

    public Instant NextAsk { get; init; }
}

/// <summary>A set of addresses that compares by content.</summary>
[JsonConverter(typeof(AddressListConverter))]
public sealed class AddressList(ImmutableArray<IPAddress> items) : IEquatable<AddressList>
{
    public static readonly AddressList Empty = new([]);

    public ImmutableArray<IPAddress> Items { get; } = items;

    public bool Equals(AddressList? other) => other is not null && Items.SequenceEqual(other.Items);

    public override bool Equals(object? obj) => Equals(obj as AddressList);

    public override int GetHashCode() => Items.Length;

    public override string ToString() => string.Join(' ', Items);
}
