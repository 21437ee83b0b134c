using System.Net.Sockets;
using System.Text;
using Common.Hosting;
using Testing;

namespace Common.Tests.Hosting;

public sealed class SdNotifyTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Messages_arrive_at_a_real_datagram_socket(bool isAbstract)
    {
        var path = isAbstract ? $"@notify-{Guid.NewGuid():N}" : Path.Combine(_folder.FullName, "notify");
        using var manager = Listen(path);
        using var notify = SdNotify.From(Variables(path), 1, new FakeTime());

        notify.Ready("up\nREADY=0");
        notify.Status("serving");
        notify.Reloading();
        notify.Watchdog();
        notify.Stopping();

        Assert.Equal("READY=1\nSTATUS=up READY=0", Receive(manager));
        Assert.Equal("STATUS=serving", Receive(manager));
        Assert.Equal("RELOADING=1\nMONOTONIC_USEC=3600000000", Receive(manager));
        Assert.Equal("WATCHDOG=1", Receive(manager));
        Assert.Equal("STOPPING=1", Receive(manager));
    }

    [Theory]
    [InlineData("30000000", null, 10.0)]
    [InlineData("30000000", "77", 10.0)]
    [InlineData("30000000", "78", null)]
    [InlineData("-1", null, null)]
    [InlineData("soon", null, null)]
    [InlineData(null, null, null)]
    public void Watchdog_interval_is_a_third_and_only_ours(string? usec, string? pid, double? seconds)
    {
        using var notify = SdNotify.From(Variables("@x", usec, pid), 77, new FakeTime());

        Assert.Equal(seconds, notify.WatchdogInterval?.TotalSeconds);
    }

    [Fact]
    public void Without_a_manager_nothing_happens()
    {
        using var notify = SdNotify.From(_ => null, 1, new FakeTime());

        notify.Ready("up");
        notify.Watchdog();

        Assert.False(notify.IsListenedTo);
        Assert.Null(notify.WatchdogInterval);
    }

    [Fact]
    public void Manager_that_is_gone_is_no_failure()
    {
        using var notify = SdNotify.From(Variables(Path.Combine(_folder.FullName, "gone")), 1, new FakeTime());

        notify.Ready("up");

        Assert.True(notify.IsListenedTo);
    }

    [Fact]
    public void Variables_are_taken_out_of_the_environment()
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", "@nobody-listens-here");
        Environment.SetEnvironmentVariable("WATCHDOG_USEC", "3000000");
        Environment.SetEnvironmentVariable("WATCHDOG_PID", Environment.ProcessId.ToString());

        using var notify = SdNotify.FromEnvironment(TimeProvider.System);

        Assert.Equal(TimeSpan.FromSeconds(1), notify.WatchdogInterval);
        Assert.Null(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));
        Assert.Null(Environment.GetEnvironmentVariable("WATCHDOG_USEC"));
        Assert.Null(Environment.GetEnvironmentVariable("WATCHDOG_PID"));
    }

    internal static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 5000 };
        socket.Bind(new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path));
        return socket;
    }

    internal static string Receive(Socket socket)
    {
        var buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }

    internal static Func<string, string?> Variables(string path, string? usec = null, string? pid = null) => name => name switch
    {
        "NOTIFY_SOCKET" => path,
        "WATCHDOG_USEC" => usec,
        "WATCHDOG_PID" => pid,
        _ => null,
    };
}
