using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Text;

namespace Lab.World;

/// <summary>One request as it came.</summary>
/// <param name="Path">Method and target: <c>POST /bot1:x/sendMessage</c>.</param>
/// <param name="Head">The header lines.</param>
public sealed record RawRequest(string Path, string Head, string Body);

/// <summary>
/// A gateway that speaks HTTP/1.1 byte by byte, so that it can do what no good server does: stop in the middle, say nonsense, never
/// end. With or without TLS. Each request is answered by the next step of the script; after its end by <see cref="Otherwise"/>.
/// </summary>
public sealed class ScriptedServer : IAsyncDisposable
{
    private const int LongestRequest = 1 << 20;

    private readonly TcpLoop _loop;
    private readonly LabCertificate? _certificate;
    private readonly ConcurrentQueue<Func<RawRequest, Stream, CancellationToken, Task>> _script = new();

    private ScriptedServer(LabCertificate? certificate, IPEndPoint? at)
    {
        _certificate = certificate;
        _loop = new TcpLoop(ServeAsync, at);
    }

    public ConcurrentQueue<RawRequest> Requests { get; } = new();

    public Func<RawRequest, Stream, CancellationToken, Task> Otherwise { get; set; } = Answer(200, "{}");

    public Uri BaseUrl => new($"{(_certificate is null ? "http" : "https")}://{_loop.EndPoint}");

    /// <param name="certificate">Null: without TLS. Not disposed here.</param>
    /// <param name="at">Null: any free port of loopback.</param>
    public static ScriptedServer Start(LabCertificate? certificate = null, IPEndPoint? at = null) => new(certificate, at);

    public ScriptedServer Next(Func<RawRequest, Stream, CancellationToken, Task> step)
    {
        _script.Enqueue(step);
        return this;
    }

    /// <summary>A whole answer.</summary>
    public static Func<RawRequest, Stream, CancellationToken, Task> Answer(int status, string body, params string[] headers) => (_, stream, ct) =>
        WriteAsync(stream, Head(status, Encoding.UTF8.GetByteCount(body), headers) + body, ct);

    /// <summary>Takes the request and never says a word.</summary>
    public static Task HangAsync(RawRequest request, Stream stream, CancellationToken ct) => Task.Delay(Timeout.Infinite, ct);

    /// <summary>Takes the request and cuts the line.</summary>
    public static Task CutAsync(RawRequest request, Stream stream, CancellationToken ct) => Task.CompletedTask;

    /// <summary>A good head, and a body that never ends: a byte at a time.</summary>
    public static Func<RawRequest, Stream, CancellationToken, Task> Drip(int status) => async (_, stream, ct) =>
    {
        await WriteAsync(stream, Head(status, 100_000, []), ct);
        while (true)
        {
            await WriteAsync(stream, "x", ct);
            await Task.Delay(TimeSpan.FromMilliseconds(50), ct);
        }
    };

    /// <summary>A good head, and a body of that size.</summary>
    public static Func<RawRequest, Stream, CancellationToken, Task> Flood(int status, int bytes) => async (_, stream, ct) =>
    {
        await WriteAsync(stream, Head(status, bytes, []), ct);
        var block = new byte[65_536];
        Array.Fill(block, (byte)'x');
        for (var left = bytes; left > 0; left -= block.Length)
        {
            await stream.WriteAsync(block.AsMemory(0, Math.Min(left, block.Length)), ct);
        }
    };

    public ValueTask DisposeAsync() => _loop.DisposeAsync();

    private static string Head(int status, int length, string[] headers) => string.Create(
        CultureInfo.InvariantCulture, $"HTTP/1.1 {status} Whatever\r\nContent-Length: {length}\r\nConnection: close\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n");

    private static Task WriteAsync(Stream stream, string text, CancellationToken ct) => stream.WriteAsync(Encoding.UTF8.GetBytes(text), ct).AsTask();

    private async Task ServeAsync(Stream connection, CancellationToken ct)
    {
        await using var stream = await OpenAsync(connection, ct);
        if (await ReadAsync(stream, ct) is { } request)
        {
            Requests.Enqueue(request);
            await (_script.TryDequeue(out var step) ? step : Otherwise)(request, stream, ct);
        }
    }

    private async Task<Stream> OpenAsync(Stream connection, CancellationToken ct)
    {
        if (_certificate is null)
        {
            return connection;
        }

        var tls = new SslStream(connection);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate.Certificate }, ct);
        return tls;
    }

    /// <summary>Null: the connection ended before a whole request.</summary>
    private async Task<RawRequest?> ReadAsync(Stream stream, CancellationToken ct)
    {
        var bytes = new List<byte>();
        var buffer = new byte[4096];
        while (bytes.Count < LongestRequest)
        {
            var read = await stream.ReadAsync(buffer, ct);
            if (read == 0)
            {
                return null;
            }

            bytes.AddRange(buffer.AsSpan(0, read));
            if (Parse(bytes) is { } request)
            {
                return request;
            }
        }

        return null;
    }

    private static RawRequest? Parse(List<byte> bytes)
    {
        var text = Encoding.Latin1.GetString([.. bytes]);
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        var lines = text[..end].Split("\r\n");
        var length = lines.FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)) is { } line
            ? int.Parse(line.Split(':')[1], CultureInfo.InvariantCulture) : 0;
        return bytes.Count < end + 4 + length ? null : new RawRequest(
            lines[0][..lines[0].LastIndexOf(' ')], string.Join('\n', lines.Skip(1)), Encoding.UTF8.GetString([.. bytes.Skip(end + 4).Take(length)]));
    }
}
