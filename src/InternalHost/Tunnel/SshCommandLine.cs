using System.Collections.Immutable;
using System.Globalization;
using Common;
using InternalHost.Configuration;

namespace InternalHost.Tunnel;

/// <summary>The arguments of every ssh that the tunnel starts. Nothing of the user's or the machine's ssh configuration takes part.</summary>
[PureCore]
internal static class SshCommandLine
{
    /// <summary>Covers banner and key exchange; authentication is bounded by the transport.</summary>
    private const int ConnectTimeoutSeconds = 8;

    /// <summary>One connection that carries everything, and a control socket to ask it for forwards (ssh(1) -M, -S).</summary>
    public static ImmutableArray<string> Master(BastionOptions bastion, string controlPath, string knownHosts, string proxyCommand, string ciphers)
    {
        var (interval, countMax) = KeepAlive(bastion.Profile);
        // -v: only debug1 tells a busy port from one that is not permitted, and how far the key exchange came.
        return ["-M", "-S", Percent(controlPath), "-N", "-T", "-v", "-F", "none", "-i", Percent(bastion.KeyFile),
            .. Options([
                .. OnlyThePinned(bastion, knownHosts),
                .. ByOurKeyAlone,
                ("ControlPersist", "no"),
                ("StreamLocalBindUnlink", "yes"),
                ("ConnectionAttempts", "1"),
                ("ConnectTimeout", Number(ConnectTimeoutSeconds)),
                ("ServerAliveInterval", Number(interval)),
                ("ServerAliveCountMax", Number(countMax)),
                ("TCPKeepAlive", "yes"),
                // Some providers drop packets marked with OpenSSH's own defaults (EF, af21).
                ("IPQoS", "cs0"),
                ("Ciphers", ciphers),
                ("Compression", "no"),
                ("ProxyCommand", proxyCommand),
                ("ProxyUseFdpass", "yes")]),
            "-l", bastion.User, Host(bastion)];
    }

    /// <summary>A login that runs what the account is for (a forced command) and nothing else: input goes there, output comes from there.</summary>
    public static ImmutableArray<string> Command(BastionOptions bastion, string account, string knownHosts, string proxyCommand)
    {
        var (interval, countMax) = KeepAlive(TunnelProfile.Serving);
        return ["-T", "-v", "-F", "none", "-i", Percent(bastion.KeyFile),
            .. Options([
                .. OnlyThePinned(bastion, knownHosts),
                .. ByOurKeyAlone,
                ("ControlPath", "none"),
                ("ClearAllForwardings", "yes"),
                ("ConnectionAttempts", "1"),
                ("ConnectTimeout", Number(ConnectTimeoutSeconds)),
                ("ServerAliveInterval", Number(interval)),
                ("ServerAliveCountMax", Number(countMax)),
                ("IPQoS", "cs0"),
                ("ProxyCommand", proxyCommand),
                ("ProxyUseFdpass", "yes")]),
            "-l", account, Host(bastion)];
    }

    /// <summary>A key exchange and no login: it ends in "Permission denied", and then the host key was a pinned one.</summary>
    public static ImmutableArray<string> Proof(BastionOptions bastion, string knownHosts, string proxyCommand) =>
        // -v: only debug1 tells how far the key exchange came.
        ["-N", "-T", "-v", "-F", "none",
            .. Options([
                .. OnlyThePinned(bastion, knownHosts),
                .. WithoutLogin,
                ("ProxyCommand", proxyCommand),
                ("ProxyUseFdpass", "yes")]),
            "-l", bastion.User, Host(bastion)];

    /// <summary>A key exchange with whoever is there, and no login: the key that signed it is filed in <paramref name="known"/>, an empty file of its own.</summary>
    public static ImmutableArray<string> Offered(BastionOptions bastion, string known, string proxyCommand) =>
        ["-N", "-T", "-F", "none",
            .. Options([
                .. OnlyThePinned(bastion, known).Select(o => o.Key == "StrictHostKeyChecking" ? (o.Key, "accept-new") : o),
                .. WithoutLogin,
                ("HashKnownHosts", "no"),
                ("ProxyCommand", proxyCommand),
                ("ProxyUseFdpass", "yes")]),
            "-l", bastion.User, Host(bastion)];

    private static readonly ImmutableArray<(string Key, string Value)> WithoutLogin =
    [
        ("IdentityFile", "none"),
        ("IdentityAgent", "none"),
        ("PreferredAuthentications", "none"),
        ("ControlPath", "none"),
        ("ConnectionAttempts", "1"),
        ("ConnectTimeout", Number(ConnectTimeoutSeconds)),
        ("IPQoS", "cs0"),
    ];

    /// <summary>What every connection begins with: no key but the pinned ones, under the bastion's own name, and nobody is asked.</summary>
    private static (string Key, string Value)[] OnlyThePinned(BastionOptions bastion, string knownHosts) =>
    [
        ("HostKeyAlias", bastion.HostKeyAlias),
        ("UserKnownHostsFile", Quoted(Percent(knownHosts))),
        ("GlobalKnownHostsFile", "none"),
        ("StrictHostKeyChecking", "yes"),
        ("UpdateHostKeys", "no"),
        ("VerifyHostKeyDNS", "no"),
        ("CheckHostIP", "no"),
        ("BatchMode", "yes"),
    ];

    private static readonly ImmutableArray<(string Key, string Value)> ByOurKeyAlone =
    [
        ("IdentitiesOnly", "yes"),
        ("IdentityAgent", "none"),
        ("PreferredAuthentications", "publickey"),
        ("ForwardAgent", "no"),
        ("ForwardX11", "no"),
        ("PermitLocalCommand", "no"),
    ];

    public static ImmutableArray<string> Check(BastionOptions bastion, string controlPath) => Control(bastion, controlPath, "check");

    public static ImmutableArray<string> Exit(BastionOptions bastion, string controlPath) => Control(bastion, controlPath, "exit");

    public static ImmutableArray<string> Forward(BastionOptions bastion, string controlPath, RemoteForward forward) =>
        Control(bastion, controlPath, "forward", "-R", Listen(forward));

    public static ImmutableArray<string> Cancel(BastionOptions bastion, string controlPath, RemoteForward forward) =>
        Control(bastion, controlPath, "cancel", "-R", Listen(forward));

    /// <summary>A Unix socket here, each connection to which becomes a direct-tcpip channel to the bastion's own 127.0.0.1:<paramref name="port"/>.</summary>
    public static ImmutableArray<string> Direct(BastionOptions bastion, string controlPath, string socketPath, int port) =>
        Control(bastion, controlPath, "forward", "-L", $"{socketPath}:127.0.0.1:{Number(port)}");

    /// <summary>A shell word for each part, percent signs doubled: ssh expands the string, then <c>sh -c "exec ..."</c> reads it.</summary>
    public static string ProxyCommand(IEnumerable<string> words) =>
        string.Join(' ', words.Select(word => $"'{Percent(word).Replace("'", "'\\''", StringComparison.Ordinal)}'"));

    /// <summary>One line for each pinned key, filed under the alias: addresses change, this name does not.</summary>
    public static string KnownHosts(BastionOptions bastion, IEnumerable<string> keys) =>
        string.Concat(keys.Select(key => $"{bastion.HostKeyAlias} {key}\n"));

    private static ImmutableArray<string> Control(BastionOptions bastion, string controlPath, string command, params ReadOnlySpan<string> more) =>
        ["-F", "none", "-S", Percent(controlPath), "-O", command, .. more, Host(bastion)];

    // The bind address is always given: without it GatewayPorts on the server would decide who may connect.
    private static string Listen(RemoteForward forward) => $"127.0.0.1:{Number(forward.BastionPort)}:{Target(forward.Target)}";

    private static string Target(string target)
    {
        var colon = target.LastIndexOf(':');
        return target.StartsWith('/') || target.StartsWith('[') || target.IndexOf(':') == colon
            ? target
            : $"[{target[..colon]}]{target[colon..]}";
    }

    private static (int Interval, int CountMax) KeepAlive(TunnelProfile profile) => profile switch
    {
        TunnelProfile.Fast => (3, 1),
        TunnelProfile.Metered => (20, 3),
        _ => (5, 2),
    };

    /// <summary>ssh wants a host name; the connection is made by us, so the alias stands for it in every message.</summary>
    private static string Host(BastionOptions bastion) => bastion.HostKeyAlias;

    private static IEnumerable<string> Options(params (string Name, string Value)[] options) =>
        options.SelectMany(option => (string[])["-o", $"{option.Name}={option.Value}"]);

    private static string Quoted(string path) => path.Contains(' ') ? $"\"{path}\"" : path;

    private static string Percent(string text) => text.Replace("%", "%%", StringComparison.Ordinal);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
