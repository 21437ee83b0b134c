using Testing;

namespace Integration.Tests.Packages;

/// <summary>The bastion's package in a real Debian under systemd.</summary>
[Collection(nameof(InstalledBox))]
public sealed class BastionPackageTests(InstalledBox world)
{
    [NeedsFact(InstalledBox.Needed)]
    public async Task Agent_runs_sandboxed_and_answers_its_watchdog()
    {
        var pid = await PidAsync();
        var status = await world.Box.RunAsync("cat", $"/proc/{pid}/status");
        var first = await ShowAsync("WatchdogTimestampMonotonic");

        Assert.Matches(@"NoNewPrivs:\s+1\b", status);
        Assert.Matches(@"Seccomp:\s+2\b", status);
        Assert.Matches(@"CapEff:\s+0000000000000000\b", status);
        Assert.DoesNotMatch(@"Uid:\s+0\b", status);
        Assert.Equal("enabled", (await world.Box.TryAsync("systemctl", "is-enabled", "bastion-agent")).Output);
        await world.UntilAsync(async () => await ShowAsync("WatchdogTimestampMonotonic") != first, "the agent answers its watchdog");
        Assert.Equal(pid, await PidAsync());
    }

    [NeedsTheory(InstalledBox.Needed)]
    [InlineData("bastion-agent")]
    [InlineData("internalhost")]
    public async Task Unit_is_little_exposed_as_it_is_loaded(string unit)
    {
        var result = await world.Box.TryAsync("systemd-analyze", "security", "--threshold=20", "--no-pager", unit);

        Assert.True(result.Ok, result.Output);
    }

    [NeedsFact(InstalledBox.Needed)]
    public async Task Logins_of_every_kind_are_recorded_and_the_first_is_told()
    {
        await using var key = await world.NewKeyAsync();

        Assert.True((await key.SshAsync(InstalledBox.Alice, "true")).Ok);
        await world.MessagesAreAsync(key.Before + 1);
        await RecordedAsync(key.Records + 1);
        await using var silent = key.Stay("-N", InstalledBox.Alice);
        await RecordedAsync(key.Records + 2);
        await using var jump = key.Stay("-W", "127.0.0.1:22", InstalledBox.Alice);
        await RecordedAsync(key.Records + 3);

        Assert.Contains(world.Gateway.Messages[key.Before..], m => m.Body.Contains("LOGIN", StringComparison.Ordinal));
    }

    [NeedsFact(InstalledBox.Needed)]
    public async Task Killed_agent_comes_back_and_has_lost_nothing()
    {
        await using var key = await world.NewKeyAsync();
        var pid = await PidAsync();
        await world.Box.RunAsync("systemctl", "kill", "--signal=KILL", "bastion-agent");
        Assert.True((await key.SshAsync(InstalledBox.Alice, "true")).Ok);

        await world.UntilAsync(async () => await PidAsync() is var now && now != "0" && now != pid, "systemd starts the agent again");
        await world.MessagesAreAsync(key.Before + 1);
    }

    [NeedsFact(InstalledBox.Needed)]
    public async Task Upgrade_does_not_disturb_the_agent_while_somebody_is_connected()
    {
        await using var key = await world.NewKeyAsync();
        var pid = await PidAsync();
        await using (var session = key.Stay("-N", InstalledBox.Alice))
        {
            await world.UntilAsync(async () => (await world.Box.TryAsync("pgrep", "-u", "alice")).Ok, "alice is in");
            await world.Box.ShellAsync("dpkg -i /packages/bastion_*.deb");
            Assert.Equal(pid, await PidAsync());
            await session.StopAsync();
        }

        await world.UntilAsync(async () => !(await world.Box.TryAsync("pgrep", "-u", "alice")).Ok, "alice is out");
        await world.UntilAsync(
            async () => (await world.Box.ShellAsync("dpkg -i /packages/bastion_*.deb >/dev/null; systemctl show -p MainPID --value bastion-agent")) is var now && now != pid && now != "0",
            "the agent is renewed when nobody is connected");
    }

    /// <summary>The agent has no other privilege than to ask for this: its user, what its sandbox lets it see and write.</summary>
    [NeedsFact(InstalledBox.Needed)]
    public async Task Power_off_that_the_agent_asks_for_is_a_real_one()
    {
        await world.Box.RunAsync("nsenter", "--mount", "--target", await PidAsync(), "setpriv", "--reuid=bastion", "--regid=bastion", "--clear-groups", "touch", "/run/bastion/poweroff");

        await world.UntilAsync(world.Box.IsOffAsync, "the machine is off");
        await world.Box.DownAsync();
        await world.Box.UpAsync();
        await world.StartGatewayAsync();

        await world.UntilAsync(async () => (await world.Box.TryAsync("systemctl", "is-active", "bastion-agent")).Ok, "the agent runs after the next start");
        Assert.Equal("1", (await world.Box.TryAsync("sh", "-c", "[ -e /run/bastion/poweroff ]; echo $?")).Output);
    }

    [NeedsFact(InstalledBox.Needed)]
    public async Task Purge_leaves_nothing()
    {
        await world.Box.RunAsync("dpkg", "--purge", "bastion", "internalhost");
        var after = await world.Box.SnapshotAsync();
        await world.InstallAsync();

        Assert.Empty(after.Split('\n').Except(world.Before.Split('\n'), StringComparer.Ordinal));
        Assert.Empty(world.Before.Split('\n').Except(after.Split('\n'), StringComparer.Ordinal));
    }

    private Task RecordedAsync(int count) => world.UntilAsync(async () => await world.RecordsAsync() >= count, $"{count} logins in the agent's log");

    private Task<string> PidAsync() => ShowAsync("MainPID");

    private Task<string> ShowAsync(string property) =>
        world.Box.RunAsync("systemctl", "show", "-p", property, "--value", "bastion-agent");
}
