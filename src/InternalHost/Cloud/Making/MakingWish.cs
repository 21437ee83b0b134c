using System.Collections.Immutable;

namespace InternalHost.Cloud.Making;

/// <summary>What is to be made, by the configuration and the command line.</summary>
/// <param name="Sizes">Tried in this order where there is no room.</param>
/// <param name="Ports">sshd's, the first one first.</param>
/// <param name="MaintenanceKey">Public, one line: who may enter the machine and administer it.</param>
internal sealed record MakingWish(string Site, string Region, ImmutableArray<string> Sizes, ImmutableArray<int> Ports, string MaintenanceKey)
{
    /// <summary>Of key, firewall, machine and user at the provider.</summary>
    public string Name => $"bastion-{Site}";
}

/// <summary>How long the provider and the machine are given.</summary>
internal sealed record MakingPatience
{
    public TimeSpan LookAgainAfter { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>For one thing to happen: a boot, a console that says its key, a snapshot.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>So many calls may fail for the moment, one after the other.</summary>
    public int Failures { get; init; } = 6;

    /// <summary>What was asked for may be missing from a list for so long; no other is asked for meanwhile.</summary>
    public TimeSpan ListLag { get; init; } = TimeSpan.FromSeconds(20);
}
