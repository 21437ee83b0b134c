using System.Text.Json.Nodes;
using Common.Sync;
using Testing;

namespace Integration.Tests.Packages;

/// <summary><c>bastion install</c>, <c>audit</c> and <c>uninstall</c> in a real Debian under systemd.</summary>
[Collection(nameof(InstalledBox))]
public sealed class HardenedHostTests(InstalledBox world) : HardenedTests(world)
{
    [NeedsFact(InstalledBox.Needed)]
    public async Task Second_run_changes_nothing_and_a_restart_keeps_everything()
    {
        await NothingToChangeAsync();

        await Host.RestartAsync();

        await NothingToChangeAsync();
        await Host.OwnerComesInAsync(443);
        await Host.OwnerComesInAsync(49022);
        Assert.Empty((await Box.RunAsync("systemctl", "list-units", "--failed", "--plain", "--no-legend", "bastion*", "nftables.service", "ssh*", "rsyslog.service", "apt*")).Trim());
        Assert.Contains("policy drop", await Box.RunAsync("nft", "list", "table", "inet", "bastion"), StringComparison.Ordinal);
    }

    [NeedsFact(InstalledBox.Needed)]
    public async Task Audit_passes_with_the_canary_seen_at_the_far_end() => await AuditPassesAsync();

    [NeedsFact(InstalledBox.Needed)]
    public async Task Logins_of_every_kind_are_told()
    {
        var told = await Host.NewAgentAsync();

        await Host.OwnerComesInAsync(49022);
        await Host.ToldAsync(told, "home LOGIN");
        await Box.RunAsync("su", "-", "maintenance", "-c", "true");
        await Host.ToldAsync(told, "by su");
        Assert.True((await Host.SshAsync(443, "sudo", "-n", "true")).Ok);
        await Host.ToldAsync(told, "by sudo");
        await Box.RunAsync("bash", "-c", "timeout 100 script -qec 'login -f maintenance' /dev/null < <(while echo exit; do sleep 0.2; done)");
        await Host.ToldAsync(told, "at the console");
    }

    /// <summary>Everything that has systemd's hand on it, as it is loaded here.</summary>
    [NeedsFact(InstalledBox.Needed)]
    public async Task Every_unit_of_the_package_is_little_exposed()
    {
        var units = (await Box.RunAsync("sh", "-c", "dpkg -L bastion | sed -n 's:^/lib/systemd/system/\\(.*\\.service\\)$:\\1:p'")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Contains("bastion-poweroff.service", units);
        Assert.Contains("bastion-bundle@.service", units);
        foreach (var unit in units)
        {
            var result = await Box.TryAsync("systemd-analyze", "security", "--threshold=20", "--no-pager", unit.Replace("@.", "@x.", StringComparison.Ordinal));
            Assert.True(result.Ok, result.Output);
        }
    }

    [NeedsFact(InstalledBox.Needed)]
    public async Task Uninstalled_and_purged_it_has_left_nothing()
    {
        Assert.False((await Box.TryAsync("dpkg", "--remove", "bastion")).Ok);   // a bastion without its program would tell nobody

        await Box.RunAsync("bastion", "uninstall");
        Assert.Equal("port 22", (await Box.ShellAsync("sshd -T | grep '^port '")).Trim());
        await Box.RunAsync("dpkg", "--purge", "bastion");
        var after = await Box.SnapshotAsync();
        await Host.InstallAsync();

        var left = after.Split('\n').Except(Host.Before.Split('\n'), StringComparer.Ordinal).Select(l => $"more: {l}")
            .Concat(Host.Before.Split('\n').Except(after.Split('\n'), StringComparer.Ordinal).Select(l => $"less: {l}")).ToList();
        Assert.True(left.Count == 0, string.Join('\n', left));
        await Host.OwnerComesInAsync(443);
    }

    /// <summary>sshd that does not ask PAM runs no hook. Its log is the second witness.</summary>
    [NeedsFact(InstalledBox.Needed)]
    public async Task Login_past_PAM_is_told_and_audit_says_why()
    {
        var told = await Host.NewAgentAsync();
        // Without PAM sshd itself refuses an account without a password ("!").
        await Box.ShellAsync("usermod -p '*' maintenance; sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config.d/00-bastion.conf; systemctl restart ssh");

        await Host.OwnerComesInAsync(443);
        await Host.ToldAsync(told, "not seen by PAM");
        Assert.Contains(await AuditAsync(), l => (string?)l["id"] == "SSH-003" && (string?)l["outcome"] == "fail");

        await Box.RunAsync("bastion", "install");
        await Box.RunAsync("usermod", "-p", "!", "maintenance");
        await AuditPassesAsync();
    }

    /// <summary>
    /// What waits is on disk, also over a restart of rsyslog. Only what was on its way when the receiver went may be lost: syslog has no receipts.
    /// </summary>
    [NeedsFact(InstalledBox.Needed)]
    public async Task Log_lines_wait_on_disk_for_a_receiver_that_is_down()
    {
        await Host.StopLogsAsync();
        await Box.UntilAsync(async () => (await Box.ShellAsync("logger -t bastion-test on-its-way; ss -Htn state established '( dport = :6514 )'")).Trim().Length == 0, "rsyslog has seen that the receiver is gone");
        await Box.ShellAsync("for i in $(seq 50); do logger -t bastion-test queued-$i-end; done; systemctl restart rsyslog");
        Assert.Contains("bastion", await Box.RunAsync("ls", "/var/spool/rsyslog"), StringComparison.Ordinal);

        await Host.StartLogsAsync();

        await Box.UntilAsync(
            () => Task.FromResult(Enumerable.Range(1, 50).All(i => Host.Logs!.Lines.Any(l => l.Contains($"queued-{i}-end", StringComparison.Ordinal)))), "all lines arrive after all");
    }

    /// <summary>As a site does it: through sshd, the forced command, the socket, and root's part in its sandbox.</summary>
    [NeedsFact(InstalledBox.Needed)]
    public async Task Bundle_that_a_site_pushes_lets_its_people_in()
    {
        const long Number = 4_000_000_000;   // above what any daemon has pushed here: its numbers are seconds
        var told = await Host.NewAgentAsync();
        var phone = await Host.NewKeyAsync("phone");

        var reply = await Host.PushAsync(new Bundle(Bundle.CurrentFormat, "home", Number) { People = [new BundlePerson("alice", [22001], [new BundleDevice("phone", phone)])] });
        Assert.True((bool)JsonNode.Parse(reply)!["ok"]!, reply);
        var sentence = await Host.SshAsAsync("phone", 443, "alice");
        Assert.True(sentence.Output.Length > 0, sentence.Error);
        await Host.ToldAsync(told, "alice");
        Assert.Contains($":{Number}", await Box.RunAsync("sh", "-c", "cat /run/bastion-sites/home.json"), StringComparison.Ordinal);

        // The next one leaves her out.
        Assert.Contains("\"ok\":true", await Host.PushAsync(new Bundle(Bundle.CurrentFormat, "home", Number + 1)), StringComparison.Ordinal);
        Assert.False((await Box.TryAsync("getent", "passwd", "alice")).Ok);
        await NothingToChangeAsync();
    }
}
