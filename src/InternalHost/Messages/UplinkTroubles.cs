using Common.Time;
using InternalHost.Wan.Detection;

namespace InternalHost.Messages;

/// <summary>What is wrong with an uplink although no outage is on. Stored: numbers are fixed.</summary>
internal enum UplinkTrouble
{
    Unknown = 0,

    /// <summary>The primary was never Up as it is wired now, so it cannot be found down.</summary>
    PrimaryNeverUp = 1,

    /// <summary>Nothing tells of the primary at all.</summary>
    PrimarySilent = 2,

    /// <summary>It works, and not well.</summary>
    PrimaryDegraded = 3,

    /// <summary>The safety net has a hole.</summary>
    BackupUnusable = 4,
}

/// <summary>What the rules are shown, every few seconds.</summary>
/// <param name="InOutage">An outage of the primary is being served: that has texts of its own.</param>
internal readonly record struct UplinkSight(Instant At, UplinkReport Primary, UplinkReport Backup, bool InOutage);

/// <param name="Episode">How often this trouble was told: names the alert, so that raised again it is the same one.</param>
/// <param name="Since">When the trouble was first seen.</param>
/// <param name="Over">It ended.</param>
internal readonly record struct UplinkNews(UplinkTrouble Trouble, int Episode, Instant Since, string Reason, bool Over);

/// <summary>How one trouble stands. <see cref="Episode"/>, <see cref="Told"/> and <see cref="ToldAt"/> are remembered across restarts.</summary>
internal sealed record TroubleWatch(UplinkTrouble Trouble)
{
    /// <summary>How often it was told, ever.</summary>
    public int Episode { get; init; }

    /// <summary>The owner knows of it, and it has not ended.</summary>
    public bool Told { get; init; }

    /// <summary>When it was told last; null: longer ago than anybody minds.</summary>
    public Instant? ToldAt { get; init; }

    /// <summary>Begin of what is seen now; null: nothing is.</summary>
    public Instant? Since { get; init; }

    /// <summary>Since when what was told is not seen any more.</summary>
    public Instant? WellSince { get; init; }

    public bool DiffersDurably(TroubleWatch other) => Episode != other.Episode || Told != other.Told || ToldAt != other.ToldAt;
}
