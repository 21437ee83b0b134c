using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Bastion.Agent;
using Common.Agent;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Bastion.Tests.Agent;

public sealed class AgentServerTests : IAsyncLifetime
{
    private readonly FakeTime _time = new();
    private AgentServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = new AgentServer(0, (request, _, _) => Task.FromResult(new AgentReply(request.Op == "sessions", Sessions: 3)), _time, NullLogger<AgentServer>.Instance);
        await _server.StartAsync(default);
    }

    public async Task DisposeAsync()
    {
        await _server.StopAsync(default);
        _server.Dispose();
    }

    [Fact]
    public async Task Request_is_answered_on_one_line()
    {
        using var client = await ConnectAsync();

        var reply = await client.AskAsync("{\"op\":\"sessions\",\"later\":1}\r\n");

        Assert.Equal(3, reply.Sessions);
        Assert.True(reply.Ok);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"op\":null}")]
    [InlineData("{\"op\":{\"op\":1}}")]
    [InlineData("\"\\ud800\"")]
    [InlineData("\0\u0001\u001b[2J")]
    public async Task Garbage_gets_one_error_line_and_the_connection_goes_on(string line)
    {
        using var client = await ConnectAsync();

        var error = await client.AskAsync(line + "\n");
        var next = await client.AskAsync("{\"op\":\"sessions\"}\n");

        Assert.False(error.Ok);
        Assert.NotNull(error.Error);
        Assert.True(next.Ok);
    }

    [Fact]
    public async Task Endless_line_is_refused_and_hung_up_on()
    {
        using var client = await ConnectAsync();

        await client.SendAsync(new byte[AgentConnection.LongestLine]);
        var error = await client.ReadAsync();

        Assert.False(error!.Ok);
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    public async Task Longest_line_allowed_is_read_whole()
    {
        using var client = await ConnectAsync();
        var request = "{\"op\":\"sessions\"}";

        var reply = await client.AskAsync(request.PadRight(AgentConnection.LongestLine - 1) + "\n");

        Assert.True(reply.Ok);
    }

    [Fact]
    public async Task Seventeenth_connection_is_told_that_we_are_busy_and_a_freed_place_is_given_again()
    {
        var first = new List<Client>();
        for (var n = 0; n < AgentServer.MostConnections; n++)
        {
            first.Add(await ConnectAsync());
            Assert.True((await first[^1].AskAsync("{\"op\":\"sessions\"}\n")).Ok);
        }

        using var extra = await ConnectAsync();
        Assert.False((await extra.ReadAsync())!.Ok);
        first.ForEach(c => c.Dispose());

        Assert.True(await AnswersInTheEndAsync());
    }

    [Fact]
    public async Task Client_that_never_ends_its_line_is_hung_up_on()
    {
        using var client = await ConnectAsync();
        Assert.True((await client.AskAsync("{\"op\":\"sessions\"}\n")).Ok);
        await client.SendAsync("{\"op\":"u8.ToArray());

        var end = client.ReadAsync();
        while (!end.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Null(await end);
    }

    [Fact]
    public async Task Random_bytes_never_end_the_server()
    {
        var random = new Random(11);
        for (var round = 0; round < 60; round++)
        {
            using var client = await ConnectAsync();
            var bytes = new byte[random.Next(1, 3000)];
            random.NextBytes(bytes);
            await client.SendAsync(bytes);
        }

        Assert.True(await AnswersInTheEndAsync());
    }

    /// <summary>The server notices on threads of its own that places are free again.</summary>
    private async Task<bool> AnswersInTheEndAsync()
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30);)
        {
            using var again = await ConnectAsync();
            if (await again.TryAskAsync("{\"op\":\"sessions\"}\n") is { Ok: true })
            {
                return true;
            }
        }

        return false;
    }

    private async Task<Client> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _server.Port);
        return new Client(client);
    }

    private sealed class Client(TcpClient tcp) : IDisposable
    {
        private readonly StreamReader _reader = new(tcp.GetStream(), Encoding.UTF8);

        public async Task SendAsync(byte[] bytes) => await tcp.GetStream().WriteAsync(bytes);

        public async Task<AgentReply> AskAsync(string line)
        {
            await SendAsync(Encoding.UTF8.GetBytes(line));
            return (await ReadAsync())!;
        }

        public async Task<AgentReply?> TryAskAsync(string line)
        {
            try
            {
                return await AskAsync(line);
            }
            catch (IOException)
            {
                return null;
            }
        }

        public async Task<AgentReply?> ReadAsync() =>
            await _reader.ReadLineAsync() is { } line ? JsonSerializer.Deserialize(line, AgentJson.Default.AgentReply) : null;

        public void Dispose()
        {
            _reader.Dispose();
            tcp.Dispose();
        }
    }
}
