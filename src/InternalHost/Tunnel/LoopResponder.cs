using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace InternalHost.Tunnel;

/// <summary>
/// The inner end of the loop probe: one Unix socket for each run, behind the run's own forward. It answers only nonces that this
/// process has sent for this run, each once, with a second secret that was never on the wire before: an echo service, a stranger on
/// the port or an old session's forward cannot make a probe pass.
/// </summary>
internal sealed class LoopResponder : IAsyncDisposable
{
    /// <summary>Hexadecimal characters of a nonce and of an answer.</summary>
    public const int WordLength = 64;

    /// <summary>Whoever connects and says nothing is let go.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, string> _expected = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly TimeProvider _time;
    private readonly Task _serving;

    public LoopResponder(string path, TimeProvider time)
    {
        (Path, _time) = (path, time);
        File.Delete(path);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(8);
        _serving = ServeAsync();
    }

    public string Path { get; }

    /// <summary>A fresh nonce and the only answer that proves it went round.</summary>
    public (string Nonce, string Answer) Expect()
    {
        var pair = (RandomNumberGenerator.GetHexString(WordLength, lowercase: true), RandomNumberGenerator.GetHexString(WordLength, lowercase: true));
        _expected[pair.Item1] = pair.Item2;
        return pair;
    }

    public void Forget(string nonce) => _expected.TryRemove(nonce, out _);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
        File.Delete(Path);
    }

    private async Task ServeAsync()
    {
        var talks = new HashSet<Task>();
        try
        {
            while (true)
            {
                var caller = await _listener.AcceptAsync(_stop.Token);
                talks.RemoveWhere(talk => talk.IsCompleted);
                talks.Add(AnswerAsync(caller));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(talks);
        }
    }

    private async Task AnswerAsync(Socket caller)
    {
        using var limit = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        try
        {
            await using var stream = new NetworkStream(caller, ownsSocket: true);
            var nonce = new byte[WordLength];
            await stream.ReadExactlyAsync(nonce, either.Token);
            if (_expected.TryRemove(Encoding.ASCII.GetString(nonce), out var answer))
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), either.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // A caller that goes away or stays silent is no news: the probe itself misses its answer.
        }
    }
}
