using System.Text.RegularExpressions;
using Common;

namespace InternalHost.Cloud.Local;

/// <summary>Which OpenSSH this is, from what it says of itself: <c>OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19</c>.</summary>
[PureCore]
internal readonly partial record struct OpenSshVersion(int Major, int Minor) : IComparable<OpenSshVersion>
{
    /// <summary>The first with UnusedConnectionTimeout and ChannelTimeout.</summary>
    public static readonly OpenSshVersion KnowsConnectionTimeouts = new(9, 2);

    /// <summary>The first with PerSourcePenalties, and with sshd-session as a program of its own.</summary>
    public static readonly OpenSshVersion KnowsPenalties = new(9, 8);

    /// <summary>The first with sshd-auth.</summary>
    public static readonly OpenSshVersion HasSshdAuth = new(10, 0);

    public static OpenSshVersion? Parse(string text) =>
        Pattern().Match(text) is { Success: true } m ? new(int.Parse(m.Groups["major"].ValueSpan), int.Parse(m.Groups["minor"].ValueSpan)) : null;

    public static bool operator >=(OpenSshVersion a, OpenSshVersion b) => a.CompareTo(b) >= 0;

    public static bool operator <=(OpenSshVersion a, OpenSshVersion b) => a.CompareTo(b) <= 0;

    public static bool operator >(OpenSshVersion a, OpenSshVersion b) => a.CompareTo(b) > 0;

    public static bool operator <(OpenSshVersion a, OpenSshVersion b) => a.CompareTo(b) < 0;

    public int CompareTo(OpenSshVersion other) => (Major, Minor).CompareTo((other.Major, other.Minor));

    [GeneratedRegex(@"OpenSSH_(?<major>\d{1,4})\.(?<minor>\d{1,4})", RegexOptions.CultureInvariant, 100)]
    private static partial Regex Pattern();
}
