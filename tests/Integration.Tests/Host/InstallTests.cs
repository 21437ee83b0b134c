using System.Text.Json.Nodes;
using Common.Processes;
using Testing;

namespace Integration.Tests.Host;

/// <summary>The whole of it on a real sshd, PAM and nft, in a room of its own.</summary>
public sealed class InstallTests : IAsyncLifetime
{
    private const Need Needed = Need.Root | Need.Sshd | Need.Ssh | Need.NetworkNamespaces | Need.Nft;
    private const string Owner = "-i /root/owner -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o ConnectTimeout=10";
    private const string Install = "install --maintenance-key /root/owner.pub --site home:22001";

    private HostRoom _room = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needed) is not null)
        {
            return;
        }

        _room = await HostRoom.OpenAsync();
        await _room.DoAsync(
            """
            ssh-keygen -q -t ed25519 -N '' -f /root/owner
            [ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -A
            rm -f /etc/ssh/sshd_config.d/*
            mkdir -p /usr/lib/bastion && printf '#!/bin/sh\necho "$PAM_SERVICE $PAM_USER $PAM_TYPE" >> /run/hooked\nexit 0\n' > /usr/lib/bastion/hook && chmod 755 /usr/lib/bastion/hook
            /usr/sbin/sshd
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
    public async Task Installed_host_lets_the_owner_in_tells_the_hook_and_a_second_run_changes_nothing()
    {
        var dry = await BastionAsync($"{Install} --dry-run");
        Assert.Contains("new file /etc/ssh/sshd_config.d/00-bastion.conf", dry.Output);
        Assert.Contains("+ session optional pam_exec.so quiet type=open_session /usr/lib/bastion/hook # bastion", dry.Output);
        Assert.False((await _room.ShellAsync("test -e /etc/bastion")).Ok);

        var first = await BastionAsync(Install);
        Assert.True(first.Ok, first.Output + first.Error);
        Assert.Contains("a second login as maintenance worked on 49022 and 443", first.Output);

        Assert.Equal("maintenance", (await _room.DoAsync($"ssh {Owner} -p 443 maintenance@127.0.0.1 id -un")).Trim());
        Assert.Contains("sshd maintenance open_session", await _room.DoAsync("cat /run/hooked"));
        Assert.False((await _room.ShellAsync($"ssh {Owner} -p 49022 root@127.0.0.1 true")).Ok);
        Assert.DoesNotContain("echo", await _room.DoAsync("cat /etc/bastion/keys/maintenance"));
        Assert.Contains("policy drop", await _room.DoAsync("nft list table inet bastion"));
        Assert.Contains("nothing to change", (await BastionAsync(Install)).Output);
        Assert.Contains("nothing to change", (await BastionAsync("install --dry-run")).Output);
        await AuditIsAsExpectedAsync();
    }

    /// <summary>A room is no whole machine: no logs are forwarded, and unattended-upgrades need not be installed. The rest is good.</summary>
    private async Task AuditIsAsExpectedAsync()
    {
        var audit = await BastionAsync("audit --json");
        var lines = audit.Output.Split('\n').Select(l => JsonNode.Parse(l)!).ToList();
        string[] ofTheRoom = ["LOG-001", "UPD-001", "UPD-002", "NET-001"];

        Assert.Equal(1, audit.Exit.Code);
        Assert.False((bool)lines[^1]["ok"]!);
        Assert.Equal(33, lines.Count - 1);
        Assert.All(
            lines.SkipLast(1).Where(l => !ofTheRoom.Contains((string)l["id"]!)),
            l => Assert.True((string)l["outcome"]! != "fail", l.ToJsonString()));
        Assert.Equal("fail", (string)lines.Single(l => (string?)l["id"] == "LOG-001")["outcome"]!);
        Assert.Equal(77, (await BastionAsync("hold --for 2h")).Exit.Code);
        Assert.Equal(2, (await BastionAsync("hold --for 9d")).Exit.Code);
        Assert.Equal(2, (await BastionAsync("install --site home:22")).Exit.Code);
    }

    [NeedsFact(Needed)]
    public async Task Uninstall_leaves_nothing_behind()
    {
        var before = await FilesAsync();
        Assert.True((await BastionAsync(Install)).Ok);
        Assert.NotEqual(before, await FilesAsync());
        var stranded = await _room.RunAsync("env", "SUDO_USER=maintenance", "sh", "-c", string.Join(' ', Command("uninstall")));
        Assert.Contains("--leaving maintenance", stranded.Error);

        var result = await BastionAsync("uninstall --leaving maintenance");

        Assert.True(result.Ok, result.Output + result.Error);
        Assert.Equal(before, await FilesAsync());
        Assert.False((await _room.ShellAsync("nft list table inet bastion")).Ok);
        Assert.False((await _room.ShellAsync("getent group bastion-site || getent passwd maintenance")).Ok);
    }

    /// <summary>The typo: a list in another file stands against ours. Found before it counts, and taken back.</summary>
    [NeedsTheory(Needed)]
    [InlineData("AllowUsers alcie", "SSH-007")]
    [InlineData("DenyGroups bastion-maintenance", "SSH-007")]
    [InlineData("MaxStartups 10:30:60", "SSH-012")]
    public async Task Line_that_would_lock_everybody_out_is_found_and_all_is_as_before(string line, string check)
    {
        await _room.DoAsync($"printf '{line}\\n' >> /etc/ssh/sshd_config; kill -HUP $(cat /run/sshd.pid)");
        var before = await FilesAsync();

        var result = await BastionAsync(Install);

        Assert.Equal(1, result.Exit.Code);
        Assert.Contains("taken back", result.Error);
        Assert.Contains(check, result.Error);
        Assert.Equal(before, await FilesAsync());
    }

    [NeedsFact(Needed)]
    public async Task Second_login_that_fails_takes_everything_back()
    {
        // PAM lets nobody in: sshd -t and sshd -T see nothing of it, only a login does.
        await _room.DoAsync("sed -i '1i account required pam_deny.so' /etc/pam.d/sshd");
        var before = await FilesAsync();

        var result = await BastionAsync(Install);

        Assert.Equal(1, result.Exit.Code);
        Assert.Contains("second login as maintenance failed", result.Error);
        Assert.Equal(before, await FilesAsync());
        Assert.Contains("LISTEN", await _room.DoAsync("cat /proc/net/tcp | awk '$4 == \"0A\" { print \"LISTEN\", $2 }' | grep -i ':0016'"));
    }

    [NeedsFact(Needed)]
    public async Task Killed_installation_is_taken_back_by_its_timer()
    {
        var before = await FilesAsync();
        // An nft that never ends holds it in the middle, with every file written and nothing proven.
        await _room.DoAsync("printf '#!/bin/sh\\n[ \"$1\" = -f ] || exec /usr/sbin/nft \"$@\"\\necho > /run/held\\nexec sleep 1000\\n' > /usr/local/bin/nft; chmod 755 /usr/local/bin/nft");
        var child = _room.Start(_ => { }, Command($"{Install} --rollback-after 15s"));
        await _room.UntilAsync(async () => (await _room.ShellAsync("test -e /run/held")).Ok, "the installation stands before its firewall");
        Assert.True((await _room.ShellAsync("test -e /etc/ssh/sshd_config.d/00-bastion.conf")).Ok);

        await _room.DoAsync("pkill -KILL -f 'bastion[.]dll install'; rm /usr/local/bin/nft");
        await child.Exited;
        await _room.UntilAsync(async () => (await _room.ShellAsync("ls /var/backups/bastion/*/undone")).Ok, "the timer takes it back");

        await child.DisposeAsync();
        await _room.DoAsync("rm -r /var/backups/bastion");
        Assert.Equal(before, await FilesAsync());
    }

    [NeedsFact(Needed)]
    public async Task It_refuses_to_lock_its_user_out()
    {
        await _room.DoAsync("useradd -m admin");
        var nobody = await BastionAsync("install --site home:22001");
        var leaving = await _room.RunAsync("env", "SUDO_USER=admin", "sh", "-c", string.Join(' ', Command(Install)));
        var named = await _room.RunAsync("env", "SUDO_USER=admin", "sh", "-c", string.Join(' ', Command(Install + " --leaving admin")));

        Assert.Equal(1, nobody.Exit.Code);
        Assert.Contains("--maintenance-key", nobody.Error);
        Assert.Contains("--leaving admin", leaving.Error);
        Assert.True(named.Ok, named.Error);
    }

    [NeedsFact(Needed)]
    public async Task Missing_run_sshd_and_a_missing_include_are_mended()
    {
        await _room.DoAsync("kill $(cat /run/sshd.pid); rm -rf /run/sshd; sed -i '/^Include/d' /etc/ssh/sshd_config; mkdir -p /run/sshd; /usr/sbin/sshd");

        var result = await BastionAsync(Install);

        Assert.True(result.Ok, result.Output + result.Error);
        Assert.StartsWith("Include /etc/ssh/sshd_config.d/*.conf # bastion", await _room.DoAsync("cat /etc/ssh/sshd_config"));
    }

    [NeedsFact(Needed)]
    public async Task Another_root_becomes_a_host_without_touching_this_one()
    {
        await _room.DoAsync(
            """
            mkdir -p /root/image/etc/ssh/sshd_config.d /root/image/usr/lib/bastion /root/image/var
            cp -r /etc/pam.d /root/image/etc; cp /etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/login.defs /root/image/etc
            cp /etc/ssh/sshd_config /etc/ssh/ssh_host_ed25519_key* /root/image/etc/ssh; cp /usr/lib/bastion/hook /root/image/usr/lib/bastion
            """);

        var result = await BastionAsync($"{Install} --root /root/image");

        Assert.True(result.Ok, result.Output + result.Error);
        Assert.True((await _room.ShellAsync("grep -q ^site-home-bulk: /root/image/etc/passwd && test -e /root/image/etc/ssh/sshd_config.d/00-bastion.conf")).Ok);
        Assert.False((await _room.ShellAsync("test -e /etc/bastion || grep -q bastion /etc/passwd")).Ok);
        Assert.Contains("nothing to change", (await BastionAsync($"{Install} --root /root/image")).Output);
    }

    private static string[] Command(string arguments) => ["dotnet", Path.Combine(AppContext.BaseDirectory, "bastion.dll"), .. arguments.Split(' ')];

    private Task<ProcessResult> BastionAsync(string arguments) => _room.RunAsync(Command(arguments));

    /// <summary>Every file, folder, mode, owner and content where an installation writes; not the lock and backup files of useradd itself.</summary>
    private Task<string> FilesAsync() => _room.DoAsync(
        """
        find /etc /var/lib /var/spool /var/backups /home /usr/lib/bastion -xdev \( -name '*-' -o -name .pwd.lock -o -path /var/lib/apt -o -path /var/lib/dpkg \) -prune -o -printf '%M %u %g %p %l\n' | sort
        find /etc -xdev -type f ! -name '*-' ! -name .pwd.lock -exec sha256sum {} + | sort
        """);
}
