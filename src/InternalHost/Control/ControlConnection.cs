using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace InternalHost.Control;

/// <summary>One client of the control socket: requests in, replies out, until it leaves, stalls or sends what is no line.</summary>
internal sealed partial class ControlConnection(Socket socket, IControlHandler handler, TimeProvider time, ILogger logger)
{
    public const int MaxLine = 64 * 1024;

    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WriteLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HandleLimit = TimeSpan.FromSeconds(20);

    /// <summary>Never faults.</summary>
    public async Task ServeAsync(bool tooMany, CancellationToken stop)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            if (tooMany)
            {
                await WriteAsync(stream, ControlReply.Failed($"too many clients: at most {ControlServer.MaxClients}, try again"), stop);
                return;
            }

            await ServeLinesAsync(stream, stop);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // The client has left or stalled, or we stop: nobody is waiting for an answer.
        }
        catch (Exception e)
        {
            LogFault(e);
        }
    }

    private async Task ServeLinesAsync(NetworkStream stream, CancellationToken stop)
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 4096, leaveOpen: true));
        while (await ReadLineAsync(reader, stop) is { } line)
        {
            if (line.Length > MaxLine)
            {
                await WriteAsync(stream, ControlReply.Failed($"a line is longer than {MaxLine / 1024} KiB"), stop);
                return;
            }

            await WriteAsync(stream, await AnswerAsync(line, stop), stop);
        }
    }

    /// <summary>Null at the end. A line that has no end within the limit comes back longer than <see cref="MaxLine"/>.</summary>
    private async Task<byte[]?> ReadLineAsync(PipeReader reader, CancellationToken stop)
    {
        using var limit = Limit(IdleLimit, stop, out var either);
        using (either)
        {
            while (true)
            {
                var read = await reader.ReadAsync(either.Token);
                if (read.Buffer.PositionOf((byte)'\n') is { } end)
                {
                    var line = read.Buffer.Slice(0, end).ToArray();
                    reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                    return line;
                }

                if (read.IsCompleted || read.Buffer.Length > MaxLine)
                {
                    return read.Buffer.Length > MaxLine ? new byte[MaxLine + 1] : read.Buffer.IsEmpty ? null : Last(reader, read.Buffer);
                }

                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
    }

    /// <summary>A last line without its newline still gets its answer.</summary>
    private static byte[] Last(PipeReader reader, ReadOnlySequence<byte> rest)
    {
        var line = rest.ToArray();
        reader.AdvanceTo(rest.End);
        return line;
    }

    private async Task<ControlReply> AnswerAsync(byte[] line, CancellationToken stop)
    {
        var request = ControlLine.Parse(line);
        if (request.Problem is { } problem)
        {
            return ControlReply.Failed(problem);
        }

        using var limit = Limit(HandleLimit, stop, out var either);
        using (either)
        {
            try
            {
                return await handler.HandleAsync(request.Value!, either.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                return ControlReply.Failed(
                    limit.IsCancellationRequested ? $"no answer within {HandleLimit.TotalSeconds:0} s; it may still be done" : "it was given up");
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogFault(e);
                return ControlReply.Failed("an internal fault: the log has it");
            }
        }
    }

    private async Task WriteAsync(NetworkStream stream, ControlReply reply, CancellationToken stop)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(reply, ControlJson.Default.ControlReply), (byte)'\n'];
        using var limit = Limit(WriteLimit, stop, out var either);
        using (either)
        {
            await stream.WriteAsync(line, either.Token);
        }
    }

    private CancellationTokenSource Limit(TimeSpan after, CancellationToken stop, out CancellationTokenSource either)
    {
        var limit = new CancellationTokenSource(after, time);
        either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        return limit;
    }

    [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "A control request met a fault.")]
    private partial void LogFault(Exception e);
}
