using System.CommandLine;

namespace Bastion.Cli;

/// <summary>The program's command line.</summary>
internal static class BastionCommand
{
    public static RootCommand Create() => new(
        """
        The cloud side of a way home: tells the owner of every login to this VM, says who is
        logged in, and lets the inside stop the VM only when nobody is.

        Start here:
          bastion install --dry-run                       what hardening this host would change
          bastion audit                                   is it as it should be?
          bastion check-config /etc/bastion/agent.json    every mistake in the settings at once
          bastion agent --config /etc/bastion/agent.json  run (systemd does: infra/bastion)

        Exit codes: 0 good, 1 refused or a check failed, 2 bad usage or settings,
        70 an internal fault (systemd restarts), 77 cannot run on this machine.
        """)
    {
        AgentCommand.Create(),
        CheckConfigCommand.Create(),
        AlertsCommand.Create(),
        ReachedCommand.Create(),
        HoldCommand.Create(),
        InstallCommand.CreateInstall(),
        InstallCommand.CreateUninstall(),
        AuditCommand.Create(),
        UpgradeGateCommand.Create(),
        SyncCommand.Create(),
        ApplyBundleCommand.Create(),
        RepairHookCommand.Create(),
        SentenceCommand.Create(),
    };
}
