using System.Net;
using System.Net.Sockets;
using InternalHost.Tunnel;

namespace InternalHost.Tests.Tunnel;

public sealed class HandoverTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ho");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Connection_is_handed_over_open_and_blocking()
    {
        using var handover = new HandoverServer(Path.Combine(_folder.FullName, "1.h"));
        var (ours, theirs) = Pair();
        using var far = theirs;
        using var near = ours;
        near.Blocking = false;
        var giving = handover.GiveAsync(near, CancellationToken.None);

        using var taken = new Socket(new SafeSocketHandle(await Task.Run(() => FdPassing.Receive(FdPassing.Connect(Path.Combine(_folder.FullName, "1.h")))), ownsHandle: true));
        await giving.WaitAsync(Patience);

        var heard = new byte[5];
        var reading = Task.Run(() => taken.Receive(heard));
        await far.SendAsync("hello"u8.ToArray());
        Assert.Equal(5, await reading.WaitAsync(Patience));
        Assert.Equal("hello"u8.ToArray(), heard);
    }

    [Fact]
    public async Task Helper_that_nobody_serves_is_told()
    {
        var path = Path.Combine(_folder.FullName, "2.h");
        var handover = new HandoverServer(path);
        var helper = Task.Run(() => FdPassing.Receive(FdPassing.Connect(path)));
        await Task.Delay(50);

        handover.Dispose();

        await Assert.ThrowsAsync<IOException>(() => helper.WaitAsync(Patience));
        Assert.Throws<IOException>(() => FdPassing.Connect(path));
        Assert.Throws<IOException>(() => FdPassing.Connect("/" + new string('x', 200)));
    }

    [Fact]
    public async Task Kernel_s_counters_are_read_of_a_socket_that_another_uses()
    {
        var (ours, theirs) = Pair();
        using var near = ours;
        using var far = theirs;
        await near.SendAsync(new byte[1000]);
        await far.ReceiveAsync(new byte[1000]);
        await far.SendAsync(new byte[300]);
        await near.ReceiveAsync(new byte[300]);

        var counted = TcpBytes.Of(near);
        Assert.Equal(300, counted?.Received);
        // The kernel counts the acknowledged SYN as one.
        Assert.InRange(counted?.Acknowledged ?? 0, 1000, 1001);
        near.Dispose();
        Assert.Null(TcpBytes.Of(near));
    }

    private static (Socket Ours, Socket Theirs) Pair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var ours = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        ours.Connect(listener.LocalEndPoint!);
        return (ours, listener.Accept());
    }
}
