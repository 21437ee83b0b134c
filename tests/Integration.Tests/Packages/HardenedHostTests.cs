using System.Text.Json.Nodes;
using Testing;

namespace Integration.Tests.Packages;

/// <summary><c>bastion install</c>, <c>audit</c> and <c>uninstall</c> in a real Debian under systemd. Every fact leaves a good host.</summary>
[Collection(nameof(InstalledBox))]
public sealed class HardenedHostTests(InstalledBox world) : IAsyncLifetime
{
    private HardenedBox _host = null!;

    private Box Box => _host.Box;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(InstalledBox.Needed) is null)
        {
            _host = await world.HardenedAsync();
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [NeedsFact(InstalledBox.Needed)]
    public async Task Second_run_changes_nothing_and_a_restart_keeps_everything()
    {
        await NothingToChangeAsync();

        await _host.RestartAsync();

        await NothingToChangeAsync();
        await _host.OwnerComesInAsync(443);
        await _host.OwnerComesInAsync(49022);
        Assert.Empty((await Box.RunAsync("systemctl", "--failed", "--plain", "--no-legend")).Trim());
        Assert.Contains("policy drop", await Box.RunAsync("nft", "list", "table", "inet", "bastion"), StringComparison.Ordinal);
    }

    [NeedsFact(InstalledBox.Needed)]
    public async Task Audit_passes_with_the_canary_seen_at_the_far_end() => await AuditPassesAsync();

    [NeedsFact(InstalledBox.Needed)]
    public async Task Logins_of_every_kind_are_told()
    {
        var told = _host.Chat.Requests.Count;

        await _host.OwnerComesInAsync(49022);
        await _host.ToldAsync(told, "home LOGIN");
        await Box.RunAsync("su", "-", "maintenance", "-c", "true");
        await _host.ToldAsync(told, "by su");
        Assert.True((await _host.SshAsync(443, "sudo", "-n", "true")).Ok);
        await _host.ToldAsync(told, "by sudo");
        await Box.RunAsync("bash", "-c", "timeout 100 script -qec 'login -f maintenance' /dev/null < <(while echo exit; do sleep 0.2; done)");
        await _host.ToldAsync(told, "at the console");
    }

    /// <summary>Everything that has systemd's hand on it, as it is loaded here.</summary>
    [NeedsFact(InstalledBox.Needed)]
    public async Task Every_unit_of_the_package_is_little_exposed()
    {
        var units = (await Box.RunAsync("sh", "-c", "dpkg -L bastion | sed -n 's:^/lib/systemd/system/\\(.*\\.service\\)$:\\1:p'")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Contains("bastion-poweroff.service", units);
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
        await _host.InstallAsync();

        Assert.Empty(after.Split('\n').Except(_host.Before.Split('\n'), StringComparer.Ordinal));
        Assert.Empty(_host.Before.Split('\n').Except(after.Split('\n'), StringComparer.Ordinal));
        await _host.OwnerComesInAsync(443);
    }

    private async Task NothingToChangeAsync() => Assert.Contains("nothing to change", await Box.RunAsync("bastion", "install"), StringComparison.Ordinal);

    /// <summary>Exit code 0, and no check that could not be evaluated. Alerts may still be on their way.</summary>
    private async Task AuditPassesAsync()
    {
        var said = "";
        await Box.UntilAsync(
            async () =>
            {
                var audit = await Box.TryAsync("bastion", "audit", "--json");
                said = string.Join('\n', audit.Output.Split('\n').Where(l => !l.Contains("\"outcome\":\"pass\"", StringComparison.Ordinal)));
                return audit.Ok || !said.Contains("\"ALT-006\"", StringComparison.Ordinal);
            },
            "no alert waits");
        var lines = said.Split('\n').Select(l => JsonNode.Parse(l)!).ToList();

        Assert.True((bool)lines[^1]["ok"]!, said);
        Assert.Equal(0, (int)lines[^1]["cannot_evaluate"]!);
        Assert.All(lines.SkipLast(1), l => Assert.True((string)l["id"]! is "TIM-001" or "SSH-016", said));
    }
}
