using Common.Time;

namespace InternalHost.Wan.Detection;

/// <summary>What the detector thinks from <paramref name="At"/> on.</summary>
internal readonly record struct Verdict(Instant At, UplinkState State, Usable Usable, string Reason);

/// <summary>Why an uplink is in its state; the words appear in status, replay and alerts.</summary>
internal static class Reasons
{
    public const string Start = "start";

    /// <summary>Answers came, and one proved its name.</summary>
    public const string Answered = "answered";

    /// <summary>A first probe was missed; nothing is decided yet.</summary>
    public const string Missed = "missed";
    public const string Dark = "dark";
    public const string Carrier = "carrier";
    public const string NoPath = "no_path";
    public const string IspOnly = "isp_only";
    public const string Walled = "walled";
    public const string Degraded = "degraded";
    public const string Recovered = "recovered";
    public const string BothDark = "both_dark";
    public const string NeverUp = "never_up";

    /// <summary>Our own timers ran late: no verdict on others.</summary>
    public const string Late = "late";

    /// <summary>Its public address is the other uplink's: a router fell over by itself, and this uplink is dead.</summary>
    public const string Egress = "egress";

    /// <summary>Somebody answered in the place of the world: a portal, or a resolver that lies.</summary>
    public const string Portal = "portal";
    public const string Hijack = "hijack";

    /// <summary>Round trips far above what this uplink usually takes.</summary>
    public const string Slow = "slow";

    /// <summary>One of the address families that worked no longer does.</summary>
    public const string FamilyLost = "family_lost";

    /// <summary>Wiring C: what observes the primary says that it is down.</summary>
    public const string Observed = "observed";

    /// <summary>Wiring D: nobody watches it.</summary>
    public const string NotWatched = "not_watched";

    /// <summary>The prober told nothing at all: no data is never "up".</summary>
    public const string Silent = "silent";
}

/// <summary>What one detector lets the other know of its uplink.</summary>
/// <param name="LastAnswered">Send time of its last answered probe; null: none yet.</param>
/// <param name="FirstMiss">Send time of its first miss since then; null: none.</param>
/// <param name="Losses">Misses since its last answer.</param>
/// <param name="LeavesByUs">Its public address was found to be the one of the uplink that is told.</param>
internal readonly record struct OtherUplink(Instant? LastAnswered, Instant? FirstMiss, int Losses, bool LeavesByUs = false);

/// <summary>Whether the kernel would let a packet out by this uplink at all.</summary>
internal enum PathState
{
    /// <summary>Could not be found out; treated as present, the witnesses decide.</summary>
    Unknown = 0,
    Present = 1,
    Absent = 2,
}
