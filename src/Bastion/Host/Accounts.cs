using Common;
using Common.Logins.Recording;

namespace Bastion.Host;

/// <summary>The groups, accounts and folders of a bastion: names that the drop-in, PAM, the firewall and the packages share.</summary>
[PureCore]
internal static class Accounts
{
    public const string PersonGroup = "bastion-person";
    public const string SiteGroup = "bastion-site";
    public const string SyncGroup = "bastion-sync";
    public const string MaintenanceGroup = "bastion-maintenance";
    public const string Sync = LoginRules.SyncAccount;

    public const string Maintenance = "maintenance";

    /// <summary>The agent runs as this one.</summary>
    public const string Agent = "bastion";

    /// <summary>
    /// In RAM: people's keys come with the signed bundle of each start. Not below /run/bastion: that folder is the agent's, sshd (StrictModes)
    /// refuses keys below a folder that another user than root owns, and an agent taken over must not make keys.
    /// </summary>
    public const string PeopleKeys = "/run/bastion-keys";

    /// <summary>Sites, sync, maintenance.</summary>
    public const string HostKeys = "/etc/bastion/keys";

    public const string RevokedKeys = "/etc/bastion/revoked_keys";

    public static string Site(string label) => $"site-{label}";

    public static string SiteBulk(string label) => $"site-{label}-bulk";
}
