using System.Net;
using System.Net.Sockets;
using Common.Time;
using Lab.Demo;

namespace Bench.Recovery;

/// <summary>Asked from outside of every program: does a line that goes to the bastion's own port come back from home?</summary>
internal sealed class RoundTrip(NamespaceDemoWorld world, TimeProvider time)
{
    private static readonly byte[] Question = "there?"u8.ToArray();
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    /// <summary>A stale listener takes a connection and never answers.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Tries begin every 100 ms and overlap.</summary>
    /// <returns>When the first line came back; null: not within the limit.</returns>
    public async Task<Instant?> FirstAsync(int port, TimeSpan limit, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        ending.CancelAfter(limit);
        var tries = new List<Task<Instant?>>();
        while (!ending.IsCancellationRequested)
        {
            tries.Add(TryAsync(port, ending));
            await Task.Delay(Pace, time, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var back = await Task.WhenAll(tries);
        ct.ThrowIfCancellationRequested();
        return back.Min();
    }

    /// <summary>The first that comes back ends the others.</summary>
    private async Task<Instant?> TryAsync(int port, CancellationTokenSource ending)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ending.Token);
        limit.CancelAfter(Patience);
        try
        {
            using var socket = await world.InCloudAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), limit.Token);
            await socket.SendAsync(Question, limit.Token);
            var answer = new byte[Question.Length];
            await new NetworkStream(socket).ReadExactlyAsync(answer, limit.Token);
            if (!answer.AsSpan().SequenceEqual(Question))
            {
                return null;
            }

            var at = Instant.Now(time);
            await ending.CancelAsync();
            return at;
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            // Not yet: the next try has begun.
            return null;
        }
    }
}

/// <summary>What is behind the tunnels at home.</summary>
internal sealed class Echo : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public Echo(IPEndPoint at)
    {
        _listener.Bind(at);
        _listener.Listen();
        _ = ServeAsync();
    }

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                _ = AnswerAsync(await _listener.AcceptAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The world ends.
        }
    }

    private static async Task AnswerAsync(Socket caller)
    {
        using (caller)
        {
            try
            {
                var block = new byte[64];
                while (await caller.ReceiveAsync(block) is var read and > 0)
                {
                    await caller.SendAsync(block.AsMemory(0, read));
                }
            }
            catch (SocketException)
            {
                // It went away.
            }
        }
    }
}
