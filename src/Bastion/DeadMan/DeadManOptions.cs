namespace Bastion.DeadMan;

/// <summary>Where it is left out of the settings there is no dead man: a bastion that is always on must never switch itself off.</summary>
/// <param name="After">Nobody for this long.</param>
/// <param name="Command">Switches the machine off; null: the request file of the path unit.</param>
internal sealed record DeadManOptions(TimeSpan After, string RequestFile, string? Command)
{
    public static readonly TimeSpan DefaultAfter = TimeSpan.FromMinutes(20);

    /// <summary>An owner who starts the VM in the provider's app must be given the time to be joined.</summary>
    public static readonly TimeSpan ShortestAfter = TimeSpan.FromMinutes(15);

    public static readonly TimeSpan LongestAfter = TimeSpan.FromDays(7);

    public TimeSpan LookEvery { get; init; } = TimeSpan.FromSeconds(5);
}
