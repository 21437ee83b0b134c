using Testing;

namespace Integration.Tests.Packages;

/// <summary>Upgrades of others' packages on a hardened host: the hook outlives them, and they come when nobody is disturbed.</summary>
[Collection(nameof(InstalledBox))]
public sealed class HostUpgradeTests(InstalledBox world) : HardenedTests(world)
{
    /// <summary>The worst an upgrade can do: new files of /etc/pam.d in the place of those that have our line.</summary>
    [NeedsFact(InstalledBox.Needed)]
    public async Task Hook_is_back_after_an_upgrade_that_brings_new_files()
    {
        var told = await Host.NewAgentAsync();
        var upgrade = await Box.ShellAsync(
            """
            set -e
            export DEBIAN_FRONTEND=noninteractive
            cd /var/cache/apt/archives
            for package in openssh-server login sudo; do
              rm -rf /tmp/tree; dpkg-deb -R "$(ls ${package}_*.deb)" /tmp/tree
              for file in /tmp/tree/etc/pam.d/*; do echo '# of the new version' >> $file; done
              dpkg-deb --build --root-owner-group -Znone /tmp/tree /tmp/$package.deb >/dev/null
            done
            dpkg -i --force-confnew /tmp/openssh-server.deb /tmp/login.deb /tmp/sudo.deb 2>&1
            pam-auth-update --package --force 2>&1
            grep -l 'of the new version' /etc/pam.d/sshd /etc/pam.d/login /etc/pam.d/sudo
            """);
        Assert.Contains("an upgrade had taken the login hook out of /etc/pam.d/sshd: it is back", upgrade, StringComparison.Ordinal);

        await AuditPassesAsync();
        await Box.RunAsync("sha256sum", "--check", "--quiet", "/etc/bastion/baseline");   // else the agent would tell of an intruder
        await Host.OwnerComesInAsync(443);
        await Host.ToldAsync(told, "home LOGIN");

        await Box.ShellAsync("cd /var/cache/apt/archives; DEBIAN_FRONTEND=noninteractive dpkg -i --force-confnew openssh-server_*.deb login_*.deb sudo_*.deb 2>&1; rm /etc/pam.d/*.dpkg-old /etc/pam.d/*.pam-old");
        await NothingToChangeAsync();
    }

    /// <summary>
    /// apt's own services, as their timers start them, with a repository that is a security origin to them. The kernel, and so how long it is
    /// up, is that of the machine around: the gate's patience is given to it.
    /// </summary>
    [NeedsFact(InstalledBox.Needed)]
    public async Task Security_updates_come_by_themselves_but_not_at_once_nor_under_a_person()
    {
        var early = await Box.TryAsync("bastion", "upgrade-gate", "--not-before", "3600d");
        Assert.Equal(1, early.Exit.Code);
        Assert.Contains("just started", early.Output, StringComparison.Ordinal);
        await Box.ShellAsync(Repository);
        await Box.RunAsync("systemctl", "start", "apt-daily.service");
        Assert.Contains("2", await Box.RunAsync("apt-cache", "policy", "harmless"), StringComparison.Ordinal);

        var person = Host.Stay(443);
        await Box.UntilAsync(async () => await GateAsync() is (1, var why) && why.Contains("somebody is logged in", StringComparison.Ordinal), "the gate sees the person");
        await Box.RunAsync("systemctl", "start", "apt-daily-upgrade.service");
        Assert.Equal("1", await InstalledAsync());

        await person.StopAsync();
        await person.DisposeAsync();
        await Box.UntilAsync(async () => await GateAsync() is (0, _), "the gate opens");
        await Box.RunAsync("systemctl", "start", "apt-daily-upgrade.service");
        Assert.Equal("2", await InstalledAsync());
        await Box.ShellAsync("dpkg --purge harmless; mv /root/sources.list /etc/apt/sources.list; rm -r /run/systemd/system/apt-daily-upgrade.service.d /srv/repository; systemctl daemon-reload");
    }

    private const string Gate = "/usr/bin/bastion upgrade-gate --not-before 0s";

    /// <summary>Version 1 is installed, version 2 is to be had.</summary>
    private const string Repository =
        $$"""
        set -e
        mkdir -p /srv/repository /tmp/harmless/DEBIAN /run/systemd/system/apt-daily-upgrade.service.d
        printf '[Service]\nExecCondition=\nExecCondition={{Gate}}\n' > /run/systemd/system/apt-daily-upgrade.service.d/zz-late.conf
        systemctl daemon-reload
        cd /srv/repository
        for version in 1 2; do
          printf 'Package: harmless\nVersion: %s\nArchitecture: all\nMaintainer: Nobody <nobody@localhost>\nDescription: nothing\n' $version > /tmp/harmless/DEBIAN/control
          dpkg-deb --build --root-owner-group /tmp/harmless harmless_$version.deb >/dev/null
        done
        dpkg -i harmless_1.deb >/dev/null
        { dpkg-deb -f harmless_2.deb; echo "Filename: ./harmless_2.deb"; echo "Size: $(stat -c %s harmless_2.deb)"; echo "SHA256: $(sha256sum harmless_2.deb | cut -d' ' -f1)"; } > Packages
        release=$(. /etc/os-release; echo $VERSION_CODENAME)
        printf 'Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: %s-security\nArchitectures: all amd64\nDate: %s\nSHA256:\n %s %s Packages\n' $release "$(LC_ALL=C date -uR)" "$(sha256sum Packages | cut -d' ' -f1)" "$(stat -c %s Packages)" > Release
        mv /etc/apt/sources.list /root/sources.list
        echo 'deb [trusted=yes] file:/srv/repository ./' > /etc/apt/sources.list
        rm -f /var/lib/apt/periodic/update-stamp /var/lib/apt/periodic/upgrade-stamp
        """;

    private Task<string> InstalledAsync() => Box.RunAsync("dpkg-query", "-W", "-f", "${Version}", "harmless");

    private async Task<(int? Code, string Why)> GateAsync()
    {
        var result = await Box.TryAsync(Gate.Split(' '));
        return (result.Exit.Code, result.Output);
    }
}
