using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Common;

namespace Bastion.Host;

/// <summary>
/// The text of <c>/etc/ssh/sshd_config.d/00-bastion.conf</c>. The first value that sshd reads counts, hence the name: cloud-init's
/// 50-cloud-init.conf says <c>PasswordAuthentication yes</c>. Everything is closed globally and opened for a group or an account.
/// </summary>
[PureCore]
internal static class SshdDropIn
{
    public const string Path = "/etc/ssh/sshd_config.d/00-bastion.conf";

    /// <summary>Ed25519 alone: it is what the inside pins, out of band.</summary>
    public const string HostKey = "/etc/ssh/ssh_host_ed25519_key";

    /// <summary>A person's plain login is answered by this, and by nothing else.</summary>
    public const string PersonCommand = "/usr/bin/bastion sentence";

    public const string SyncCommand = "/usr/bin/bastion sync";
    public const string NoCommand = "/usr/sbin/nologin";
    public const int LeastRsaBits = 3072;

    /// <summary>P-256 because phones' secure hardware makes nothing else.</summary>
    public static readonly ImmutableArray<string> KeyTypes =
    [
        "ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "sk-ecdsa-sha2-nistp256@openssh.com", "rsa-sha2-512", "rsa-sha2-256",
    ];

    public static readonly ImmutableArray<string> Ciphers = ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com"];

    public static readonly ImmutableArray<string> Macs = ["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com", "umac-128-etm@openssh.com"];

    public static readonly ImmutableArray<string> HostKeyTypes = ["ssh-ed25519"];

    /// <summary>Post-quantum first; the last two are for phones.</summary>
    public static ImmutableArray<string> KeyExchange(OpenSshVersion version) =>
    [
        .. version.IsAtLeast(9, 9) ? ["mlkem768x25519-sha256"] : ImmutableArray<string>.Empty,
        "sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "curve25519-sha256@libssh.org",
    ];

    public static string Write(HostSettings settings, OpenSshVersion version)
    {
        var text = new StringBuilder();
        Line(text, $"# Made by bastion install for OpenSSH {version}; changes are undone by the next run. Check: bastion audit");
        Global(text, settings, version);
        foreach (var site in settings.Sites)
        {
            Site(text, Accounts.Site(site.Label), site, settings.AgentPort);
            Site(text, Accounts.SiteBulk(site.Label), site, null);
        }

        Groups(text, settings);
        return text.ToString();
    }

    private static void Global(StringBuilder text, HostSettings settings, OpenSshVersion version)
    {
        foreach (var port in settings.Ports)
        {
            Line(text, $"Port {port}");
        }

        Lines(text, version,
            (0, 0, $"HostKey {HostKey}"),
            (0, 0, $"HostKeyAlgorithms {Joined(HostKeyTypes)}"),
            (0, 0, $"KexAlgorithms {Joined(KeyExchange(version))}"),
            (0, 0, $"Ciphers {Joined(Ciphers)}"),
            (0, 0, $"MACs {Joined(Macs)}"),
            (0, 0, $"PubkeyAcceptedAlgorithms {Joined(KeyTypes)}"),
            (9, 1, $"RequiredRSASize {LeastRsaBits}"),
            (0, 0, "UsePAM yes"),
            (0, 0, "UseDNS no"),
            (0, 0, "LogLevel VERBOSE"),
            (0, 0, "StrictModes yes"),
            (0, 0, "PermitRootLogin no"),
            (0, 0, "PubkeyAuthentication yes"),
            (0, 0, "AuthenticationMethods publickey"),
            (0, 0, "PasswordAuthentication no"),
            (0, 0, "KbdInteractiveAuthentication no"),
            (0, 0, "HostbasedAuthentication no"),
            (0, 0, "GSSAPIAuthentication no"),
            (0, 0, "PermitEmptyPasswords no"),
            (0, 0, $"AuthorizedKeysFile {Accounts.HostKeys}/%u"),
            (0, 0, "AuthorizedKeysCommand none"),
            (0, 0, "TrustedUserCAKeys none"),
            (0, 0, $"RevokedKeys {Accounts.RevokedKeys}"),
            (0, 0, $"AllowGroups {Accounts.PersonGroup} {Accounts.SiteGroup} {Accounts.SyncGroup} {Accounts.MaintenanceGroup}"),
            (0, 0, "LoginGraceTime 20"),
            (0, 0, "MaxAuthTries 4"));
        Line(text, "# Sixty sites behind one carrier's address come back in the same second: no limit per source.");
        Lines(text, version,
            (0, 0, "MaxStartups 200:30:400"),
            (0, 0, "PerSourceMaxStartups none"));
        Penalties(text, settings, version);
        Line(text, "# A tunnel has no open channel most of the time: it must not count as unused.");
        Lines(text, version,
            (9, 2, "UnusedConnectionTimeout none"),
            (0, 0, "TCPKeepAlive yes"),
            (0, 0, "ClientAliveInterval 15"),
            (0, 0, "ClientAliveCountMax 3"),
            (0, 0, "DisableForwarding yes"),
            (0, 0, "AllowTcpForwarding no"),
            (0, 0, "AllowStreamLocalForwarding no"),
            (0, 0, "AllowAgentForwarding no"),
            (0, 0, "X11Forwarding no"),
            (0, 0, "PermitTunnel no"),
            (0, 0, "GatewayPorts no"),
            (0, 0, "PermitListen none"),
            (0, 0, "PermitOpen none"),
            (0, 0, "PermitUserRC no"),
            (0, 0, "PermitUserEnvironment no"),
            (0, 0, "PermitTTY no"),
            (0, 0, "MaxSessions 0"),
            (0, 0, "VersionAddendum none"));
        if (version.Debian)
        {
            Line(text, "DebianBanner no");
        }
    }

    /// <summary>
    /// A carrier's address is shared with strangers, and our own dials overlap while a VM boots, so connections that do not
    /// authenticate cost nothing; wrong keys do. With the exemption the home's own address can never lock itself out.
    /// </summary>
    private static void Penalties(StringBuilder text, HostSettings settings, OpenSshVersion version)
    {
        Lines(text, version, (9, 8, "PerSourcePenalties crash:90 authfail:5 noauth:0 grace-exceeded:10 min:30 max:600"));
        if (!settings.Exempt.IsEmpty)
        {
            Lines(text, version, (9, 8, $"PerSourcePenaltyExemptList {Joined(settings.Exempt.Select(n => n.ToString()))}"));
        }
    }

    /// <summary>Listens on its block; opens its own listeners (the loop probe) and the agent. No session: nothing can be run.</summary>
    private static void Site(StringBuilder text, string account, SiteAccess site, int? agentPort)
    {
        Line(text, $"Match Group {Accounts.SiteGroup} User {account}");
        Line(text, $"\tPermitListen {Loopback(site.Ports)}");
        Line(text, $"\tPermitOpen {Loopback(site.Ports.Concat(agentPort is { } port ? [port] : []))}");
    }

    /// <summary>
    /// What is said for one account above stands, because the first value counts; who is in no list gets "none". A person may be let to any site's services
    /// here; to which, each key says itself (permitopen), so that people come and go without a word to sshd. Both must allow it.
    /// </summary>
    private static void Groups(StringBuilder text, HostSettings settings) => text.Append(CultureInfo.InvariantCulture,
        $"""
        Match Group {Accounts.PersonGroup}
        	AuthorizedKeysFile {Accounts.PeopleKeys}/%u
        	DisableForwarding no
        	AllowTcpForwarding local
        	PermitListen none
        	PermitOpen {Loopback(settings.Sites.SelectMany(s => s.ServicePorts))}
        	MaxSessions 2
        	ForceCommand {PersonCommand}
        Match Group {Accounts.SiteGroup}
        	DisableForwarding no
        	AllowTcpForwarding yes
        	PermitListen none
        	PermitOpen none
        	ForceCommand {NoCommand}
        Match Group {Accounts.SyncGroup}
        	MaxSessions 1
        	ForceCommand {SyncCommand}
        Match Group {Accounts.MaintenanceGroup}
        	PermitTTY yes
        	MaxSessions 10

        """);

    private static string Loopback(IEnumerable<int> ports) =>
        string.Join(' ', ports.Select(p => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{p}")).DefaultIfEmpty("none"));

    private static string Joined(IEnumerable<string> names) => string.Join(',', names);

    private static void Lines(StringBuilder text, OpenSshVersion version, params ReadOnlySpan<(int Major, int Minor, string Text)> lines)
    {
        foreach (var line in lines)
        {
            if (version.IsAtLeast(line.Major, line.Minor))
            {
                Line(text, line.Text);
            }
        }
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}
