using System.Net.Sockets;
using System.Text;
using Common.Hosting;
using InternalHost.Control;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace InternalHost.Tests.Control;

public sealed class ControlServerTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ctl");
    private readonly ScriptedHandler _handler = new();
    private readonly FakeTime _time = new();
    private readonly ControlServer _server;

    public ControlServerTests() => _server = new ControlServer(Path.Combine(_folder.FullName, "run", "control.sock"), _handler, _time, NullLogger<ControlServer>.Instance);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _server.StopAsync(CancellationToken.None);
        _server.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Client_gets_the_handlers_answer()
    {
        await _server.StartAsync(CancellationToken.None);

        var reply = await ControlClient.AskAsync(_server.SocketPath, new ControlRequest.Pause(TimeSpan.FromHours(4), "new router"), TimeProvider.System, default);

        Assert.Equal(new ControlReply(Ok: true, Message: "done"), reply);
        Assert.Equal(new ControlRequest.Pause(TimeSpan.FromHours(4), "new router"), Assert.Single(_handler.Asked));
    }

    [Fact]
    public async Task Socket_is_for_us_and_our_group_and_gone_after_the_end()
    {
        await _server.StartAsync(CancellationToken.None);
        Assert.Equal((UnixFileMode)0b110_110_000, File.GetUnixFileMode(_server.SocketPath));

        await _server.StopAsync(CancellationToken.None);

        Assert.False(Path.Exists(_server.SocketPath));
    }

    [Theory]
    [InlineData("garbage", "not a request")]
    [InlineData("[1]", "not a request")]
    [InlineData("null", "empty request")]
    [InlineData("{}", "unknown op")]
    [InlineData("", "not a request")]
    [InlineData("\u0000\u00ff\u0001", "not a request")]
    [InlineData("{\"op\":\"explode\"}", "unknown op")]
    [InlineData("{\"op\":7}", "not a request")]
    [InlineData("{\"op\":\"explain\"}", "id must be that of an alert")]
    [InlineData("{\"op\":\"open\",\"for\":\"soon\"}", "for must be a time")]
    [InlineData("{\"op\":\"open\",\"for\":\"900d\"}", "for must be between 1m and 7d")]
    [InlineData("{\"op\":\"pause\",\"for\":\"4h\"}", "why must say why")]
    [InlineData("{\"op\":\"pause\",\"why\":\"x\"}", "for must be a time")]
    [InlineData("{\"op\":\"pause\",\"for\":\"4h\",\"why\":\"a\\u001b[2J\"}", "why must say why")]
    public async Task Garbage_gets_one_line_that_says_why(string line, string error)
    {
        await _server.StartAsync(CancellationToken.None);
        using var client = Connect();

        var reply = await Exchange(client, line + "\n");

        Assert.StartsWith("{\"ok\":false,\"error\":", reply, StringComparison.Ordinal);
        Assert.Contains(error, reply, StringComparison.Ordinal);
        Assert.Equal("{\"ok\":true,\"message\":\"done\"}", await Exchange(client, "{\"op\":\"close\"}\n"));
    }

    [Fact]
    public async Task Endless_line_gets_one_answer_and_the_end()
    {
        await _server.StartAsync(CancellationToken.None);
        using var client = Connect();

        var reply = await Exchange(client, new string('x', (64 * 1024) + 10));

        Assert.Contains("longer than 64 KiB", reply, StringComparison.Ordinal);
        Assert.Null(await ReadLine(client));
    }

    [Fact]
    public async Task Last_line_without_newline_is_answered()
    {
        await _server.StartAsync(CancellationToken.None);
        using var client = Connect();

        client.Send("{\"op\":\"resume\"}"u8);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal("{\"ok\":true,\"message\":\"done\"}", await ReadLine(client));
    }

    [Fact]
    public async Task Seventeenth_client_is_told_and_the_others_stay()
    {
        await _server.StartAsync(CancellationToken.None);
        var clients = Enumerable.Range(0, ControlServer.MaxClients).Select(_ => Connect()).ToList();
        foreach (var client in clients)
        {
            Assert.Contains("true", await Exchange(client, "{\"op\":\"close\"}\n"), StringComparison.Ordinal);
        }

        using var late = Connect();

        Assert.Contains("too many clients", await ReadLine(late), StringComparison.Ordinal);
        Assert.Contains("true", await Exchange(clients[0], "{\"op\":\"close\"}\n"), StringComparison.Ordinal);
        clients.ForEach(c => c.Dispose());
    }

    [Fact]
    public async Task Silent_client_is_shut_out()
    {
        await _server.StartAsync(CancellationToken.None);
        using var client = Connect();
        Assert.Contains("true", await Exchange(client, "{\"op\":\"close\"}\n"), StringComparison.Ordinal);

        var end = ReadLine(client);
        while (await Task.WhenAny(end, Task.Delay(5)) != end)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Null(await end);
    }

    [Fact]
    public async Task Handler_that_faults_is_one_line_and_no_end()
    {
        await _server.StartAsync(CancellationToken.None);
        _handler.Answer = _ => throw new InvalidOperationException("bug");
        using var client = Connect();

        Assert.Contains("internal fault", await Exchange(client, "{\"op\":\"close\"}\n"), StringComparison.Ordinal);
        Assert.Contains("internal fault", await Exchange(client, "{\"op\":\"close\"}\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Leftover_of_a_dead_daemon_is_replaced()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_server.SocketPath)!);
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // A socket that is disposed takes its file along, a process that is killed does not.
            dead.Bind(new UnixDomainSocketEndPoint(_server.SocketPath + ".x"));
            File.Move(_server.SocketPath + ".x", _server.SocketPath);
        }

        Assert.True(Path.Exists(_server.SocketPath));

        await _server.StartAsync(CancellationToken.None);

        Assert.True((await ControlClient.AskAsync(_server.SocketPath, new ControlRequest.Close(), TimeProvider.System, default)).Ok);
    }

    [Fact]
    public async Task Live_daemon_is_not_replaced()
    {
        await _server.StartAsync(CancellationToken.None);
        using var second = new ControlServer(_server.SocketPath, _handler, _time, NullLogger<ControlServer>.Instance);

        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => second.StartAsync(CancellationToken.None));

        Assert.Contains("another daemon answers", refused.Message, StringComparison.Ordinal);
        Assert.True((await ControlClient.AskAsync(_server.SocketPath, new ControlRequest.Close(), TimeProvider.System, default)).Ok);
    }

    [Fact]
    public async Task File_that_is_no_socket_is_not_deleted()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_server.SocketPath)!);
        await File.WriteAllTextAsync(_server.SocketPath, "somebody's");

        await Assert.ThrowsAsync<StartRefusedException>(() => _server.StartAsync(CancellationToken.None));

        Assert.Equal("somebody's", await File.ReadAllTextAsync(_server.SocketPath));
        File.Delete(_server.SocketPath);
    }

    [Fact]
    public async Task Client_without_a_daemon_names_socket_and_next_step()
    {
        var error = await Assert.ThrowsAsync<ControlUnreachableException>(
            () => ControlClient.AskAsync("/nowhere/control.sock", new ControlRequest.Status(), TimeProvider.System, default));

        Assert.Contains("/nowhere/control.sock", error.Message, StringComparison.Ordinal);
        Assert.Contains("systemctl start internalhost", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_bytes_are_survived()
    {
        await _server.StartAsync(CancellationToken.None);
        var random = new Random(9);
        for (var round = 0; round < 50; round++)
        {
            using var client = Connect();
            var bytes = new byte[random.Next(1, 3000)];
            random.NextBytes(bytes);
            client.Send(bytes);
        }

        // Those that are not yet gone may fill the places for a moment.
        ControlReply after;
        do
        {
            after = await ControlClient.AskAsync(_server.SocketPath, new ControlRequest.Close(), TimeProvider.System, default);
        }
        while (after is { Ok: false, Error: var error } && error!.Contains("too many", StringComparison.Ordinal));

        Assert.True(after.Ok, after.Error);
    }

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(_server.SocketPath));
        return socket;
    }

    private static async Task<string?> Exchange(Socket client, string text)
    {
        await client.SendAsync(Encoding.UTF8.GetBytes(text));
        return await ReadLine(client);
    }

    private static async Task<string?> ReadLine(Socket client)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (await Receive(client, one) == 1 && one[0] != '\n')
        {
            line.Add(one[0]);
        }

        return line.Count == 0 ? null : Encoding.UTF8.GetString([.. line]);
    }

    /// <summary>A connection closed with bytes unread is reset: an end too.</summary>
    private static async Task<int> Receive(Socket client, byte[] one)
    {
        try
        {
            return await client.ReceiveAsync(one);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private sealed class ScriptedHandler : IControlHandler
    {
        public List<ControlRequest> Asked { get; } = [];

        public Func<ControlRequest, ControlReply> Answer { get; set; } = _ => ControlReply.Done("done");

        public Task<ControlReply> HandleAsync(ControlRequest request, CancellationToken ct)
        {
            lock (Asked)
            {
                Asked.Add(request);
            }

            return Task.FromResult(Answer(request));
        }
    }
}
