using Testing;

namespace Integration.Tests.Packages;

/// <summary>The inside's package in a real Debian under systemd.</summary>
[Collection(nameof(InstalledBox))]
public sealed class InternalHostPackageTests(InstalledBox world)
{
    [NeedsFact(InstalledBox.Needed)]
    public async Task Daemon_runs_sandboxed_and_answers_its_watchdog()
    {
        await world.SetUpInternalHostAsync();
        var status = await world.Box.RunAsync("cat", $"/proc/{await ShowAsync("MainPID")}/status");
        var first = await ShowAsync("WatchdogTimestampMonotonic");

        Assert.Matches(@"NoNewPrivs:\s+1\b", status);
        Assert.Matches(@"Seccomp:\s+2\b", status);
        Assert.Matches(@"CapEff:\s+0000000000000000\b", status);
        await world.UntilAsync(async () => await ShowAsync("WatchdogTimestampMonotonic") != first, "the daemon answers its watchdog");
    }

    [NeedsFact(InstalledBox.Needed)]
    public async Task Upgrade_in_standby_renews_the_daemon()
    {
        await world.SetUpInternalHostAsync();
        var pid = await ShowAsync("MainPID");

        await world.Box.ShellAsync("dpkg -i /packages/internalhost_*.deb");

        await world.UntilAsync(async () => await ShowAsync("MainPID") is var now && now != pid && now != "0", "the daemon is renewed");
    }

    [NeedsFact(InstalledBox.Needed)]
    public async Task Manual_pages_and_completion_are_there()
    {
        var files = await world.Box.RunAsync("dpkg", "-L", "bastion", "internalhost");

        Assert.All(
            ["/usr/share/man/man8/bastion.8.gz", "/usr/share/man/man8/internalhost.8.gz", "/usr/share/bash-completion/completions/bastion", "/usr/share/bash-completion/completions/internalhost"],
            file => Assert.Contains(file, files.Split('\n')));
        Assert.Contains(@"check\-config", await world.Box.RunAsync("zcat", "/usr/share/man/man8/internalhost.8.gz"), StringComparison.Ordinal);
    }

    private Task<string> ShowAsync(string property) =>
        world.Box.RunAsync("systemctl", "show", "-p", property, "--value", "internalhost");
}
