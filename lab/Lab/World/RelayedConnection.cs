using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Lab.World;

/// <summary>One connection through a relay: two pumps, and the link that rules them.</summary>
internal sealed class RelayedConnection(Socket client, IPAddress from, IPEndPoint target, Link? link)
{
    public const int BufferSize = 64 * 1024;
    private const int ChunkSize = 4 * 1024;

    // A modem's queue: more than this waits at the sender.
    private static readonly TimeSpan Queue = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private bool _closed;

    /// <summary>
    /// Where the kernel lets us, it drops what comes in the dark, and acknowledges nothing. Elsewhere the pumps stand still: the client's
    /// kernel believes in the little that fits into our buffer, and nobody gets it.
    /// </summary>
    public void ApplyLink()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            if (link is { Dark: true })
            {
                _ = SocketFilter.TryDropAll(client);
            }
            else
            {
                SocketFilter.Clear(client);
            }
        }
    }

    public async Task RunAsync(CancellationToken ct)
    {
        ApplyLink();
        using var server = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            client.NoDelay = true;
            // The target sees the address that the client has, as it would through a router.
            server.Bind(new IPEndPoint(from, 0));
            await server.ConnectAsync(target, ending.Token);
            await Task.WhenAll(PumpAsync(client, server, up: true, ending), PumpAsync(server, client, up: false, ending));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            await AbortAsync(server, ct);
        }
        finally
        {
            lock (_gate)
            {
                _closed = true;
                client.Dispose();
            }
        }
    }

    /// <summary>A reset is passed on as a reset; in the dark it waits like everything else.</summary>
    private async Task AbortAsync(Socket server, CancellationToken ct)
    {
        try
        {
            await LightAsync(ct);
        }
        catch (OperationCanceledException)
        {
            // The relay itself ends.
        }

        client.LingerState = new LingerOption(true, 0);
        server.LingerState = new LingerOption(true, 0);
    }

    private Task LightAsync(CancellationToken ct) => link is null ? Task.CompletedTask : link.WhenLightAsync(ct);

    private async Task PumpAsync(Socket source, Socket sink, bool up, CancellationTokenSource ending)
    {
        var wire = Channel.CreateBounded<Chunk>(256);
        try
        {
            await Task.WhenAll(ReadAsync(source, wire.Writer, up, ending), WriteAsync(sink, wire.Reader, up, ending));
        }
        catch
        {
            await ending.CancelAsync();
            throw;
        }
    }

    private async Task ReadAsync(Socket source, ChannelWriter<Chunk> wire, bool up, CancellationTokenSource ending)
    {
        try
        {
            while (true)
            {
                await LightAsync(ending.Token);
                var bytes = new byte[ChunkSize];
                var count = await source.ReceiveAsync(bytes, ending.Token);
                if (count == 0)
                {
                    return;
                }

                var wait = link is null ? TimeSpan.Zero : (up ? link.Up : link.Down).Reserve(count);
                await wire.WriteAsync(new Chunk(bytes.AsMemory(0, count), TimeProvider.System.GetTimestamp(), wait + (link?.Delay ?? TimeSpan.Zero)), ending.Token);
                if (wait > Queue)
                {
                    await Task.Delay(wait - Queue, TimeProvider.System, ending.Token);
                }
            }
        }
        catch
        {
            await ending.CancelAsync();
            throw;
        }
        finally
        {
            wire.Complete();
        }
    }

    private async Task WriteAsync(Socket sink, ChannelReader<Chunk> wire, bool up, CancellationTokenSource ending)
    {
        await foreach (var chunk in wire.ReadAllAsync(ending.Token))
        {
            var rest = chunk.Wait - TimeProvider.System.GetElapsedTime(chunk.At);
            if (rest > TimeSpan.Zero)
            {
                await Task.Delay(rest, TimeProvider.System, ending.Token);
            }

            await LightAsync(ending.Token);

            // Counted first: whoever receives the bytes finds them in the figures.
            link?.Count(up, chunk.Bytes.Length);
            for (var sent = 0; sent < chunk.Bytes.Length;)
            {
                sent += await sink.SendAsync(chunk.Bytes[sent..], ending.Token);
            }
        }

        await LightAsync(ending.Token);
        sink.Shutdown(SocketShutdown.Send);
    }

    private readonly record struct Chunk(ReadOnlyMemory<byte> Bytes, long At, TimeSpan Wait);
}
