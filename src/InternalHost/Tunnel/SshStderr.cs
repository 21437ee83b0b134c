using System.Text;
using Common;

namespace InternalHost.Tunnel;

/// <summary>How far one connection has come. Numbers rise with it.</summary>
internal enum SshPhase
{
    Unknown = 0,
    Starting = 1,
    KeyExchange = 2,
    Authenticating = 3,

    /// <summary>The login is through.</summary>
    Authenticated = 4,

    /// <summary>The control socket answers: forwards can be asked for. Only the transport knows.</summary>
    Connected = 5,
}

/// <summary>
/// What ssh's own words mean. Exit status 255 is both "link lost" and "refused", so the lines decide, read together with the phase.
/// Samples captured from real clients lie in tests/InternalHost.Tests/Tunnel/samples.
/// </summary>
[PureCore]
internal static class SshStderr
{
    private const int DetailCap = 200;
    private const string Offered = "it offers ";

    /// <summary>Before the login is through. First match in this order wins, not the first line.</summary>
    private static readonly (string Words, TunnelReason Reason)[] Refusals =
    [
        ("Host key verification failed", TunnelReason.HostKeyChanged),
        ("REMOTE HOST IDENTIFICATION HAS CHANGED", TunnelReason.HostKeyChanged),
        ("REVOKED HOST KEY", TunnelReason.HostKeyChanged),
        ("host key is known for", TunnelReason.HostKeyChanged),
        ("no matching host key type found", TunnelReason.HostKeyChanged),
        ("disabling multiplexing", TunnelReason.MuxDisabled),
        ("too long for Unix domain socket", TunnelReason.MuxDisabled),
        ("muxserver_listen", TunnelReason.MuxDisabled),
        ("unix_listener", TunnelReason.MuxDisabled),
        ("pam_nologin", TunnelReason.Booting),
        ("System is booting up", TunnelReason.Booting),
        ("System is going down", TunnelReason.Booting),
        ("Permission denied (", TunnelReason.Denied),
        ("Too many authentication failures", TunnelReason.Denied),
        ("Unable to negotiate with", TunnelReason.Denied),
        ("did not pass back a connection", TunnelReason.NoSshClient),
        ("Bad configuration option", TunnelReason.NoSshClient),
        ("command-line: line ", TunnelReason.NoSshClient),
        ("unknown option -- ", TunnelReason.NoSshClient),
        ("setpriv: ", TunnelReason.NoSshClient),
        ("Connection refused", TunnelReason.Refused),
        ("No route to host", TunnelReason.NoRoute),
        ("Network is unreachable", TunnelReason.NoRoute),
    ];

    /// <summary>What ssh says of the key file goes before the refusal that follows from it.</summary>
    private static readonly string[] KeyTrouble = ["UNPROTECTED PRIVATE KEY FILE", "Load key ", "Identity file "];

    /// <summary>Talk of single channels and of control clients: common in the life of a good connection, never its end.</summary>
    private static readonly string[] ChannelTalk = ["channel ", "connect_to ", "connect ", "mux_", "unix_listener", "Warning: ", "Warning, "];

    private static readonly string[] TimedOut = ["timed out", "Timeout, server"];

    private static readonly string[] Closed =
    [
        "closed by", "Connection reset", "reset by peer", "Broken pipe", "disconnect", "Connection to ", "Connection aborted",
        "Corrupted MAC", "Bad packet length", "Bad protocol", "message authentication code incorrect",
    ];

    /// <summary>The phase after this line.</summary>
    public static SshPhase Advance(SshPhase phase, string line)
    {
        var reached = line switch
        {
            _ when line.StartsWith("Authenticated to ", StringComparison.Ordinal) => SshPhase.Authenticated,
            _ when line.StartsWith("debug1: SSH2_MSG_NEWKEYS received", StringComparison.Ordinal) => SshPhase.Authenticating,
            _ when line.StartsWith("debug1: Remote protocol version", StringComparison.Ordinal) => SshPhase.KeyExchange,
            _ => SshPhase.Unknown,
        };
        return reached > phase ? reached : phase;
    }

    /// <param name="lines">The last lines of stderr, oldest first.</param>
    /// <param name="exitCode">Null: ended by a signal, or by our own deadline.</param>
    public static TunnelFailure Classify(IReadOnlyCollection<string> lines, int? exitCode, SshPhase phase)
    {
        var said = lines.Where(line => !IsNoise(line, phase)).ToList();
        if (phase < SshPhase.Connected && Refusal(said) is { } refusal)
        {
            return refusal;
        }

        if (Find(said, TimedOut) is { } late)
        {
            return new(HangIn(phase), Sanitise(late));
        }

        if (Find(said, Closed) is { } closed)
        {
            return new(TunnelReason.Closed, Sanitise(closed));
        }

        var last = said.Count > 0 ? Sanitise(said[^1]) : "nothing said";
        return exitCode is null
            ? new(TunnelReason.Closed, $"ssh was ended by a signal: {last}")
            : new(phase == SshPhase.Connected ? TunnelReason.Closed : TunnelReason.Unknown, $"ssh ended with status {exitCode}: {last}");
    }

    private static TunnelFailure? Refusal(List<string> said)
    {
        foreach (var (words, reason) in Refusals)
        {
            if (Find(said, words) is { } line)
            {
                return new(reason, Sanitise(Cause(reason, said) ?? line));
            }
        }

        return null;
    }

    /// <summary>What tells more than the refusal itself; null: nothing.</summary>
    private static string? Cause(TunnelReason reason, List<string> said) => reason switch
    {
        TunnelReason.Denied => Find(said, KeyTrouble),
        TunnelReason.HostKeyChanged => said.FirstOrDefault(l => l.StartsWith("SHA256:", StringComparison.Ordinal)) is { } other ? Offered + other.TrimEnd('.') : null,
        _ => null,
    };

    /// <summary>The fingerprint of a host key that is not pinned; null: the failure does not name one.</summary>
    public static string? OfferedKey(TunnelFailure failure) =>
        failure.Reason == TunnelReason.HostKeyChanged && failure.Detail.StartsWith(Offered, StringComparison.Ordinal) ? failure.Detail[Offered.Length..] : null;

    /// <summary>What silence means in this phase.</summary>
    public static TunnelReason HangIn(SshPhase phase) => phase switch
    {
        SshPhase.Connected or SshPhase.Authenticated => TunnelReason.ServerAliveTimeout,
        SshPhase.Authenticating => TunnelReason.Timeout,
        _ => TunnelReason.KexHang,
    };

    /// <summary>
    /// Why "-O forward" was refused. The server gives one answer for all causes; only its debug message, which a client at debug1
    /// prints before the refusal, tells that the port is not permitted rather than taken.
    /// </summary>
    /// <param name="masterLines">What the master wrote since the request.</param>
    /// <param name="muxLines">What the asking client wrote.</param>
    public static TunnelReason ForwardRefusal(IReadOnlyCollection<string> masterLines, IReadOnlyCollection<string> muxLines)
    {
        if (Find(muxLines, "Control socket connect", "No such file or directory", "Broken pipe", "master hello") is not null)
        {
            return TunnelReason.Closed;
        }

        return Find(masterLines, "Remote: port forwarding refused", "Remote: Server has disabled port forwarding", "Remote: Port forwarding disabled") is not null
            ? TunnelReason.ForwardNotPermitted
            : TunnelReason.ForwardBusy;
    }

    /// <summary>One short line that cannot harm a terminal or a log, whoever wrote it.</summary>
    public static string Sanitise(string line)
    {
        var clean = new StringBuilder(Math.Min(line.Length, DetailCap));
        foreach (var c in line.AsSpan().Trim())
        {
            if (clean.Length == DetailCap)
            {
                break;
            }

            clean.Append(c is >= ' ' and <= '~' ? c : '?');
        }

        return clean.ToString();
    }

    /// <summary>Debug lines speak of what is tried, not of what failed; the rest of the noise goes with success too.</summary>
    private static bool IsNoise(string line, SshPhase phase) => line.Length == 0
        || StartsWithAny(line, "debug", "** ", "OpenSSH_", "Authenticated to ", "Transferred: ", "Bytes per second: ", "@@@@")
        || (phase == SshPhase.Connected && StartsWithAny(line, ChannelTalk));

    private static bool StartsWithAny(string line, params ReadOnlySpan<string> beginnings)
    {
        foreach (var beginning in beginnings)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private static string? Find(IEnumerable<string> lines, params ReadOnlySpan<string> anyOf)
    {
        foreach (var line in lines)
        {
            foreach (var words in anyOf)
            {
                if (line.Contains(words, StringComparison.Ordinal))
                {
                    return line;
                }
            }
        }

        return null;
    }
}
