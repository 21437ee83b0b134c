using System.Text.Json;
using Common.Agent;

namespace Bastion.Agent;

/// <summary>One connection to the agent's port: requests and answers in turn.</summary>
internal sealed class AgentConnection(Stream stream, Func<AgentRequest, CancellationToken, Task<AgentReply>> answer, TimeProvider time)
{
    public const int LongestLine = 64 * 1024;

    /// <summary>The inside keeps no connection open over nothing: it asks every few seconds, or anew.</summary>
    private static readonly TimeSpan LineTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(5);

    private byte[] _buffer = new byte[1024];
    private int _length;

    public async Task RunAsync(CancellationToken ct)
    {
        while (await ReadLineAsync(ct) is { } line)
        {
            if (line.Length == 0)
            {
                continue;
            }

            var reply = await AnswerAsync(line, ct);
            await WriteAsync(reply, ct);
        }

        if (_length >= LongestLine)
        {
            await RefuseAsync($"a line is longer than {LongestLine} bytes", ct);
        }
    }

    public Task RefuseAsync(string reason, CancellationToken ct) => WriteAsync(Error(reason), ct);

    private async Task<AgentReply> AnswerAsync(ReadOnlyMemory<byte> line, CancellationToken ct)
    {
        AgentRequest? request;
        try
        {
            request = JsonSerializer.Deserialize(line.Span, AgentJson.Default.AgentRequest);
        }
        catch (JsonException)
        {
            request = null;
        }

        if (request is not { Op: { Length: > 0 } })
        {
            return Error("not a request: one JSON object a line, such as {\"op\":\"sessions\"}");
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var timer = time.CreateTimer(_ => timeout.Cancel(), null, AnswerTimeout, Timeout.InfiniteTimeSpan);
        try
        {
            return await answer(request, timeout.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Error("no answer in time");
        }
    }

    /// <summary>Null at the end, or when a line grows too long.</summary>
    private async Task<ReadOnlyMemory<byte>?> ReadLineAsync(CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(LineTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        while (true)
        {
            var end = _buffer.AsSpan(0, _length).IndexOf((byte)'\n');
            if (end >= 0)
            {
                return Take(end);
            }

            if (_length >= LongestLine)
            {
                return null;
            }

            if (_length == _buffer.Length)
            {
                Array.Resize(ref _buffer, Math.Min(_buffer.Length * 4, LongestLine));
            }

            var read = await stream.ReadAsync(_buffer.AsMemory(_length), both.Token);
            if (read == 0)
            {
                return null;
            }

            _length += read;
        }
    }

    private byte[] Take(int end)
    {
        var line = _buffer.AsSpan(0, end).TrimEnd((byte)'\r').ToArray();
        _buffer.AsSpan(end + 1, _length - end - 1).CopyTo(_buffer);
        _length -= end + 1;
        return line;
    }

    private async Task WriteAsync(AgentReply reply, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(WriteTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(reply, AgentJson.Default.AgentReply), (byte)'\n'];
        await stream.WriteAsync(line, both.Token);
    }

    private static AgentReply Error(string reason) => new(false, reason);
}
