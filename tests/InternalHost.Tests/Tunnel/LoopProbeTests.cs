using System.Net.Sockets;
using System.Text;
using InternalHost.Tunnel;
using Testing;

namespace InternalHost.Tests.Tunnel;

public sealed class LoopProbeTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FakeTime _time = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lp");
    private readonly LoopResponder _responder;
    private readonly ScriptedConnection _connection = new();

    public LoopProbeTests() => _responder = new LoopResponder(Path.Combine(_folder.FullName, "1.l"), _time);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _responder.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Nonce_that_comes_round_is_answered()
    {
        _connection.Direct = _ => Connect(_responder.Path);

        Assert.Equal(LoopOutcome.Answered, await ProbeAsync());
        Assert.Equal(LoopOutcome.Answered, await ProbeAsync());
    }

    [Fact]
    public async Task Responder_of_another_run_does_not_answer()
    {
        await using var other = new LoopResponder(Path.Combine(_folder.FullName, "2.l"), _time);
        _connection.Direct = _ => Connect(other.Path);

        Assert.Equal(LoopOutcome.Missed, await ProbeAsync());
    }

    [Fact]
    public async Task Nonce_is_good_for_one_answer()
    {
        var (nonce, answer) = _responder.Expect();

        Assert.Equal(answer, await AskAsync(nonce));
        Assert.Equal("", await AskAsync(nonce));
        Assert.Equal("", await AskAsync(answer));
        Assert.NotEqual(nonce, answer);
    }

    [Theory]
    [InlineData("echo")]
    [InlineData("SSH-2.0-OpenSSH_9.2p1\r\n")]
    public async Task Somebody_else_who_talks_is_foreign(string says)
    {
        var (ours, theirs) = Pair();
        _connection.Direct = _ => ours;
        var talk = TalkAsync(theirs, says);

        Assert.Equal(LoopOutcome.Foreign, await ProbeAsync());
        await talk;
    }

    [Fact]
    public async Task Refused_channel_is_a_miss()
    {
        _connection.Direct = _ => throw new IOException("administratively prohibited");

        Assert.Equal(LoopOutcome.Missed, await ProbeAsync());
    }

    [Fact]
    public async Task Silence_on_an_idle_link_is_a_miss_after_three_seconds()
    {
        var (ours, theirs) = Pair();
        await using var held = theirs;
        _connection.Direct = _ => ours;
        var probe = ProbeAsync();

        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(probe.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(LoopOutcome.Missed, await probe.WaitAsync(Patience));
    }

    [Fact]
    public async Task Silence_on_a_busy_link_is_waited_out_for_thirty_seconds()
    {
        var (ours, theirs) = Pair();
        await using var held = theirs;
        _connection.Direct = _ => ours;
        using var delays = new SemaphoreSlim(0);
        var probe = ProbeAsync(() => delays.Release());

        for (var i = 0; i < 9; i++)
        {
            _connection.BytesSent += LoopVerdict.BusyBytes;
            _time.Advance(LoopVerdict.Silence);
            Assert.True(await delays.WaitAsync(Patience));
        }

        Assert.False(probe.IsCompleted);
        _connection.BytesSent += LoopVerdict.BusyBytes;
        _time.Advance(LoopVerdict.Silence);
        Assert.Equal(LoopOutcome.Missed, await probe.WaitAsync(Patience));
    }

    [Theory]
    [InlineData(3, 4096, 0, true)]
    [InlineData(3, 0, 4096, true)]
    [InlineData(27, 2048, 2048, true)]
    [InlineData(3, 4095, 0, false)]
    [InlineData(3, 0, 0, false)]
    [InlineData(30, 100_000, 100_000, false)]
    public void Only_data_that_moves_excuses_a_late_echo_and_not_for_ever(int seconds, long received, long acknowledged, bool keepWaiting) =>
        Assert.Equal(keepWaiting, LoopVerdict.KeepWaiting(TimeSpan.FromSeconds(seconds), new(1000, 1000), new(1000 + received, 1000 + acknowledged)));

    private Task<LoopOutcome> ProbeAsync(Action? onProgress = null) =>
        new LoopProbe(_connection, _responder, 22015, _time).RunAsync(onProgress ?? (() => { }), CancellationToken.None).WaitAsync(Patience);

    private async Task<string> AskAsync(string nonce)
    {
        await using var stream = Connect(_responder.Path);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(nonce));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync().WaitAsync(Patience);
    }

    private static async Task TalkAsync(Stream theirs, string says)
    {
        await using (theirs)
        {
            var heard = new byte[LoopResponder.WordLength];
            await theirs.ReadExactlyAsync(heard);
            await theirs.WriteAsync(says == "echo" ? heard : Encoding.ASCII.GetBytes(says));
        }
    }

    private static NetworkStream Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        return new NetworkStream(socket, ownsSocket: true);
    }

    private (Stream Ours, Stream Theirs) Pair()
    {
        var path = Path.Combine(_folder.FullName, $"p{Guid.NewGuid():N}"[..8]);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        var ours = Connect(path);
        return (ours, new NetworkStream(listener.Accept(), ownsSocket: true));
    }
}
