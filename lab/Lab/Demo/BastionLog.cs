using System.Globalization;
using System.Text.RegularExpressions;

namespace Lab.Demo;

/// <summary>What the VM's sshd wrote of a login.</summary>
internal sealed record BastionLogin(DateTimeOffset At, string User, string From)
{
    /// <summary>The last login with this key; null: there was none.</summary>
    public static BastionLogin? LastIn(string sshdLog, string fingerprint) =>
        File.Exists(sshdLog) ? File.ReadLines(sshdLog).Select(l => Parse(l, fingerprint)).LastOrDefault(l => l is not null) : null;

    /// <summary><c>2026-11-21T02:31:07.123456+00:00 home sshd[4711]: Accepted publickey for alice from 192.0.2.66 port 4022 ssh2: ED25519 SHA256:...</c></summary>
    private static BastionLogin? Parse(string line, string fingerprint) =>
        Accepted.Match(line) is { Success: true } m && line.EndsWith(" " + fingerprint, StringComparison.Ordinal)
        && DateTimeOffset.TryParse(m.Groups["at"].Value, CultureInfo.InvariantCulture, out var at)
            ? new BastionLogin(at, m.Groups["user"].Value, m.Groups["from"].Value)
            : null;

    private static readonly Regex Accepted =
        new(@"^(?<at>\S+) \S+ sshd\S*: Accepted publickey for (?<user>\S+) from (?<from>\S+) port \d+ ", RegexOptions.ExplicitCapture, TimeSpan.FromMilliseconds(100));
}
