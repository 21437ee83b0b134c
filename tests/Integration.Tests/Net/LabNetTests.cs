using System.Net;
using System.Net.Sockets;
using Common.Processes;
using Lab.Net;
using Testing;

namespace Integration.Tests.Net;

public sealed class LabNetTests
{
    private const Need Needed = Need.Root | Need.NetworkNamespaces | Need.Nft;
    private const int Port = 4822;
    /// <summary>For what must come, however busy the machine is.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>For what must not come.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(600);

    private readonly SystemProcessLauncher _launcher = new(TimeProvider.System);

    [NeedsFact(Needed)]
    public async Task Two_lines_reach_the_bastion_each_from_its_own_public_address()
    {
        await using var net = await LabNet.UpAsync('A', failover: false, _launcher, default);
        using var bastion = await ListenAsync(net);

        var byPrimary = await SeenAsync(net, bastion, "primary");
        var byBackup = await SeenAsync(net, bastion, "backup");
        var (up, down) = await net.BackupBytesAsync(default);

        Assert.Equal(net.Addresses["primary_public"], byPrimary);
        Assert.Equal(net.Addresses["backup_public"], byBackup);
        Assert.True(up > 0 && down > 0);
    }

    [NeedsFact(Needed)]
    public async Task Faults_hit_the_line_they_name_and_go_when_cleared()
    {
        await using var net = await LabNet.UpAsync('A', failover: false, _launcher, default);
        using var bastion = await ListenAsync(net);

        foreach (var fault in (string[][])[["primary-down"], ["primary-carrier"], ["isp-only"], ["one-way", "up"], ["one-way", "down"]])
        {
            await net.FaultAsync(default, fault);
            var during = (await SeenAsync(net, bastion, "primary", Silence), await SeenAsync(net, bastion, "backup"));
            await net.ClearAsync(fault[0], default);
            var after = await SeenAsync(net, bastion, "primary");

            Assert.Equal((null, net.Addresses["backup_public"]), during);
            Assert.Equal(net.Addresses["primary_public"], after);
        }
    }

    [NeedsFact(Needed)]
    public async Task Forgetful_carrier_resets_or_swallows_what_was_open()
    {
        await using var net = await LabNet.UpAsync('A', failover: false, _launcher, default);
        using var bastion = await ListenAsync(net);
        using var polite = await ConnectAsync(net, "backup");
        using var acceptedPolite = await bastion.AcceptAsync();
        await net.FaultAsync(default, "nat-rebind", "polite");
        await polite!.SendAsync("x"u8.ToArray());
        var reset = await Assert.ThrowsAsync<SocketException>(async () => await polite.ReceiveAsync(new byte[1]).WaitAsync(Patience));

        using var silent = await ConnectAsync(net, "backup");
        using var acceptedSilent = await bastion.AcceptAsync();
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
        using var bastion = await ListenAsync(net);

        var byPrimary = await SeenAsync(net, bastion, "primary");
        await net.FaultAsync(default, "primary-down");
        var during = (await SeenAsync(net, bastion, "primary", Silence), await SeenAsync(net, bastion, "backup"));

        Assert.Equal(net.Addresses["primary_public"], byPrimary);
        Assert.Equal((null, net.Addresses["backup_public"]), during);
    }

    [NeedsFact(Needed)]
    public async Task Router_with_failover_lets_the_primary_answer_from_the_backups_address()
    {
        await using var net = await LabNet.UpAsync('B', failover: true, _launcher, default);
        using var bastion = await ListenAsync(net);
        await net.FaultAsync(default, "primary-down");

        string? seen = null;
        for (var attempt = 0; seen is null && attempt < 20; attempt++)
        {
            seen = await SeenAsync(net, bastion, "primary", Silence);
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

    private static async Task<Socket> ListenAsync(LabNet net) => await net.InAsync("cloud", () =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(net.Addresses["bastion_behind"]), Port));
        socket.Listen(8);
        return socket;
    });

    /// <summary>The address that the bastion sees on a connection by this line; null when none arrives.</summary>
    private static async Task<string?> SeenAsync(LabNet net, Socket bastion, string line, TimeSpan? patience = null)
    {
        using var connected = await ConnectAsync(net, line, patience);
        if (connected is null)
        {
            return null;
        }

        using var accepted = await bastion.AcceptAsync();
        return ((IPEndPoint)accepted.RemoteEndPoint!).Address.ToString();
    }

    private static async Task<Socket?> ConnectAsync(LabNet net, string line, TimeSpan? patience = null)
    {
        const int solSocket = 1;
        const int bindToDevice = 25;
        var socket = await net.InAsync("home", () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        socket.SetRawSocketOption(solSocket, bindToDevice, System.Text.Encoding.ASCII.GetBytes(net.Addresses[line + "_interface"] + "\0"));
        socket.Bind(new IPEndPoint(IPAddress.Parse(net.Addresses[line + "_address"]), 0));
        try
        {
            using var limit = new CancellationTokenSource(patience ?? Patience);
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(net.Addresses["bastion"]), Port), limit.Token);
            return socket;
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            socket.Dispose();
            return null;
        }
    }
}
