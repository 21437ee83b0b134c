using System.Collections.Immutable;
using System.Net;

namespace InternalHost.Cloud;

/// <summary>
/// Port to whoever runs the bastion's VM. Small on purpose: the controller looks, starts and stops one instance, found by the
/// site's tag. Every call may be repeated: start of what runs and stop of what is stopped do nothing. What a call repeats by itself
/// (a provider that asks to slow down, a picture that is seconds old) is over within the 30 s that the controller waits.
/// </summary>
public interface ICloud
{
    /// <summary>What starting and stopping mean with this provider.</summary>
    Lifecycle Lifecycle { get; }

    /// <summary>The instance with the site's tag as it is now; <see cref="InstanceSight.Absent"/> when there is none.</summary>
    /// <exception cref="CloudException"/>
    Task<InstanceSight> DescribeAsync(CancellationToken ct);

    /// <summary>Asks for the instance to run; what is found with the tag is adopted, never doubled. Returns when accepted, not when running.</summary>
    /// <exception cref="CloudException"/>
    Task StartAsync(CancellationToken ct);

    /// <summary>Asks for the instance to stop. Returns when accepted; that it has stopped is seen by <see cref="DescribeAsync"/>.</summary>
    /// <exception cref="CloudException"/>
    Task StopAsync(CancellationToken ct);
}

public enum Lifecycle
{
    Unknown = 0,

    /// <summary>Start and stop; disk, host key and id stay (EC2, local).</summary>
    StopStart = 1,

    /// <summary>Created from a snapshot, destroyed at the end (DigitalOcean).</summary>
    Snapshot = 2,

    /// <summary>Runs always; start and stop are nothing (static).</summary>
    AlwaysOn = 3,
}

public enum InstanceState
{
    Unknown = 0,
    Absent = 1,
    Stopped = 2,
    Pending = 3,
    Running = 4,
    Stopping = 5,
}

/// <param name="Addresses">Public addresses, both families; empty until the provider has given one.</param>
/// <param name="StoppedByOwner">The provider says that a person stopped it.</param>
/// <param name="LaunchId">Changes with every start, where the provider tells: two starts of one instance are told apart.</param>
public sealed record InstanceSight(
    string? Id,
    InstanceState State,
    ImmutableArray<IPAddress> Addresses,
    bool StoppedByOwner = false,
    string? LaunchId = null)
{
    public static readonly InstanceSight Absent = new(null, InstanceState.Absent, []);

    /// <summary>Tells this run of the machine from its others, as well as the provider lets us.</summary>
    public string? Launch => LaunchId ?? Id;

    public bool Equals(InstanceSight? other) => other is not null && Id == other.Id && State == other.State
        && StoppedByOwner == other.StoppedByOwner && LaunchId == other.LaunchId && Addresses.SequenceEqual(other.Addresses);

    public override int GetHashCode() => HashCode.Combine(Id, State, LaunchId);
}

/// <summary>Why a call to the provider failed, and so what to do about it.</summary>
public enum CloudFailure
{
    Unknown = 0,

    /// <summary>No way to the provider's API now: wait for the uplink.</summary>
    Unreachable = 1,

    /// <summary>The provider had a bad moment, or asks to slow down: try again later.</summary>
    Transient = 2,

    /// <summary>Our credential is refused: the owner must act (start the VM in the provider's app; it is joined).</summary>
    Denied = 3,

    /// <summary>No room for this size in this place: the next in the list, or wait.</summary>
    Capacity = 4,

    /// <summary>There is no instance with the site's tag and this provider cannot make one by itself.</summary>
    NotFound = 5,

    /// <summary>The answer may have been lost: look before repeating.</summary>
    LostReply = 6,
}

public sealed class CloudException(CloudFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    public CloudFailure Failure { get; } = failure;
}
