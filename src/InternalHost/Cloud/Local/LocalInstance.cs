using System.Collections.Immutable;
using System.Net;
using Common.Time;

namespace InternalHost.Cloud.Local;

/// <summary>The one instance of a local cloud.</summary>
/// <param name="Launch">How many times it was started; 0: never.</param>
/// <param name="Place">Which of the configured addresses it has.</param>
internal abstract record LocalInstance(int Launch, int Place)
{
    public sealed record Stopped(int Launch, int Place, bool ByOwner = false) : LocalInstance(Launch, Place);

    public sealed record Pending(int Launch, int Place, Instant RunningAt, Instant BootedAt) : LocalInstance(Launch, Place);

    /// <summary>The provider says running; sshd does not listen yet.</summary>
    public sealed record Booting(int Launch, int Place, Instant BootedAt, Instant AddressAt) : LocalInstance(Launch, Place);

    public sealed record Up(int Launch, int Place, Instant AddressAt, Instant StopsAt) : LocalInstance(Launch, Place);

    /// <summary>Stopped when everything has ended and the time is over.</summary>
    public sealed record Stopping(int Launch, int Place, Cause By, Instant StoppedAt, bool AllEnded = false) : LocalInstance(Launch, Place);

    /// <summary>When this state changes by itself.</summary>
    public Instant Wake => this switch
    {
        Pending s => s.RunningAt,
        Booting s => s.BootedAt,
        Up s => s.StopsAt,
        Stopping { AllEnded: true } s => s.StoppedAt,
        _ => Instant.Never,
    };

    /// <summary>What the provider says of it.</summary>
    public InstanceSight Seen(string id, ImmutableArray<ImmutableArray<IPAddress>> addresses, Instant at) => this switch
    {
        Stopped s => new(id, InstanceState.Stopped, [], s.ByOwner, LaunchId),
        Pending => new(id, InstanceState.Pending, [], LaunchId: LaunchId),
        Booting s => new(id, InstanceState.Running, at >= s.AddressAt ? addresses[Place] : [], LaunchId: LaunchId),
        Up s => new(id, InstanceState.Running, at >= s.AddressAt ? addresses[Place] : [], LaunchId: LaunchId),
        _ => new(id, InstanceState.Stopping, [], LaunchId: LaunchId),
    };

    public string? LaunchId => Launch == 0 ? null : Name(Launch);

    public static string Name(int launch) => $"launch-{launch}";
}

/// <summary>Who made a thing happen.</summary>
internal enum Cause
{
    Unknown = 0,

    /// <summary>A call of the API.</summary>
    Api = 1,

    /// <summary>The owner, in the provider's app.</summary>
    Owner = 2,

    /// <summary>The instance, or the provider.</summary>
    Itself = 3,
}

internal abstract record LocalInstanceEvent(Instant At)
{
    public sealed record StartAsked(Instant At, Cause By) : LocalInstanceEvent(At);

    public sealed record StopAsked(Instant At, Cause By) : LocalInstanceEvent(At);

    /// <summary>The instance's address is changed while it runs.</summary>
    public sealed record MoveAsked(Instant At) : LocalInstanceEvent(At);

    public sealed record ModesChanged(Instant At) : LocalInstanceEvent(At);

    /// <summary>No process of this launch is left.</summary>
    public sealed record Ended(Instant At, int Launch) : LocalInstanceEvent(At);

    public sealed record Tick(Instant At) : LocalInstanceEvent(At);
}

internal abstract record LocalInstanceEffect(int Launch, int Place)
{
    /// <summary>The ports answer as a booting VM's do.</summary>
    public sealed record HoldPorts(int Launch, int Place) : LocalInstanceEffect(Launch, Place);

    /// <summary>sshd and agent are started.</summary>
    public sealed record Boot(int Launch, int Place) : LocalInstanceEffect(Launch, Place);

    /// <summary>Every connection to the old address is gone; sshd listens on the new one.</summary>
    public sealed record Move(int Launch, int Place) : LocalInstanceEffect(Launch, Place);

    /// <summary>Power off: sshd, every session, the agent. Answered by <see cref="LocalInstanceEvent.Ended"/>.</summary>
    public sealed record End(int Launch, int Place) : LocalInstanceEffect(Launch, Place);

    /// <summary>A transition that really happened, for the provider's log.</summary>
    public sealed record Record(int Launch, int Place, string Event, Cause By) : LocalInstanceEffect(Launch, Place);
}
