using System.Collections.Immutable;
using System.Net;
using Common;

namespace InternalHost.Cloud.Local;

/// <summary>The files and facts that an sshd_config is written from.</summary>
/// <param name="LockedRoot">We are root, and root's password is locked with <c>!</c>: sshd then lets nobody in without PAM.</param>
internal sealed record PrivateSshdFacts(
    OpenSshVersion Version,
    string HostKeyFile,
    string AuthorizedKeysFile,
    string User,
    bool LockedRoot,
    string? SshdSession = null,
    string? SshdAuth = null);

/// <summary>Options to sshd_config(5), pure.</summary>
[PureCore]
internal static class PrivateSshdConfig
{
    /// <param name="extra">Come first: sshd keeps the first value it meets.</param>
    public static string Render(
        PrivateSshdFacts facts, ImmutableArray<IPEndPoint> listen, IEnumerable<string> authorizedKeys, IEnumerable<string> extra)
    {
        var permitListen = AuthorizedKeyLine.Listens(authorizedKeys);
        return string.Join('\n', [
            .. extra,
            .. listen.Select(l => $"ListenAddress {l}"),
            $"HostKey {Quoted(facts.HostKeyFile)}",
            $"AuthorizedKeysFile {Quoted(facts.AuthorizedKeysFile.Replace("%", "%%", StringComparison.Ordinal))}",
            $"AllowUsers {facts.User}",
            $"UsePAM {(facts.LockedRoot ? "yes" : "no")}",
            $"PermitListen {(permitListen.IsEmpty ? "none" : string.Join(' ', permitListen))}",
            .. Fixed,
            .. ForVersion(facts),
        ]) + "\n";
    }

    private static readonly ImmutableArray<string> Fixed =
    [
        "PidFile none",
        "PermitRootLogin prohibit-password",
        "AuthenticationMethods publickey",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",

        // The folder may lie below a world-writable one (/tmp): research/pitfalls.md T13.
        "StrictModes no",
        "LogLevel VERBOSE",
        "LoginGraceTime 20",

        // Many sites may come from one address (carrier-grade NAT).
        "MaxStartups 200:30:400",
        "ClientAliveInterval 15",
        "ClientAliveCountMax 3",
        "AllowTcpForwarding yes",
        "AllowStreamLocalForwarding no",
        "AllowAgentForwarding no",
        "GatewayPorts no",
        "PermitTunnel no",
        "X11Forwarding no",
        "PermitUserEnvironment no",
        "PermitUserRC no",
        "UseDNS no",
        "PrintMotd no",
        "PrintLastLog no",
        "Subsystem sftp internal-sftp",
    ];

    /// <summary>A word that this sshd does not know ends it, so newer words are only for newer servers.</summary>
    private static IEnumerable<string> ForVersion(PrivateSshdFacts facts)
    {
        if (facts.Version >= OpenSshVersion.KnowsConnectionTimeouts)
        {
            // Listeners are not open channels: a tunnel that only forwards would be closed.
            yield return "UnusedConnectionTimeout none";
        }

        if (facts.Version >= OpenSshVersion.KnowsPenalties)
        {
            // Everybody comes from loopback: one wrong key would lock all out.
            yield return "PerSourcePenaltyExemptList 127.0.0.0/8,::1";
            if (facts.SshdSession is { } session)
            {
                yield return $"SshdSessionPath {Quoted(session)}";
            }
        }

        if (facts.Version >= OpenSshVersion.HasSshdAuth && facts.SshdAuth is { } auth)
        {
            yield return $"SshdAuthPath {Quoted(auth)}";
        }
    }

    /// <summary>AuthorizedKeysFile expands %-tokens; a percent sign of the path itself is doubled. HostKey takes it as it is.</summary>
    private static string Quoted(string path) => $"\"{path}\"";
}
