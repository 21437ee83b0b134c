using System.Globalization;
using Common;

namespace Bastion.Host;

/// <summary>The small files of a hardened host: updates, journal, log forwarding, sudo.</summary>
[PureCore]
internal static class HostFiles
{
    public const string Updates = "/etc/apt/apt.conf.d/52bastion";
    public const string UpdatesGate = "/etc/systemd/system/apt-daily-upgrade.service.d/bastion.conf";
    public const string DownloadTimer = "/etc/systemd/system/apt-daily.timer.d/bastion.conf";
    public const string UpdatesTimer = "/etc/systemd/system/apt-daily-upgrade.timer.d/bastion.conf";
    public const string Journal = "/etc/systemd/journald.conf.d/bastion.conf";
    public const string Forwarding = "/etc/rsyslog.d/00-bastion.conf";
    public const string Sudo = "/etc/sudoers.d/bastion";

    /// <summary>The security origin is the distribution's own choice (50unattended-upgrades) and stays. A reboot in an outage is the outage's.</summary>
    public const string UpdatesText =
        """
        // Made by bastion install.
        APT::Periodic::Update-Package-Lists "1";
        APT::Periodic::Unattended-Upgrade "1";
        Unattended-Upgrade::MinimalSteps "true";
        Unattended-Upgrade::Automatic-Reboot "false";
        Unattended-Upgrade::SyslogEnable "true";
        // A file that is changed here (the hook's line in /etc/pam.d/sshd) must not hold back the upgrade of its package.
        Dpkg::Options:: "--force-confdef";
        Dpkg::Options:: "--force-confold";

        """;

    /// <summary>
    /// A VM that was off since spring is behind by months, and apt would have the processor of the smallest VM just when the owner needs
    /// it. The gate asks the agent: not in the first minutes, and not while a person is logged in. What is skipped is tried again.
    /// </summary>
    public const string UpdatesGateText =
        """
        # Made by bastion install.
        [Service]
        ExecCondition=/usr/bin/bastion upgrade-gate

        """;

    public const string DownloadTimerText = UpdatesTimerText;

    public const string UpdatesTimerText =
        """
        # Made by bastion install: by the time that this machine is up, which the calendar says nothing about.
        [Timer]
        OnCalendar=
        OnBootSec=15min
        OnUnitInactiveSec=30min
        RandomizedDelaySec=0
        Persistent=false

        """;

    public const string JournalText =
        """
        # Made by bastion install: kept over a stop, bounded whatever an attacker makes sshd write, and never rate-limited below a storm of logins.
        [Journal]
        Storage=persistent
        SystemMaxUse=256M
        SystemKeepFree=256M
        MaxRetentionSec=13month
        RateLimitIntervalSec=30s
        RateLimitBurst=50000

        """;

    public const string SudoText = $"# Made by bastion install: the maintenance account has keys only, so no password could be asked for.\n{Accounts.Maintenance} ALL=(ALL:ALL) NOPASSWD: ALL\n";

    /// <summary>rsyslog, which has what the journal's own upload has not: a queue on disk that outlives the receiver's absence and ours.</summary>
    public static string ForwardingText(LogTarget to) => string.Create(CultureInfo.InvariantCulture,
        $$"""
        # Made by bastion install: everything leaves over TLS, to a receiver that proves its name.
        global(workDirectory="/var/spool/rsyslog")
        action(type="omfwd" name="bastion" target="{{to.Host}}" port="{{to.Port}}" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"
          StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="{{to.Peer}}" StreamDriver.CAFile="{{to.CaFile}}"
          action.resumeRetryCount="-1" action.resumeInterval="10"
          queue.type="LinkedList" queue.filename="bastion" queue.maxDiskSpace="256m" queue.saveOnShutdown="on")

        """);
}
