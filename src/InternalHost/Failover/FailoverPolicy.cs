using Common;
using InternalHost.Cloud;

namespace InternalHost.Failover;

/// <summary>The numbers of the controller. Those without a default are the owner's.</summary>
/// <param name="TellAfter">Outages shorter than this stay silent.</param>
/// <param name="Linger">The VM is kept this long after the last session ended.</param>
public sealed record FailoverPolicy(TimeSpan TellAfter, TimeSpan Linger, TimeSpan? MaxUptime, Lifecycle Lifecycle, bool HasAgent)
{
    /// <summary>Not open after this long: the owner is told why.</summary>
    public TimeSpan StuckAfter { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>An SSH server inside that is restarted by an upgrade is no news.</summary>
    public TimeSpan InnerSshGrace { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>In Standby the VM is looked at this often over a working primary: the owner may have pressed Start.</summary>
    public TimeSpan SummonEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The same over the metered backup: 17 MB a month.</summary>
    public TimeSpan SummonEveryOverBackup { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>What the owner stopped in the provider's app stays closed.</summary>
    public TimeSpan StayClosed { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan DescribeWhileChanging { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan DescribeWhileConnecting { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A provider may answer with an older picture for this long after a newer one.</summary>
    public TimeSpan PicturesLag { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Often enough to see that the VM moved or stopped by itself, rarely enough for a metered link.</summary>
    public TimeSpan DescribeWhileServing { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan AskWhileServing { get; init; } = TimeSpan.FromSeconds(15);

    public TimeSpan AskWhileDraining { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A start or stop that the provider accepted is given this long before it is asked again.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A question without an answer counts as unanswered after this.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>A drain that the agent agreed to holds this long (it lifts it itself after 10 min).</summary>
    public TimeSpan DrainHolds { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>An unneeded VM that cannot be asked or stopped is told after this.</summary>
    public TimeSpan StopFailingAfter { get; init; } = TimeSpan.FromMinutes(15);

    public Backoff CloudRetry { get; init; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));

    /// <summary>Refused by the provider: told, and tried at the pace of a person mending it.</summary>
    public Backoff DeniedRetry { get; init; } = new(TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5));
}
