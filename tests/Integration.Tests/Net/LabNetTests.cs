using System.Net;
using System.Net.Sockets;
using Common.Processes;
using Lab.Net;
using Testing;

namespace Integration.Tests.Net;

public sealed class LabNetTests
{
    private const Need Needed = Need.Root | Need.NetworkNamespaces | Need.Nft;
    private static readonly TimeSpan Patience = Onlooker.Patience;
    private static readonly TimeSpan Silence = Onlooker.Silence;

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);

    [NeedsFact(Needed)]
    public async Task Two_lines_reach_the_bastion_each_from_its_own_public_address()
    {
        await using var net = await LabNet.UpAsync('A', failover: false, _launcher, default);
        using var onlooker = await Onlooker.StartAsync(net);

        var byPrimary = await onlooker.SeenAsync("primary");
        var byBackup = await onlooker.SeenAsync("backup");
        var (up, down) = await net.BackupBytesAsync(default);

        Assert.Equal(net.Addresses["primary_public"], byPrimary);
        Assert.Equal(net.Addresses["backup_public"], byBackup);
        Assert.True(up > 0 && down > 0);
    }

    [NeedsFact(Needed)]
    public async Task Forgetful_carrier_resets_or_swallows_what_was_open()
    {
        await using var net = await LabNet.UpAsync('A', failover: false, _launcher, default);
        using var onlooker = await Onlooker.StartAsync(net);
        using var polite = await onlooker.ConnectAsync("backup");
        using var acceptedPolite = await onlooker.AcceptAsync();
        await net.FaultAsync(default, "nat-rebind", "polite");
        await polite!.SendAsync("x"u8.ToArray());
        var reset = await Assert.ThrowsAsync<SocketException>(async () => await polite.ReceiveAsync(new byte[1]).WaitAsync(Patience));

        using var silent = await onlooker.ConnectAsync("backup");
        using var acceptedSilent = await onlooker.AcceptAsync();
        await net.FaultAsync(default, "nat-rebind", "silent");
        await silent!.SendAsync("x"u8.ToArray());
        var swallowed = await Assert.ThrowsAsync<TimeoutException>(async () => await silent.ReceiveAsync(new byte[1]).WaitAsync(Silence));

        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        Assert.Equal(0, acceptedSilent.Available);
        Assert.NotNull(swallowed);
    }

    [NeedsFact(Needed)]
    public async Task Router_sends_each_address_by_its_line_and_refuses_instead_of_falling_over()
    {
        await using var net = await LabNet.UpAsync('B', failover: false, _launcher, default);
        using var onlooker = await Onlooker.StartAsync(net);

        var byPrimary = await onlooker.SeenAsync("primary");
        await net.FaultAsync(default, "primary-down");
        var during = (await onlooker.SeenAsync("primary", Silence), await onlooker.SeenAsync("backup"));

        Assert.Equal(net.Addresses["primary_public"], byPrimary);
        Assert.Equal((null, net.Addresses["backup_public"]), during);
    }

    [NeedsFact(Needed)]
    public async Task Router_with_failover_lets_the_primary_answer_from_the_backups_address()
    {
        await using var net = await LabNet.UpAsync('B', failover: true, _launcher, default);
        using var onlooker = await Onlooker.StartAsync(net);
        await net.FaultAsync(default, "primary-down");

        string? seen = null;
        for (var attempt = 0; seen is null && attempt < 20; attempt++)
        {
            seen = await onlooker.SeenAsync("primary", Silence);
        }

        Assert.Equal(net.Addresses["backup_public"], seen);
    }

    [NeedsFact(Needed)]
    public async Task Down_ends_what_runs_inside_and_leaves_nothing()
    {
        string prefix;
        IChildProcess inside;
        await using (var net = await LabNet.UpAsync('A', failover: false, _launcher, default))
        {
            prefix = net.Prefix;
            inside = _launcher.Start(net.In("home", new ProcessSpec("sleep", ["1000"])), (_, _) => { });
            while (!(await net.StatusAsync(default)).Contains("processes 1", StringComparison.Ordinal))
            {
                Assert.False(inside.Exited.IsCompleted);
            }
        }

        var exit = await inside.Exited.WaitAsync(Patience);

        Assert.Equal(9, exit.Signal);
        Assert.DoesNotContain(Directory.EnumerateFiles("/run/netns"), f => Path.GetFileName(f).StartsWith(prefix, StringComparison.Ordinal));
    }
}
