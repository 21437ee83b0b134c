using System.Globalization;
using Common;

namespace Bastion.Host;

/// <summary>
/// The sshd that is installed: it refuses to start on a keyword it does not know, so every keyword is written for a version.
/// </summary>
/// <param name="Debian">Built by Debian or Ubuntu, whose patches know <c>DebianBanner</c>.</param>
[PureCore]
internal sealed record OpenSshVersion(int Major, int Minor, bool Debian)
{
    /// <summary>The oldest that is hardened: Ubuntu 22.04 has 8.9. Before 8.5 there is no post-quantum key exchange at all.</summary>
    public static readonly OpenSshVersion Oldest = new(8, 5, false);

    public bool IsAtLeast(int major, int minor) => (Major, Minor).CompareTo((major, minor)) >= 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    /// <summary>
    /// What <c>ssh -V</c> or <c>sshd -V</c> prints (<c>OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026</c>); an sshd that
    /// does not know -V says so first and then prints the same. Null: no version in it.
    /// </summary>
    public static OpenSshVersion? Parse(string text)
    {
        const string banner = "OpenSSH_";
        var at = text.IndexOf(banner, StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        var words = text[(at + banner.Length)..].Split([' ', ',', '\n'], 3);
        var numbers = words[0].Split('p')[0].Split('.');
        return numbers.Length == 2 && Number(numbers[0]) is { } major && Number(numbers[1]) is { } minor
            ? new OpenSshVersion(major, minor, words.Length > 1 && (Is(words[1], "Debian") || Is(words[1], "Ubuntu")))
            : null;
    }

    private static bool Is(string build, string distribution) => build.StartsWith(distribution, StringComparison.Ordinal);

    private static int? Number(string digits) =>
        digits.Length <= 3 && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
