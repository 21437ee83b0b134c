using System.Collections.Immutable;
using Common;
using InternalHost.Configuration;
using InternalHost.Wan.Detection;

namespace InternalHost.Wan;

/// <summary>By which uplink our own calls leave (cloud, alerts, time), in the order to be tried.</summary>
[PureCore]
internal static class WayOut
{
    /// <summary>
    /// The backup while the primary is not usable; else whichever is verified, the primary first. While nothing is verified both, so that
    /// an alert can still try: the metered backup last, unless the primary is known to be unusable.
    /// </summary>
    public static ImmutableArray<UplinkName> Choose(Usable primary, Usable backup) => (primary, backup) switch
    {
        (Usable.Yes, Usable.Yes) => [UplinkName.Primary, UplinkName.Backup],
        (Usable.Yes, _) => [UplinkName.Primary],
        (_, Usable.Yes) => [UplinkName.Backup],
        (Usable.No, Usable.Unknown) => [UplinkName.Backup],
        (Usable.No, _) => [UplinkName.Backup, UplinkName.Primary],
        _ => [UplinkName.Primary, UplinkName.Backup],
    };

    /// <summary>The same as uplinks, read anew at each call. Where nothing of ours can leave by the primary (wirings C and D) it is the backup.</summary>
    public static Func<ImmutableArray<UplinkOptions>> Route(UplinkOptions primary, UplinkOptions backup, Func<Usable> primaryUsable, Func<Usable> backupUsable) =>
        () => primary.Carries ? [.. Choose(primaryUsable(), backupUsable()).Select(name => name == UplinkName.Primary ? primary : backup)] : [backup];
}
