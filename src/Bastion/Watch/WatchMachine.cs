using System.Collections.Immutable;
using Common;
using Common.Time;

namespace Bastion.Watch;

/// <summary>What is looked at. Null: cannot be told, which changes nothing.</summary>
/// <param name="Drifted">Files of the configuration that are not as they were put, in order.</param>
/// <param name="DiskFree">0 to 1, of the fullest of our disks.</param>
internal sealed record HostReading(ImmutableArray<string>? Drifted, double? DiskFree, bool? ClockSynchronised);

internal enum Trouble
{
    Unknown = 0,
    Drift = 1,
    Disk = 2,
    Clock = 3,
}

/// <param name="Detail">Of drift: the files. Of the disk: how much is free, in per cent.</param>
internal sealed record TroubleFound(Trouble Trouble, string Detail);

/// <param name="Seen">The drift of the last look.</param>
/// <param name="Drift">The drift that was told; another one is told again.</param>
/// <param name="UnsynchronisedSince">Null while the clock is good or not known.</param>
internal sealed record WatchState(string Seen, string Drift, bool DiskTold, bool ClockTold, Instant? UnsynchronisedSince)
{
    public static readonly WatchState Begin = new("", "", false, false, null);
}

/// <summary>Each trouble is told once; it must have gone before it can be told again.</summary>
[PureCore]
internal static class WatchMachine
{
    public const double DiskNearlyFull = 0.10;
    public const double DiskGood = 0.15;

    /// <summary>A clock needs a while after a start.</summary>
    public static readonly TimeSpan ClockPatience = TimeSpan.FromMinutes(15);

    public static (WatchState Next, ImmutableArray<TroubleFound> Found) Advance(WatchState state, HostReading reading, Instant at)
    {
        // Seen by two looks in a row: an installation takes seconds, and writes down what it has done at its end.
        var seen = reading.Drifted is { } files ? string.Join(", ", files) : state.Seen;
        var drift = seen == state.Seen ? seen : state.Drift;
        var full = reading.DiskFree < DiskNearlyFull;
        var since = reading.ClockSynchronised switch { true => null, false => state.UnsynchronisedSince ?? at, null => state.UnsynchronisedSince };
        var late = since is { } began && at - began >= ClockPatience;
        TroubleFound?[] found =
        [
            drift.Length > 0 && drift != state.Drift ? new TroubleFound(Trouble.Drift, drift) : null,
            full && !state.DiskTold ? new TroubleFound(Trouble.Disk, ((int)(reading.DiskFree!.Value * 100)).ToString(System.Globalization.CultureInfo.InvariantCulture)) : null,
            late && !state.ClockTold ? new TroubleFound(Trouble.Clock, "") : null,
        ];
        return (new WatchState(seen, drift, full || (state.DiskTold && !(reading.DiskFree >= DiskGood)), late || (state.ClockTold && since is not null), since), [.. found.OfType<TroubleFound>()]);
    }
}
