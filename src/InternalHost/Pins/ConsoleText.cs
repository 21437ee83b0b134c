using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Common;
using Common.Configuration;
using Common.Logins;

namespace InternalHost.Pins;

/// <summary>Why a console names no host key.</summary>
internal enum ConsoleProblem
{
    None = 0,

    /// <summary>Nothing was written yet: it takes minutes after a first boot.</summary>
    Silent = 1,

    /// <summary>It boots, or its image does not show host keys.</summary>
    NoBlock = 2,

    /// <summary>A block has begun and has no end: it is being written, or fell out of the last 64 kB.</summary>
    CutOff = 3,

    /// <summary>A whole block that holds no key that can be read.</summary>
    Garbled = 4,
}

/// <summary>What a machine's serial console says of its host keys.</summary>
/// <param name="Keys"><c>ssh-ed25519 AAAA...</c>; empty where only fingerprints are shown.</param>
/// <param name="Fingerprints"><c>SHA256:...</c> of the keys, or as they are shown.</param>
/// <param name="LaterCut">A later block has begun and has no end: another may come.</param>
internal sealed record ConsoleKeys(ImmutableArray<string> Keys, ImmutableArray<string> Fingerprints, ConsoleProblem Problem, bool LaterCut = false);

/// <summary>
/// Reads the host keys that cloud-init shows on the serial console. The last whole block counts, whatever stood before: a machine
/// that booted twice shows two.
/// </summary>
/// <remarks>
/// <code>
/// &lt;14&gt;Nov 22 02:33:06 ec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----
/// &lt;14&gt;Nov 22 02:33:06 ec2: 256 SHA256:Jq3w... root@ip-10-0-0-5 (ED25519)
/// &lt;14&gt;Nov 22 02:33:06 ec2: -----END SSH HOST KEY FINGERPRINTS-----
/// -----BEGIN SSH HOST KEY KEYS-----
/// ssh-ed25519 AAAA... root@ip-10-0-0-5
/// -----END SSH HOST KEY KEYS-----
/// </code>
/// Who can write to the console (a start script that echoes) can also write a block: so nothing read here is pinned unless the machine
/// itself proves it to have that key (<see cref="FirstPin"/>).
/// </remarks>
[PureCore]
internal static partial class ConsoleText
{
    /// <summary>EC2 keeps 64 kB; other providers' commands may give more.</summary>
    private const int LongestText = 1024 * 1024;
    private const int LongestLine = 16 * 1024;
    private const int MostKeys = 16;
    private const string Begin = "-----BEGIN SSH HOST KEY ";
    private const string End = "-----END SSH HOST KEY ";

    public static ConsoleKeys Read(string? output)
    {
        if (string.IsNullOrWhiteSpace(output))
        {
            return Nothing(ConsoleProblem.Silent);
        }

        var (keys, fingerprints) = (new Block("KEYS-----"), new Block("FINGERPRINTS-----"));
        var number = 0;
        foreach (var raw in output.AsSpan(Math.Max(0, output.Length - LongestText)).EnumerateLines())
        {
            number++;
            if (raw.Length <= LongestLine)
            {
                var line = Content(raw.ToString());
                keys.Take(line, number);
                fingerprints.Take(line, number);
            }
        }

        return Choose(keys, fingerprints);
    }

    /// <summary>The whole keys, unless fingerprints that are none of theirs were shown after them.</summary>
    private static ConsoleKeys Choose(Block keys, Block fingerprints)
    {
        var whole = Good(keys.Whole, line => PersonalValues.PublicKey(line).Value);
        var shown = Good(fingerprints.Whole, FingerprintIn);
        var ofKeys = whole.Select(HostKey.Fingerprint).ToImmutableArray();
        var cut = keys.Open || fingerprints.Open;
        return (whole, shown) switch
        {
            ([_, ..], _) when fingerprints.EndedAt < keys.EndedAt || shown.IsEmpty || shown.Intersect(ofKeys).Any() => new(whole, ofKeys, ConsoleProblem.None, cut),
            (_, [_, ..]) => new([], shown, ConsoleProblem.None, cut),
            _ when keys.EndedAt > 0 || fingerprints.EndedAt > 0 => Nothing(ConsoleProblem.Garbled),
            _ => Nothing(cut ? ConsoleProblem.CutOff : ConsoleProblem.NoBlock),
        };
    }

    private static ImmutableArray<string> Good(ImmutableArray<string> lines, Func<string, string?> read) =>
        lines.Select(read).OfType<string>().Distinct(StringComparer.Ordinal).ToImmutableArray() is { Length: <= MostKeys } few ? few : [];

    private static string? FingerprintIn(string line) => line.Split(' ').FirstOrDefault(word => PersonalValues.Fingerprint(word).Problem is null);

    private static ConsoleKeys Nothing(ConsoleProblem problem) => new([], [], problem);

    /// <summary>Without colours, control characters and what loggers write before a line.</summary>
    private static string Content(string line)
    {
        var plain = new string([.. Colours().Replace(line, "").Where(c => !char.IsControl(c))]).Trim();
        return plain[Prefix().Match(plain).Length..].Trim();
    }

    /// <summary>ECMA-48: ESC [, parameters, one final letter.</summary>
    [GeneratedRegex(@"\x1B\[[0-?]{0,32}[ -/]{0,8}[@-~]", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Colours();

    /// <summary>Syslog's priority, the kernel's seconds, a time, a host, a program: <c>&lt;14&gt;Nov 22 02:33:06 ec2: </c>. Nothing else: a shell's <c>+ echo</c> is none.</summary>
    [GeneratedRegex(
        @"^(<\d{1,3}>)?\s?(\[ {0,8}\d{1,9}\.\d{1,6}\] )?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d |\d{4}-\d\d-\d\dT[\d:.,+Z-]{1,32} )?(([\w.-]{1,64} )?[\w.-]{1,64}(\[\d{1,9}\])?: )?",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Prefix();

    /// <summary>The last whole block of one form.</summary>
    private sealed class Block(string form)
    {
        private List<string>? _lines;   // null: none is open

        public ImmutableArray<string> Whole { get; private set; } = [];

        /// <summary>The line number of its end; 0: there is none.</summary>
        public int EndedAt { get; private set; }

        public bool Open => _lines is not null;

        public void Take(string line, int number)
        {
            if (line == Begin + form)
            {
                _lines = [];
            }
            else if (line == End + form && _lines is { } whole)
            {
                (Whole, EndedAt, _lines) = ([.. whole], number, null);
            }
            else if (_lines?.Count < 10 * MostKeys)
            {
                _lines.Add(line);
            }
        }
    }
}
