using System.Collections.Immutable;
using Common;

namespace InternalHost.Cloud.Ec2;

/// <summary>Which of several instances with the site's tag is the site's.</summary>
[PureCore]
internal static class Ec2Choice
{
    /// <summary>Stopped through the API: by us, or by the owner in the console or the app.</summary>
    public const string StoppedByCall = "Client.UserInitiatedShutdown";

    /// <summary>
    /// What runs before what does not; of those that run the one that has run longest, so that a second one started by somebody takes nothing
    /// over; of those that are stopped the one that was used last.
    /// </summary>
    public static (Ec2Instance? Chosen, ImmutableArray<Ec2Instance> Others) Of(IEnumerable<Ec2Instance> all)
    {
        var sorted = all.Where(i => Rank(i.State) < int.MaxValue)
            .OrderBy(i => Rank(i.State))
            .ThenBy(i => Runs(i) ? i.LaunchTime?.UtcTicks ?? long.MaxValue : -(i.LaunchTime?.UtcTicks ?? 0))
            .ThenBy(i => i.InstanceId, StringComparer.Ordinal)
            .ToImmutableArray();
        return sorted.IsEmpty ? (null, []) : (sorted[0], sorted[1..]);
    }

    private static bool Runs(Ec2Instance instance) => instance.State is "running" or "pending";

    private static int Rank(string state) => state switch
    {
        "running" => 0,
        "pending" => 1,
        "stopping" => 2,
        "stopped" => 3,
        _ => int.MaxValue,
    };
}
