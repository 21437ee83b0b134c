using Bastion.Host;
using Testing;

namespace Integration.Tests.Host;

/// <summary>What the installed sshd itself says of the drop-in, for each kind of account.</summary>
public sealed class SshdDropInOnSshdTests : IAsyncLifetime
{
    private const Need Needed = Need.Root | Need.Sshd | Need.Ssh | Need.NetworkNamespaces;
    private static readonly HostSettings Settings = HostSettings.Default with
    {
        Sites = [new SiteAccess("home", 22001), new SiteAccess("work", 22101)],
    };

    private HostRoom? _room;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needed) is not null)
        {
            return;
        }

        _room = await HostRoom.OpenAsync();
        var version = OpenSshVersion.Parse((await _room.ShellAsync("ssh -V 2>&1")).Output);
        await _room.DoAsync($"cat > {SshdDropIn.Path} <<'EOF'\n{SshdDropIn.Write(Settings, version!)}EOF");
        await _room.DoAsync(
            """
            for group in person site sync maintenance; do groupadd --system bastion-$group; done
            useradd -M -g bastion-person alice; useradd -M -g bastion-person bob; useradd -M -g bastion-site site-home
            useradd -M -g bastion-site site-home-bulk; useradd -M -g bastion-sync bastion-sync; useradd -M -g bastion-maintenance maintenance
            useradd -M stranger
            mkdir -p /etc/bastion; : > /etc/bastion/revoked_keys
            """);
    }

    public async Task DisposeAsync()
    {
        if (_room is not null)
        {
            await _room.DisposeAsync();
        }
    }

    [NeedsFact(Needed)]
    public async Task Installed_sshd_takes_it_and_says_for_each_account_what_was_meant()
    {
        await _room!.DoAsync("sshd -t");

        var services = string.Join(' ', Enumerable.Range(22001, 15).Concat(Enumerable.Range(22101, 15)).Select(p => $"127.0.0.1:{p}"));
        await SaysAsync("alice", $"permitopen {services}", "permitlisten none", "disableforwarding no", "allowtcpforwarding local",
            "maxsessions 2", "forcecommand /usr/bin/bastion sentence", "permittty no", "authorizedkeysfile /run/bastion-keys/%u", "gatewayports no");
        await SaysAsync("bob", $"permitopen {services}", "permitlisten none", "forcecommand /usr/bin/bastion sentence");
        var block = string.Join(' ', Enumerable.Range(22001, 16).Select(p => $"127.0.0.1:{p}"));
        await SaysAsync("site-home", $"permitlisten {block}", $"permitopen {block} 127.0.0.1:49020", "maxsessions 0", "permittty no",
            "allowtcpforwarding yes", "authorizedkeysfile /etc/bastion/keys/%u", "unusedconnectiontimeout none");
        await SaysAsync("site-home-bulk", $"permitlisten {block}", $"permitopen {block}", "maxsessions 0");
        await SaysAsync("bastion-sync", "disableforwarding yes", "maxsessions 1", "forcecommand /usr/bin/bastion sync", "permittty no");
        await SaysAsync("maintenance", "disableforwarding yes", "permittty yes", "maxsessions 10", "forcecommand none");
        await SaysAsync("stranger", "disableforwarding yes", "maxsessions 0", "permitopen none", "permitlisten none", "permittty no", "permitrootlogin no",
            "port 49022", "port 443", "maxstartups 200:30:400", "persourcemaxstartups none", "clientaliveinterval 15", "clientalivecountmax 3",
            "requiredrsasize 3072", "revokedkeys /etc/bastion/revoked_keys", "usepam yes", "passwordauthentication no", "kbdinteractiveauthentication no");
    }

    [NeedsFact(Needed)]
    public async Task Later_files_and_lines_below_a_match_change_nothing()
    {
        await _room!.DoAsync(
            """
            printf 'PasswordAuthentication yes\nPermitRootLogin yes\nMaxSessions 50\n' > /etc/ssh/sshd_config.d/50-cloud-init.conf
            printf '\nMaxAuthTries 40\nAllowTcpForwarding yes\n' >> /etc/ssh/sshd_config
            """);

        await SaysAsync("stranger", "passwordauthentication no", "permitrootlogin no", "maxsessions 0", "maxauthtries 4", "allowtcpforwarding no");
        await SaysAsync("alice", "passwordauthentication no", "maxsessions 2");
    }

    private async Task SaysAsync(string user, params string[] lines)
    {
        var said = (await _room!.DoAsync($"sshd -T -C user={user},host=h,addr=198.51.100.7,laddr=192.0.2.1,lport=49022")).Split('\n').ToHashSet();
        Assert.All(lines, line => Assert.Contains(line, said));
    }
}
