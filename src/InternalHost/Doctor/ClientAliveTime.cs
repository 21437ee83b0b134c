using Common;
using InternalHost.Cloud.Local;

namespace InternalHost.Doctor;

/// <summary>
/// How long an sshd really keeps the ports of a client that is gone. The manual says interval x count; the source says otherwise, and
/// not the same in all versions. Pure.
/// </summary>
/// <remarks>
/// serverloop.c of 9.2 to 9.4 compares <c>now &gt; last + interval</c> by clocks of whole seconds, so every second look is skipped:
/// 2·I·(C+1), measured. Mended upstream after 9.4; 9.6 has <c>&gt;=</c>: I·(C+1). Other versions were not looked at: one or the other.
/// </remarks>
/// <param name="Least">The two are equal where the version is known.</param>
[PureCore]
internal sealed record ClientAliveTime(TimeSpan Least, TimeSpan Most)
{
    private static readonly OpenSshVersion SlowFrom = new(9, 2);
    private static readonly OpenSshVersion SlowTo = new(9, 4);
    private static readonly OpenSshVersion MendedFrom = new(9, 6);

    /// <param name="banner">Its greeting: <c>SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10</c>.</param>
    /// <returns>Null: not OpenSSH, or ClientAlive is off.</returns>
    public static ClientAliveTime? Of(string banner, TimeSpan interval, int countMax)
    {
        if (OpenSshVersion.Parse(banner) is not { } version || interval <= TimeSpan.Zero || countMax < 0)
        {
            return null;
        }

        var source = interval * (countMax + 1);
        return version >= MendedFrom ? new(source, source)
            : version >= SlowFrom && version <= SlowTo ? new(source * 2, source * 2)
            : new(source, source * 2);
    }

    public override string ToString() => Least == Most ? $"{Least.TotalSeconds:0} s" : $"{Least.TotalSeconds:0} to {Most.TotalSeconds:0} s";
}
