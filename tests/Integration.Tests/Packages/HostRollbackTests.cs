using Testing;

namespace Integration.Tests.Packages;

/// <summary>Installations that go wrong under systemd, and a host on which ssh.socket listens.</summary>
[Collection(nameof(InstalledBox))]
public sealed class HostRollbackTests(InstalledBox world) : HardenedTests(world)
{
    [NeedsFact(InstalledBox.Needed)]
    public async Task Killed_installation_is_taken_back_by_its_timer()
    {
        var before = await FilesAsync();
        // An nft that never ends holds it in the middle, with every file written and nothing proven.
        await Box.ShellAsync(
            """
            printf '#!/bin/sh\n[ "$1" = -f ] || exec /usr/sbin/nft "$@"\necho > /run/held\nexec sleep 1000\n' > /usr/local/bin/nft; chmod 755 /usr/local/bin/nft
            systemd-run --quiet --collect --unit=held --setenv=PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bastion install --ports 49022 --rollback-after 20s
            """);
        await Box.UntilAsync(async () => (await Box.TryAsync("test", "-e", "/run/held")).Ok, "the installation stands before its firewall");
        await Box.ShellAsync("systemctl kill --signal=KILL held; rm /usr/local/bin/nft /run/held");

        await Box.UntilAsync(async () => (await Box.TryAsync("sh", "-c", "ls /var/backups/bastion/*/undone")).Ok, "the timer takes it back");
        await NothingToChangeAsync();
        Assert.Equal(before, await FilesAsync());
        await Host.OwnerComesInAsync(443);
    }

    [NeedsFact(InstalledBox.Needed)]
    public async Task Second_login_that_fails_takes_everything_back()
    {
        // PAM lets nobody in: sshd -t and sshd -T see nothing of it, only a login does.
        await Box.RunAsync("sed", "-i", "$a account required pam_deny.so", "/etc/pam.d/sshd");
        var before = await FilesAsync();

        var result = await Box.TryAsync("bastion", "install", "--ports", "49022");

        Assert.Equal(1, result.Exit.Code);
        Assert.Contains("a second login as maintenance failed", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, await FilesAsync());
        await Box.RunAsync("sed", "-i", "/pam_deny/d", "/etc/pam.d/sshd");
        await NothingToChangeAsync();
        await Host.OwnerComesInAsync(443);
    }

    /// <summary>As Ubuntu has it: the socket's port is not that of sshd's configuration.</summary>
    [NeedsFact(InstalledBox.Needed)]
    public async Task Socket_that_listens_for_sshd_is_switched_off_and_comes_back_with_uninstall()
    {
        await Box.ShellAsync("systemctl disable --now ssh.service; systemctl enable --now ssh.socket");

        await Box.RunAsync("bastion", "install");
        Assert.Equal("disabled inactive enabled active", await UnitsAsync());
        await Host.OwnerComesInAsync(443);
        await NothingToChangeAsync();

        await Box.RunAsync("bastion", "uninstall");
        Assert.Equal("enabled active disabled inactive", await UnitsAsync());
        Assert.Contains("SSH-2.0", await Box.ShellAsync("exec 3<>/dev/tcp/127.0.0.1/22 2>/dev/null; timeout 30 head -c 7 <&3", "bash"), StringComparison.Ordinal);

        await Box.ShellAsync("systemctl disable --now ssh.socket; systemctl enable --now ssh.service");
        await Host.InstallAsync();
    }

    /// <summary>Socket and service.</summary>
    private Task<string> UnitsAsync() => Box.ShellAsync("for unit in ssh.socket ssh.service; do systemctl is-enabled $unit; systemctl is-active $unit; done | paste -sd ' '");

    private Task<string> FilesAsync() => Box.ShellAsync("find /etc /usr/lib/tmpfiles.d -type f ! -name '*-' ! -name .pwd.lock -exec sha256sum {} + | sort; find /etc -printf '%M %u %g %p\\n' | grep -v -e '-$' -e .pwd.lock | sort");
}
