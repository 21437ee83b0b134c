using System.Net.Sockets;
using System.Text;
using Common.Time;

namespace InternalHost.Tunnel;

/// <summary>Sends one nonce round: out by a direct channel to the loop port on the bastion, back by the forward from that port to us.</summary>
internal sealed class LoopProbe(ITunnelConnection connection, LoopResponder responder, int port, TimeProvider time)
{
    /// <param name="onProgress">Called after each stretch in which data moved although the echo is still out.</param>
    public async Task<LoopOutcome> RunAsync(Action onProgress, CancellationToken ct)
    {
        var (nonce, answer) = responder.Expect();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            var echo = GoRoundAsync(nonce, answer, over.Token);
            return await JudgeAsync(echo, onProgress, ct);
        }
        finally
        {
            await over.CancelAsync();
            responder.Forget(nonce);
        }
    }

    private async Task<LoopOutcome> JudgeAsync(Task<LoopOutcome> echo, Action onProgress, CancellationToken ct)
    {
        var sent = Instant.Now(time);
        var before = Bytes();
        while (true)
        {
            await Task.WhenAny(echo, Task.Delay(LoopVerdict.Silence, time, ct));
            ct.ThrowIfCancellationRequested();
            if (echo.IsCompleted)
            {
                return await echo;
            }

            var now = Bytes();
            if (!LoopVerdict.KeepWaiting(Instant.Now(time) - sent, before, now))
            {
                return LoopOutcome.Missed;
            }

            before = now;
            onProgress();
        }
    }

    private TcpBytes Bytes() => new(connection.BytesReceived, connection.BytesSent);

    private async Task<LoopOutcome> GoRoundAsync(string nonce, string answer, CancellationToken ct)
    {
        try
        {
            await using var channel = await connection.OpenDirectAsync(port, ct);
            await channel.WriteAsync(Encoding.ASCII.GetBytes(nonce), ct);
            return await ReadAsync(channel, Encoding.ASCII.GetBytes(answer), ct);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            return LoopOutcome.Missed;
        }
    }

    private static async Task<LoopOutcome> ReadAsync(Stream channel, byte[] answer, CancellationToken ct)
    {
        var heard = new byte[answer.Length];
        var length = 0;
        while (length < heard.Length)
        {
            var read = await channel.ReadAsync(heard.AsMemory(length), ct);
            if (read == 0)
            {
                return LoopOutcome.Missed;
            }

            length += read;
            if (!answer.AsSpan().StartsWith(heard.AsSpan(0, length)))
            {
                return LoopOutcome.Foreign;
            }
        }

        return LoopOutcome.Answered;
    }
}
