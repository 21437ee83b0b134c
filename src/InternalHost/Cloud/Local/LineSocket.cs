using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace InternalHost.Cloud.Local;

/// <summary>One JSON object a line over a stream socket, with a limit to a line.</summary>
internal sealed class LineSocket(Socket socket, int longestLine) : IDisposable
{
    private readonly NetworkStream _stream = new(socket, ownsSocket: true);
    private PipeReader? _reader;

    /// <returns>Null when the other side has closed.</returns>
    /// <exception cref="JsonException">Not such an object, or too long.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task<T?> ReadAsync<T>(JsonTypeInfo<T> type, CancellationToken ct)
        where T : class
    {
        _reader ??= PipeReader.Create(_stream);
        while (true)
        {
            var read = await _reader.ReadAsync(ct);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = read.Buffer.Slice(0, end).ToArray();
                _reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                return JsonSerializer.Deserialize(line, type) ?? throw new JsonException("null is no message");
            }

            if (read.IsCompleted)
            {
                return null;
            }

            if (read.Buffer.Length > longestLine)
            {
                throw new JsonException($"a line of more than {longestLine} bytes");
            }

            _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    public async Task WriteAsync<T>(T message, JsonTypeInfo<T> type, CancellationToken ct)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(message, type), (byte)'\n'];
        await _stream.WriteAsync(line, ct);
    }

    public void Dispose() => _stream.Dispose();
}
