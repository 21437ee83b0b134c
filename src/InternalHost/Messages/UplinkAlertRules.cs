using System.Collections.Immutable;
using Common;
using Common.Time;
using InternalHost.Wan.Detection;

namespace InternalHost.Messages;

/// <summary>
/// When the owner is told that an uplink is in trouble although no outage is on (I11). Each trouble has to last before it is told, is told
/// once, and at most once in six hours; one that still lasts when those are over is told then. Only of the backup is the end told too.
/// </summary>
[PureCore]
internal static class UplinkAlertRules
{
    public static readonly TimeSpan AtMostEvery = TimeSpan.FromHours(6);

    /// <summary>What was told is over after this long without it. At rest the backup is asked every five minutes: that is two answers.</summary>
    public static readonly TimeSpan OverAfter = TimeSpan.FromMinutes(10);

    public static readonly ImmutableArray<TroubleWatch> Fresh =
    [
        new(UplinkTrouble.PrimaryNeverUp),
        new(UplinkTrouble.PrimarySilent),
        new(UplinkTrouble.PrimaryDegraded),
        new(UplinkTrouble.BackupUnusable),
    ];

    private enum Evidence
    {
        /// <summary>Says nothing for or against: what was seen before stands.</summary>
        None = 0,
        Bad = 1,
        Well = 2,
    }

    /// <summary>How long a trouble lasts before it is told.</summary>
    public static TimeSpan Lasting(UplinkTrouble trouble) => trouble switch
    {
        UplinkTrouble.PrimarySilent => TimeSpan.FromMinutes(1),
        UplinkTrouble.PrimaryDegraded => TimeSpan.FromMinutes(30),
        _ => TimeSpan.FromMinutes(10),
    };

    public static (ImmutableArray<TroubleWatch> Next, ImmutableArray<UplinkNews> News) Advance(ImmutableArray<TroubleWatch> watches, in UplinkSight sight)
    {
        var next = ImmutableArray.CreateBuilder<TroubleWatch>(watches.Length);
        var news = ImmutableArray.CreateBuilder<UplinkNews>();
        foreach (var before in watches)
        {
            var (watch, told) = Advance(before, sight);
            next.Add(watch);
            if (told is { } one)
            {
                news.Add(one);
            }
        }

        return (next.MoveToImmutable(), news.ToImmutable());
    }

    private static (TroubleWatch Next, UplinkNews? News) Advance(TroubleWatch before, in UplinkSight sight)
    {
        var watch = before.ToldAt is { } told && sight.At - told >= AtMostEvery ? before with { ToldAt = null } : before;
        if (sight.InOutage)
        {
            // What lasts beyond it is counted from its end.
            return (watch with { Since = null, WellSince = null }, null);
        }

        var (evidence, reason) = See(watch.Trouble, sight.Primary, sight.Backup);
        return evidence switch
        {
            Evidence.Bad => Bad(watch with { Since = watch.Since ?? sight.At, WellSince = null }, sight.At, reason),
            Evidence.Well when watch.Told => Well(watch with { WellSince = watch.WellSince ?? sight.At }, sight.At, reason),
            Evidence.Well => (watch with { Since = null }, null),
            _ => (watch with { WellSince = null }, null),
        };
    }

    private static (TroubleWatch Next, UplinkNews? News) Bad(TroubleWatch watch, Instant at, string reason)
    {
        if (watch.Told || watch.ToldAt is not null || watch.Since is not { } since || at - since < Lasting(watch.Trouble))
        {
            return (watch, null);
        }

        var told = watch with { Told = true, ToldAt = at, Episode = watch.Episode + 1 };
        return (told, new UplinkNews(told.Trouble, told.Episode, since, reason, Over: false));
    }

    private static (TroubleWatch Next, UplinkNews? News) Well(TroubleWatch watch, Instant at, string reason)
    {
        if (watch.WellSince is not { } since || at - since < OverAfter)
        {
            return (watch, null);
        }

        var over = watch with { Told = false, Since = null, WellSince = null };
        return (over, watch.Trouble == UplinkTrouble.BackupUnusable ? new UplinkNews(watch.Trouble, watch.Episode, since, reason, Over: true) : null);
    }

    private static (Evidence Evidence, string Reason) See(UplinkTrouble trouble, UplinkReport primary, UplinkReport backup) => trouble switch
    {
        UplinkTrouble.BackupUnusable => (Of(backup), backup.Reason),
        _ when primary.Reason == Reasons.NotWatched => (Evidence.None, primary.Reason),
        UplinkTrouble.PrimaryNeverUp => (NeverUp(primary), primary.Reason),
        UplinkTrouble.PrimarySilent => (Silent(primary), primary.Reason),
        _ => (Degraded(primary), primary.Reason),
    };

    /// <summary>A fault that is ours, or a detector that has only begun, is nothing against the backup.</summary>
    private static Evidence Of(UplinkReport backup) => backup switch
    {
        { Usable: Usable.Yes } => Evidence.Well,
        { State: UplinkState.LocalFault } or { State: UplinkState.Unknown, Reason: Reasons.Start } => Evidence.None,
        _ => Evidence.Bad,
    };

    /// <summary>Never up; or it was only ever seen by the backup's line, which is the same by another name.</summary>
    private static Evidence NeverUp(UplinkReport primary) => primary switch
    {
        { State: UplinkState.Unknown, Reason: Reasons.NeverUp or Reasons.Egress } => Evidence.Bad,
        { State: UplinkState.Unknown } => Evidence.None,
        _ => Evidence.Well,
    };

    private static Evidence Silent(UplinkReport primary) => primary switch
    {
        { Reason: Reasons.Silent } => Evidence.Bad,
        { Reason: Reasons.Start } => Evidence.None,
        _ => Evidence.Well,
    };

    private static Evidence Degraded(UplinkReport primary) => primary.State switch
    {
        UplinkState.Degraded => Evidence.Bad,
        UplinkState.Up => Evidence.Well,
        _ => Evidence.None,
    };
}
